import Synchronization

/// The state of a running consumer, for monitoring.
public final class ConsumerProgress: Sendable {
    public struct State: Sendable {
        /// When it last recorded changes; `nil` where it has not yet.
        public var recordedAt: Timestamp?
        /// Since when it has failed; `nil` while it works.
        public var failingSince: Timestamp?
        public var failure: EMSError?
    }

    private let mutex = Mutex(State())

    public var state: State { mutex.withLock { $0 } }

    func recorded(at now: Timestamp = .now()) {
        mutex.withLock { $0 = State(recordedAt: now) }
    }

    func failed(_ error: EMSError, at now: Timestamp = .now()) {
        mutex.withLock {
            $0.failingSince = $0.failingSince ?? now
            $0.failure = error
        }
    }
}
