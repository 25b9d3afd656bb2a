import Logging
import ServiceLifecycle

/// Takes changes from the broker and puts them into inboxes: record, then acknowledge.
///
/// Consumers compete: any number may run. Recording is idempotent by the change's id, so a redelivery shows nothing twice.
public struct ChangeConsumer: Service {
    public static let usualBatchSize = 256
    /// After so many deliveries of one message, it goes to the dead letters.
    static let deliveryLimit = 10

    private let broker: any MessageBroker
    private let notifications: NotificationService
    private let batchSize: Int
    private let proveStore: @Sendable () async throws -> Void
    private let unsignedMessagesEnd: @Sendable () async throws -> Timestamp?
    private let logger: Logger
    public let progress = ConsumerProgress()

    /// The longest message: far more than an event can have.
    public static let bodyLimit = 1 << 20

    /// - Parameters:
    ///   - batchSize: how many messages are taken at once.
    ///   - proveStore: writes something to the store, and throws where that fails.
    ///   - unsignedMessagesEnd: see ``ConsumerStore/unsignedMessagesEnd()``.
    public init(
        broker: any MessageBroker, notifications: NotificationService, batchSize: Int = usualBatchSize,
        proveStore: @escaping @Sendable () async throws -> Void = {},
        unsignedMessagesEnd: @escaping @Sendable () async throws -> Timestamp? = { nil }, logger: Logger
    ) {
        self.proveStore = proveStore
        self.unsignedMessagesEnd = unsignedMessagesEnd
        self.broker = broker
        self.notifications = notifications
        self.batchSize = batchSize
        self.logger = logger
    }

    /// Consumes all that waits now, without waiting for more.
    /// - Returns: how many messages were consumed.
    public func drain() async throws -> Int {
        var consumed = 0
        while true {
            let deliveries = try await broker.receive(limit: batchSize, waiting: false)
            guard !deliveries.isEmpty else { return consumed }
            try await consume(deliveries)
            consumed += deliveries.count
        }
    }

    /// Consumes until the daemon stops.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var backoff = Backoff()
            while !Task.isCancelled {
                do {
                    let deliveries = try await broker.receive(limit: batchSize, waiting: true)
                    if !deliveries.isEmpty {
                        try await consume(deliveries)
                        progress.recorded()
                    }
                    backoff.reset()
                } catch  where Task.isCancelled {
                    return
                } catch {
                    progress.failed(EMSError(error))
                    let delay = backoff.next()
                    logger.warning("changes wait at the broker, next try in \(delay): \(EMSError(error))")
                    try? await Task.sleep(for: delay)
                }
            }
        }
    }

    private func consume(_ deliveries: [Delivery]) async throws {
        var good: [(delivery: Delivery, change: Change)] = []
        let acceptsUnsigned = deliveries.contains { $0.signature == .absent } ? try await acceptsUnsigned(releasing: deliveries) : false
        for delivery in deliveries {
            do {
                good.append((delivery, try Self.change(in: delivery, acceptsUnsigned: acceptsUnsigned)))
            } catch {
                let reason = EMSError(error).message
                logger.error("a message goes to the dead letters: \(reason)", metadata: Self.metadata(delivery))
                try await broker.reject(delivery, reason: reason)
            }
        }
        // What came back too often is tried by itself: it may be what makes all the others fail.
        for (delivery, change) in good where delivery.attempt >= Self.deliveryLimit { try await consume(delivery, change) }
        good.removeAll { $0.delivery.attempt >= Self.deliveryLimit }
        guard !good.isEmpty else { return }
        do {
            try await notifications.record(good.map(\.change))
        } catch {
            guard !EMSError(error).code.isPassing else {
                try await broker.release(good.map(\.delivery))
                throw error
            }
            // One of them is at fault: one by one, the others are not kept waiting.
            var failure: (any Error)?
            for (delivery, change) in good {
                do {
                    try await consume(delivery, change)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            return
        }
        FaultPoint.reached(.betweenRecordAndAcknowledge)
        try await broker.acknowledge(good.map(\.delivery))
    }

    /// Consumes one message. What cannot be recorded goes back to the broker; what came back too often, to the dead letters.
    private func consume(_ delivery: Delivery, _ change: Change) async throws {
        do {
            try await notifications.record([change])
            try await broker.acknowledge([delivery])
        } catch {
            let described = EMSError(error)
            // An error says what it likes: only a store that takes other writes proves that it is the message.
            let isAtFault = delivery.attempt >= Self.deliveryLimit ? await isStoreWorking() : false
            guard isAtFault else {
                try await broker.release([delivery])
                throw error
            }
            let reason = "not stored after \(delivery.attempt) deliveries: \(described.message)"
            logger.error("a message goes to the dead letters: \(reason)", metadata: Self.metadata(delivery))
            try await broker.reject(delivery, reason: reason)
        }
    }

    private func acceptsUnsigned(releasing deliveries: [Delivery]) async throws -> Bool {
        do {
            return try await unsignedMessagesEnd().map { Timestamp.now() < $0 } ?? false
        } catch {
            try await broker.release(deliveries)
            throw error
        }
    }

    private func isStoreWorking() async -> Bool {
        do {
            try await proveStore()
            return true
        } catch {
            return false
        }
    }

    /// Whoever can write to the broker chooses the id: it may hold what a terminal would obey, or a line of its own.
    private static func metadata(_ delivery: Delivery) -> Logger.Metadata {
        ["message_id": "\(Printable.quoted(String(delivery.message.messageID.prefix(64))))"]
    }

    private static func change(in delivery: Delivery, acceptsUnsigned: Bool) throws -> Change {
        switch delivery.signature {
        case .valid: break
        case .absent where acceptsUnsigned: break
        case .absent: throw EMSError(.malformed, "the message is not signed")
        case .invalid: throw EMSError(.malformed, "the message is not signed by a key of this installation")
        }
        guard delivery.message.body.count <= bodyLimit else {
            throw EMSError(.tooLarge, "the message has \(delivery.message.body.count) bytes; \(bodyLimit) are read at most")
        }
        guard let id = ChangeID(delivery.message.messageID) else {
            throw EMSError(.malformed, "the message id \(Printable.quoted(delivery.message.messageID)) is no change id")
        }
        return try Change(id: id, body: delivery.message.body)
    }
}
