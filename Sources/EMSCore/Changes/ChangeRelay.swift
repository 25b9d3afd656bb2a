import Logging
import ServiceLifecycle

/// Carries pending changes from the store to the broker: publish, wait for the confirm, clear.
///
/// Any number of relays may run at once, in any number of processes. Two may publish the same change; the consumer knows it by its id.
public struct ChangeRelay: Service {
    /// How many changes one publish carries.
    static let batchSize = 256

    private let outbox: any ChangeOutbox
    private let broker: any MessageBroker
    private let wakeup: Wakeup
    private let sweepInterval: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - wakeup: signalled after every local write.
    ///   - sweepInterval: how often to look for changes that other processes left behind.
    public init(stores: Stores, broker: any MessageBroker, wakeup: Wakeup, sweepInterval: Duration = .seconds(1), logger: Logger) {
        outbox = stores.outbox
        self.broker = broker
        self.wakeup = wakeup
        self.sweepInterval = sweepInterval
        self.logger = logger
    }

    /// Publishes all that is pending now.
    /// - Returns: how many changes the broker confirmed.
    public func flush() async throws -> Int {
        var published = 0
        while true {
            let pending = try await outbox.pendingChanges(limit: Self.batchSize)
            guard !pending.isEmpty else { return published }
            try await broker.publish(pending.map(BrokerMessage.init))
            FaultPoint.reached(.betweenPublishAndClear)
            try await outbox.clearPending(pending.map(\.id))
            published += pending.count
        }
    }

    /// Publishes what is written, as it is written, until the daemon stops; what could not be published is tried again.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var backoff = Backoff()
            while !Task.isCancelled {
                do {
                    _ = try await flush()
                    backoff.reset()
                    await wakeup.wait(upTo: sweepInterval)
                } catch  where Task.isCancelled {
                    return
                } catch {
                    let delay = backoff.next()
                    logger.warning("changes stay pending, next try in \(delay): \(EMSError(error))")
                    try? await Task.sleep(for: delay)
                }
            }
        }
    }
}
