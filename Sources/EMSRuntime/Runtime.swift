import EMSCore
import Logging

/// The composition: configuration in, the core's services out. Nothing is opened or started that nobody asked for.
public struct Runtime: Sendable {
    /// What the store is opened for.
    public enum Mode: Sendable {
        /// A command that runs and ends.
        case command
        /// A command that writes very much.
        case bulk
        case daemon
        /// A look at the store as it is: nothing is made that it lacks.
        case inspection
    }

    public let settings: Settings
    public let logger: Logger
    public let users: UserService
    public let events: EventService
    public let subscriptions: SubscriptionService
    public let notifications: NotificationService
    /// `nil` if the queue is a part of the store: nothing is published then.
    public let relay: ChangeRelay?
    /// All consumers, each with what it does.
    public let consumers: [any RunningConsumer]
    public let expander: AudienceExpander
    private let backend: Backend
    private let hasher: PasswordHasher

    /// Opens the store and puts the services on it.
    public init(settings: Settings, mode: Mode, logger: Logger) async throws {
        self.settings = settings
        self.logger = logger
        backend = try await Backend(settings, mode: mode, logger: logger)
        hasher = PasswordHasher(cost: settings.bcryptCost)
        // In the store's own file a batch is a few transactions, whatever its size.
        let isBulk = mode == .bulk && backend.isBrokerEmbedded
        let relay = backend.publisher.map { [stores = backend.stores] in ChangeRelay(stores: stores, publisher: $0, logger: logger) }
        self.relay = relay
        users = UserService(
            stores: backend.stores, hasher: hasher, registrationHasher: PasswordHasher(cost: settings.bcryptCost, workers: 1),
            permissions: settings.permissions)
        events = EventService(stores: backend.stores, permissions: settings.permissions) { change in
            FaultPoint.reached(.betweenWriteAndPublish)
            relay?.changeWritten(change)
        }
        subscriptions = SubscriptionService(stores: backend.stores)
        notifications = NotificationService(stores: backend.stores, feed: backend.feed)
        let (stores, queue, batchSize) = (
            backend.stores, backend.queue(of:), isBulk ? Self.bulkBatchSize : Consumer.usualBatchSize
        )
        func running<Handler: ChangeHandler>(_ consumer: Consumer, _ handler: Handler) -> any RunningConsumer {
            ChangeConsumer(
                consumer, queue: queue(consumer), handler: handler, batchSize: batchSize,
                proveStore: { _ = try await stores.rateLimits.attempt("consumer", limit: 1_000_000, window: 1, at: .now()) },
                unsignedMessagesEnd: { try await stores.consumers.unsignedMessagesEnd() },
                isPaused: { try await stores.consumers.isPaused(consumer) }, logger: logger)
        }
        consumers = [running(.inbox, InboxHandler(notifications))]
        expander = AudienceExpander(stores: backend.stores, logger: logger)
    }

    private static let bulkBatchSize = 1500

    public var journal: JournalService { JournalService(stores: backend.stores, permissions: settings.permissions) }
    public var journalVerifier: JournalVerifier { JournalVerifier(stores: backend.stores) }
    public var journalRetention: JournalRetention { JournalRetention(stores: backend.stores) }
    public var completion: CompletionService { CompletionService(stores: backend.stores) }
    public var storeAdministration: any StoreAdministration { backend.storeAdministration }
    public var brokerAdministration: any BrokerAdministration { backend.brokerAdministration }

    /// Where tasks are at home that ask the store often: on its own threads, a look-up costs no hop to another thread and back. `nil` where
    /// the store has no such threads. Not for tasks that wait for the broker: its connections have threads of their own, which were seen
    /// to lose such a task's wake-up (Swift 6.3).
    public var executor: (any TaskExecutor)? { backend.executor }

    /// Tells whether what was read from the store still holds; `nil` where that cannot be told.
    public var watch: (any StoreWatch)? { backend.stores.watch }

    /// - Throws: ``EMSError`` with ``ErrorCode/unreachable`` if the store is known not to answer at the moment.
    public func expectStore() throws { try backend.breaker?.check() }

    /// Log-in and tokens: the part that needs the signing key.
    public func authentication() async throws -> AuthenticationService {
        let settings = settings
        let accessTokens = try await AccessTokens(algorithm: settings.algorithm) { try settings.tokenKeys() }
        return AuthenticationService(stores: backend.stores, hasher: hasher, accessTokens: accessTokens, policy: settings.authentication)
    }

