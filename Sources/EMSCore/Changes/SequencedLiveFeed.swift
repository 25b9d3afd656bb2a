import Logging
import Synchronization

/// A live feed over an exchange that promises nothing: announcements that come in order are passed on as they come; for a gap, and once
/// a second for what was not announced at all, the tail of the stream is read from the store.
public struct SequencedLiveFeed: LiveFeed {
    static let batchSize = 500

    private let store: any NotificationStore
    private let exchange: any LiveExchange
    private let interval: Duration
    private let logger: Logger

    public init(store: any NotificationStore, exchange: any LiveExchange, interval: Duration = .seconds(1), logger: Logger) {
        self.store = store
        self.exchange = exchange
        self.interval = interval
        self.logger = logger
    }

    /// What cannot be announced is found by the daemons' next look at the store: it is stored, and no reason to fail.
    public func announce(_ notifications: [RecordedNotification]) async throws {
        do {
            try await exchange.announce(notifications)
        } catch {
            logger.debug("notifications are not announced, and found a little later: \(EMSError(error))")
        }
    }

    public func notifications() async throws -> AsyncStream<[RecordedNotification]> {
        // In this order: what is recorded after the look is announced to who listens already, or lies in the tail.
        let announcements = await exchange.announcements()
        let start = try await store.latestPosition()
        return AsyncStream { continuation in
            let inbox = Inbox()
            let listening = Task {
                for await announced in announcements { inbox.put(announced) }
            }
            let telling = Task {
                await tell(after: start, inbox) { continuation.yield($0) }
                continuation.finish()
            }
            continuation.onTermination = { _ in
                listening.cancel()
                telling.cancel()
            }
        }
    }

    /// What was announced and not looked at yet.
    private final class Inbox: Sendable {
        let wakeup = Wakeup()
        private let announced = Mutex<[RecordedNotification]>([])

        func put(_ notifications: [RecordedNotification]) {
            announced.withLock { $0 += notifications }
            wakeup.signal()
        }

        func take() -> [RecordedNotification] {
            announced.withLock { announced in
                defer { announced = [] }
                return announced
            }
        }
    }

    private func tell(after start: Int64, _ inbox: Inbox, _ yield: ([RecordedNotification]) -> Void) async {
        var sequence = LiveSequence(after: start)
        var nextLook = ContinuousClock.now + interval
        while !Task.isCancelled {
            let announced = inbox.take()
            let (told, hasGap) = sequence.heard(announced)
            if !told.isEmpty { yield(told) }
            if hasGap || ContinuousClock.now >= nextLook {
                nextLook = .now + interval
                let tail = await read(after: sequence.position)
                if tail.end > sequence.position {
                    sequence.read(through: tail.end)
                    if !tail.notifications.isEmpty { yield(tail.notifications) }
                    // What was announced beyond a full batch is read by the next look, which comes at once.
                    if tail.notifications.count == Self.batchSize { nextLook = .now }
                    continue
                }
            }
            await inbox.wakeup.wait(upTo: interval)
        }
    }

    /// What cannot be read now is read at the next look, from the same position: nothing is skipped.
    private func read(after position: Int64) async -> NotificationTail {
        do {
            return try await store.tail(after: position, limit: Self.batchSize)
        } catch {
            logger.debug("live notifications wait for the store: \(EMSError(error))")
            return NotificationTail(notifications: [], end: position)
        }
    }
}
