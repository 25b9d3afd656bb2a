import Logging
import ServiceLifecycle

/// Puts notifications with many recipients into inboxes, some recipients in one write.
///
/// Readers do not wait for it: a recipient whom a notification has not reached yet sees it as if it had arrived (see
/// ``NotificationStore/record(_:taking:)``). After each write others have their turn: it rests for as long as the write took.
public struct AudienceExpander: Service {
    /// How many recipients a notification gets in the write that records it; and in one write afterwards at the most.
    public static let chunkLimit = 1000
    private static let interval: Duration = .seconds(1)
    /// How long it rests at least: another process may be at work on all there is.
    private static let shortestRest: Duration = .milliseconds(20)

    private let store: any NotificationStore
    private let logger: Logger

    public init(stores: Stores, logger: Logger) {
        store = stores.notifications
        self.logger = logger
    }

    /// Expands what there is, and stops at the deadline.
    /// - Returns: whether nothing is left.
    @discardableResult
    public func expand(until deadline: ContinuousClock.Instant? = nil) async throws -> Bool {
        while true {
            let start = ContinuousClock.now
            guard try await store.expandNext() else { return true }
            FaultPoint.reached(.betweenExpansions)
            let end = ContinuousClock.now
            if let deadline, end >= deadline { return false }
            try await Task.sleep(for: max(end - start, Self.shortestRest))
        }
    }

    /// Expands until the daemon stops.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var backoff = Backoff()
            while !Task.isCancelled {
                do {
                    try await expand()
                    backoff.reset()
                    try await Task.sleep(for: Self.interval)
                } catch  where Task.isCancelled {
                    return
                } catch {
                    let delay = backoff.next()
                    logger.warning("notifications with many recipients are waiting, next try in \(delay): \(EMSError(error))")
                    try? await Task.sleep(for: delay)
                }
            }
        }
    }
}
