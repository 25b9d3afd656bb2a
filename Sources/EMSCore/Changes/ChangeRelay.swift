import Logging
import ServiceLifecycle
import Synchronization

/// Carries pending changes from the store to the broker: into the journal, publish, wait for the confirm, clear.
///
/// What this process writes is published at once, without asking the store for it; a sweep looks for what stayed, whoever wrote it. Any
/// number of relays may run at once, in any number of processes. Two may publish the same change; the consumer knows it by its id.
public struct ChangeRelay: Service {
    /// How many changes one publish carries.
    public static let usualBatchSize = 256
    /// A change that is younger is on its way by whoever wrote it, most likely.
    static let graceSeconds: Int64 = 2

    private let outbox: any ChangeOutbox
    private let publisher: any ChangePublisher
    private let written = WrittenChanges()
    private let sweepInterval: Duration
    private let batchSize: Int
    private let logger: Logger
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - sweepInterval: how often to look for changes that were left behind.
    ///   - batchSize: how many changes one publish carries.
    public init(
        stores: Stores, publisher: any ChangePublisher, sweepInterval: Duration = .seconds(1), batchSize: Int = usualBatchSize,
        logger: Logger,
        now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        outbox = stores.outbox
        self.publisher = publisher
        self.sweepInterval = sweepInterval
        self.batchSize = batchSize
        self.logger = logger
        self.now = now
    }

    /// A change was written by this process: it goes out with the next step of ``run()`` or ``carryWritten()``.
    public func changeWritten(_ change: Change) {
        written.add(change)
    }

    /// Publishes what this process has written and not published yet.
    /// - Returns: how many changes the broker confirmed.
    public func carryWritten() async throws -> Int {
        if outbox.isOrdered { return try await flush() }
        var published = 0
        while true {
            let changes = written.take(batchSize)
            guard !changes.isEmpty else { return published }
            published += try await carry(changes)
        }
    }

    /// Publishes all that is pending now, whoever wrote it.
    /// - Returns: how many changes the broker confirmed.
    public func flush() async throws -> Int {
        written.forget()
        return try await sweep(writtenBefore: nil)
    }

    private func sweep(writtenBefore moment: Timestamp?) async throws -> Int {
        var published = 0
        while true {
            var pending = try await outbox.pendingChanges(limit: batchSize)
            if let moment { pending = Array(pending.prefix { $0.timestamp < moment }) }
            guard !pending.isEmpty else { return published }
            published += try await carry(pending)
        }
    }

    /// - Returns: how many were published: what else is pending of the same subjects goes with them.
    private func carry(_ changes: [Change]) async throws -> Int {
        let entered = try await outbox.enterIntoJournal(changes)
        FaultPoint.reached(.betweenEntryAndPublish)
        let messages = try entered.filter(\.isPublished).map { try BrokerMessage($0) }
        if !messages.isEmpty { try await publisher.publish(messages) }
        FaultPoint.reached(.betweenPublishAndClear)
        try await outbox.clearPending(entered.map(\.id))
        return messages.count
    }

    /// Publishes what is written, as it is written, until the daemon stops; what could not be published is tried again.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var backoff = Backoff()
            // Until the store was swept, what lies there goes first: changes of one event keep their order.
            var isBehind = true
            // While the broker does not take changes, they wait in the journal.
            var isBlocked = false
            var nextSweep = ContinuousClock.now
            while !Task.isCancelled {
                do {
                    if isBlocked {
                        try await outbox.settle()
                        isBlocked = false
                    }
                    if isBehind {
                        _ = try await flush()
                        isBehind = false
                        nextSweep = .now + sweepInterval
                    }
                    _ = try await carryWritten()
                    if ContinuousClock.now >= nextSweep {
                        _ = try await sweep(writtenBefore: now().adding(seconds: -Self.graceSeconds))
                        nextSweep = .now + sweepInterval
                    }
                    backoff.reset()
                    await written.wakeup.wait(upTo: sweepInterval)
                } catch  where Task.isCancelled {
                    return
                } catch {
                    isBehind = true
                    isBlocked = true
                    let delay = backoff.next()
                    logger.warning("changes stay pending, next try in \(delay): \(EMSError(error))")
                    try? await Task.sleep(for: delay)
                }
            }
        }
    }
}

/// The changes this process wrote and has not published yet. All of them are pending in the store as well: what does not fit is found there.
private final class WrittenChanges: Sendable {
    private static let limit = 10_000

    let wakeup = Wakeup()
    private let changes = Mutex<[Change]>([])

    func add(_ change: Change) {
        changes.withLock { if $0.count < Self.limit { $0.append(change) } }
        wakeup.signal()
    }

    func take(_ count: Int) -> [Change] {
        changes.withLock { changes in
            let taken = Array(changes.prefix(count))
            changes.removeFirst(taken.count)
            return taken
        }
    }

    func forget() {
        changes.withLock { $0 = [] }
    }
}