    /// Carries pending changes as far as a command that is about to end can: what it wrote to RabbitMQ; or, since the embedded queue
    /// lives in the store's file, all that is pending into the inboxes. What fails here is not lost: it stays pending for a daemon or
    /// the next command.
    public func deliverChanges() async throws {
        if let relay { return _ = try await relay.carryWritten() }
        _ = try await drain()
        try await expander.expand(until: .now + Self.expansionPatience)
    }

    /// How long a command goes on putting notifications into the inboxes of many. A daemon, the next command and `ems broker flush` go on.
    private static let expansionPatience: Duration = .seconds(1)

    /// Carries all that is pending, whoever wrote it, as far as this process can.
    /// - Returns: how many changes the broker confirmed, or the inboxes got.
    public func flushChanges() async throws -> Int {
        let count = if let relay { try await relay.flush() } else { try await drain() }
        try await expander.expand()
        return count
    }

    /// Has every consumer deal with what waits for it; one that fails holds up no other.
    /// - Returns: how many changes the inboxes got.
    /// - Throws: the first failure.
    private func drain() async throws -> Int {
        var (count, failure): (Int, (any Error)?) = (0, nil)
        for running in consumers {
            do {
                let consumed = try await running.drain()
                if running.consumer == .inbox { count = consumed }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return count
    }

    /// How many changes are stored and not handed over yet, up to a bound.
    public func pendingChanges() async throws -> PendingStatus { try await backend.stores.outbox.pendingStatus() }

    /// Whether the store itself can keep all of an import together; otherwise what was stored is taken back where the import fails.
    public var hasTransaction: Bool { backend.stores.transaction != nil }

    /// Runs `body` so that all that it stores is stored, or nothing.
    /// - Parameter undo: takes back what `body` has stored, where the store has no transaction that long, and returns how many writes it
    ///   could not take back, because another process has changed the same since.
    /// - Throws: what `body` throws, or ``EMSError`` with ``ErrorCode/partial`` if something could not be taken back.
    public func atomically(_ body: () async throws -> Void, undo: () async -> Int) async throws {
        if let transaction = backend.stores.transaction { try await transaction.begin() }
        do {
            try await body()
        } catch {
            if let transaction = backend.stores.transaction {
                try await transaction.rollBack()
                throw error
            }
            let left = await undo()
            guard left > 0 else { throw error }
            throw EMSError(
                .partial, "\(EMSError(error).message); \(left) \(left == 1 ? "record" : "records") stored before could not be taken back",
                fix: "check them: they were changed since, or the store is unreachable")
        }
        try await backend.stores.transaction?.commit()
    }

    /// Ends open connections in good order. The runtime is of no more use.
    public func close() async {
        await backend.close()
    }

    /// How long a look at a server may take before it counts as out of reach.
    private static let patience: Duration = .seconds(2)

    /// How the parts are: what `/readyz` tells. Without the store nothing can be served; without the broker all can, and changes wait.
    public func health() async throws -> Health {
        let backend = backend
        let (pending, expansions) = try await withDeadline(Self.patience, "the store") {
            try await backend.storeAdministration.ping()
            return (try await backend.stores.outbox.pendingStatus(), try await backend.stores.notifications.expansions())
        }
        // The one that has failed for longest speaks for all.
        let states = consumers.map(\.progress.state)
        let failing =
            states.filter { $0.failingSince != nil }.min { ($0.failingSince ?? .latest) < ($1.failingSince ?? .latest) } ?? states[0]
        do {
            let broker = try await withDeadline(Self.patience, "the broker") { try await backend.queue(of: .inbox).status() }
            return Health(pending: pending, expansions: expansions, broker: .success(broker), consumer: failing)
        } catch {
            return Health(pending: pending, expansions: expansions, broker: .failure(EMSError(error)), consumer: failing)
        }
    }

    /// How each consumer gets on.
    public func consumerStatus() async throws -> [ConsumerStatus] {
        let pending = try await pendingChanges()
        let recent = try await backend.stores.journal.count(since: Timestamp.now().adding(seconds: -60))
        var lines: [ConsumerStatus] = []
        for consumer in Consumer.all {
            let status = try await backend.queue(of: consumer).status()
            let waiting = isBrokerEmbedded ? try await backend.stores.consumers.lag(of: consumer) : pending
            let lag = waiting.count + status.depth
            lines.append(
                ConsumerStatus(
                    consumer: consumer, lag: lag, oldest: waiting.oldest, rate: (Double(max(0, recent - lag)) / 6).rounded() / 10,
                    dead: status.deadLetters, isPaused: try await backend.stores.consumers.isPaused(consumer)))
        }
        return lines
    }

    private var isBrokerEmbedded: Bool { backend.isBrokerEmbedded }

    /// Lets a consumer rest in all processes, or go on. What it would have dealt with waits.
    /// - Returns: whether that is new.
    public func setPaused(_ consumer: Consumer, _ isPaused: Bool) async throws -> Bool {
        try await backend.stores.consumers.setPaused(consumer, isPaused)
    }

    /// Gives a consumer the journal again from a position on. What it has dealt with already shows nothing twice.
    /// - Returns: how many entries that are.
    /// - Throws: ``EMSError`` with ``ErrorCode/notFound`` if there is no such position.
    public func replay(_ consumer: Consumer, from position: Int64, dryRun: Bool) async throws -> Int {
        try await journal.expectPosition(position)
        var (next, count) = (position, 0)
        while true {
            let entries = try await journalEntries(from: next, limit: ChangeRelay.usualBatchSize)
            guard let last = entries.last else { break }
            let messages = try entries.map(\.change).filter(\.isPublished).map { try BrokerMessage($0) }
            if !dryRun, let publisher = backend.publisher, !messages.isEmpty { try await publisher.publish(messages, to: consumer) }
            count += messages.count
            next = last.position + 1
            try Task.checkCancellation()
        }
        if !dryRun, isBrokerEmbedded { try await backend.stores.consumers.setBack(consumer, to: position) }
        return count
    }

    private func journalEntries(from position: Int64, limit: Int) async throws -> [JournalEntry] {
        try await backend.stores.journal.entries(JournalQuery(order: .oldestFirst, after: position - 1, limit: limit))
    }

    /// The first position whose entry was made at a time or later; `nil` if there is none.
    public func journalPosition(since moment: Timestamp) async throws -> Int64? {
        try await backend.stores.journal.firstPosition(since: moment)
    }

    /// The failing consumers of all processes.
    public func failingConsumers() async throws -> [ConsumerReport] {
        try await backend.stores.consumers.reports(since: Timestamp.now().adding(seconds: -ConsumerReport.lifetimeSeconds))
    }

    /// When the newest notification was recorded; `nil` where there is none.
    public func lastRecordedAt() async throws -> Timestamp? { try await backend.stores.consumers.lastRecordedAt() }

    /// Saves a report of the failing consumer of this process; `nil` removes it.
    public func leaveReport(_ report: ConsumerReport?, of process: String) async throws {
        guard let report else { return try await backend.stores.consumers.removeReport(of: process) }
        try await backend.stores.consumers.save(report)
    }

    /// Writes something into the store that is gone by itself a second later.
    public func testWrite() async throws {
        _ = try await backend.stores.rateLimits.attempt("doctor", limit: 1_000_000, window: 1, at: .now())
    }

    /// Removes what has served its time: idempotency keys of yesterday, sessions that ended a week ago, and of the journal, once a day, what
    /// need not be kept.
    public func housekeeping() async throws {
        try await users.finishDeletions()
        try await events.forgetOldIdempotencyKeys()
        let moment = Timestamp.now().adding(seconds: -7 * 86_400)
        let count = try await backend.stores.tokens.purge(before: moment)
        if count > 0 {
            try await backend.stores.journal.record(
                .noted(
                    .purged, Subject(.purge, "sessions"), by: Author(.system, via: ChangeSource(.cron)),
                    state: JSONText(["count": .integer(Int64(count)), "before": .string(moment.description)])))
        }
        // Last: it may be refused, and holds up nothing else.
        try await cutJournal()
    }

    private func cutJournal() async throws {
        guard let keep = settings.journalKeepSeconds else { return }
        let now = Timestamp.now()
        if let last = try await journalRetention.lastCut(), last > now.adding(seconds: -86_400), last <= now { return }
        let cut = try await journalRetention.cut(before: now.adding(seconds: -keep), by: Author(.system, via: ChangeSource(.cron)))
        if cut.entries > 0 { logger.info("removed \(cut.entries) entries from the journal") }
        if let needed = cut.neededFrom {
            logger.warning(
                "the journal is kept from position \(needed): not published or consumed yet, or a dead letter; run: ems broker status"
            )
        }
    }

    public struct Health: Sendable {
        public let pending: PendingStatus
        /// How many notifications are on their way into the inboxes of many.
        public let expansions: Int
        public let broker: Result<BrokerStatus, EMSError>
        /// The state of the consumer of this process.
        public let consumer: ConsumerProgress.State

        /// Whether the consumer has been failing for longer than a transient fault lasts.
        public var isConsumerStuck: Bool {
            consumer.failingSince.map { $0 < Timestamp.now().adding(seconds: -Self.consumerPatience) } ?? false
        }

        private static let consumerPatience: Int64 = 10
    }
}
