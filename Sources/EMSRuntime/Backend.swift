import EMSCore
import EMSMongoDB
import EMSRabbitMQ
import EMSSQLite
import Logging

/// The adapters that the settings choose, as the ports of the core.
struct Backend: Sendable {
    let stores: Stores
    /// Where each consumer takes its changes from.
    let queues: [Consumer: any ChangeQueue]
    /// Where changes are published to; `nil` if the queues are a part of the store.
    let publisher: (any ChangePublisher)?
    let feed: any LiveFeed
    let storeAdministration: any StoreAdministration
    let brokerAdministration: any BrokerAdministration
    /// The threads that wait for the store, where it has such: see ``Runtime/executor``.
    let executor: (any TaskExecutor)?
    /// Whether a command can carry its changes into the inboxes itself.
    var isBrokerEmbedded: Bool { publisher == nil }
    /// Knows whether a server of the store answers; `nil` for the embedded one.
    let breaker: CircuitBreaker?
    private let rabbitMQ: RabbitMQBroker?
    private let rabbitMQQueues: [Consumer: RabbitMQQueue]
    /// What ends the embedded store of a daemon in good order.
    private let endStore: (@Sendable () async -> Void)?

    init(_ settings: Settings, mode: Runtime.Mode, logger: Logger) async throws {
        rabbitMQ = try Self.rabbitMQ(settings)
        rabbitMQQueues =
            try rabbitMQ.map { broker in
                Dictionary(uniqueKeysWithValues: try Consumer.all.map { ($0, try broker.queue(of: $0)) })
            } ?? [:]
        let readLimit: Duration? = mode == .daemon ? .seconds(settings.server.requestTimeoutSeconds) : nil
        switch settings.store {
        case .embedded:
            let sqlite = try SQLiteBackend(
                path: settings.databasePath, mode: mode == .daemon ? .daemon : mode == .bulk ? .bulk : .command,
                readLimit: readLimit)
            stores = sqlite.stores
            // One file has one machine: its tail tells everything, whatever carries the changes.
            feed = sqlite.feed
            storeAdministration = sqlite.administration
            queues =
                rabbitMQ != nil ? rabbitMQQueues : Dictionary(uniqueKeysWithValues: Consumer.all.map { ($0, sqlite.queue(of: $0)) })
            brokerAdministration = rabbitMQ?.administration ?? sqlite.brokerAdministration
            executor = sqlite.executor
            breaker = nil
            endStore = mode == .daemon ? sqlite.truncateLog : nil
        case .mongodb(let url, let database):
            guard let rabbitMQ else { throw EMSError(.configuration, "rabbitmq_url must be set with mongodb_url") }
            let database = try MongoDatabase(url: url, name: database, readLimit: readLimit)
            if mode != .inspection { try await database.prepare() }
            stores = MongoBackend(database: database).stores
            feed = SequencedLiveFeed(store: stores.notifications, exchange: rabbitMQ.liveExchange(logger: logger), logger: logger)
            storeAdministration = MongoAdministration(database: database)
            queues = rabbitMQQueues
            brokerAdministration = rabbitMQ.administration
            executor = database.executor
            breaker = database.breaker
            endStore = nil
        }
        publisher = rabbitMQ
    }

    private static func rabbitMQ(_ settings: Settings) throws -> RabbitMQBroker? {
        guard case .rabbitmq(let url, let exchange, let queue) = settings.broker else { return nil }
        return try RabbitMQBroker(
            url: url, topology: Topology(exchange: exchange, queue: queue),
            signer: MessageSigner { try settings.signingSecrets() })
    }

    func queue(of consumer: Consumer) -> any ChangeQueue {
        guard let queue = queues[consumer] else { preconditionFailure("\(consumer.name) is not in Consumer.all") }
        return queue
    }

    /// Ends connections that are open, so that no server is left to find out, and leaves the file of the embedded store without a log.
    func close() async {
        await endStore?()
        for queue in rabbitMQQueues.values { await queue.close() }
        await rabbitMQ?.close()
    }
}
