import Dispatch
import Synchronization

/// A few threads of their own for work that would block others, with a bounded queue in front.
///
/// Each worker is a private serial dispatch queue, which gets a thread of its own whatever else the process does. No thread exists
/// before the first piece of work.
public final class WorkerPool: Sendable {
    private struct State {
        var idle: [DispatchQueue]
        var waiting: [@Sendable () -> Void] = []
        var firstWaiting = 0
    }

    private enum Decision {
        case start(DispatchQueue)
        case wait
        case refuse
    }

    private let state: Mutex<State>
    private let capacity: Int

    /// - Parameters:
    ///   - workers: how many pieces of work run at once.
    ///   - capacity: how many may wait for their turn.
    public init(label: String, workers: Int, capacity: Int) {
        self.capacity = capacity
        state = Mutex(State(idle: (0..<workers).map { DispatchQueue(label: "\(label).\($0)") }))
    }

    /// Runs `work` on one of the pool's threads.
    /// - Throws: ``EMSError`` with ``ErrorCode/busy`` where the queue is full; nothing runs then. Otherwise what `work` throws.
    public func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let job: @Sendable () -> Void = { continuation.resume(with: Result(catching: work)) }
            let decision = state.withLock { state -> Decision in
                if let worker = state.idle.popLast() { return .start(worker) }
                guard state.waiting.count - state.firstWaiting < capacity else { return .refuse }
                state.waiting.append(job)
                return .wait
            }
            switch decision {
            case .start(let worker): start(job, on: worker)
            case .wait: break
            case .refuse:
                continuation.resume(
                    throwing: EMSError(.busy, "too many requests of this kind are waiting", fix: "try again in a moment", retryAfter: 1))
            }
        }
    }

    private func start(_ job: @escaping @Sendable () -> Void, on worker: DispatchQueue) {
        worker.async { [self] in
            job()
            let next = state.withLock { state -> (@Sendable () -> Void)? in
                guard state.firstWaiting < state.waiting.count else {
                    state.waiting.removeAll(keepingCapacity: true)
                    state.firstWaiting = 0
                    state.idle.append(worker)
                    return nil
                }
                let next = state.waiting[state.firstWaiting]
                state.firstWaiting += 1
                // What has run is let go of now and then, so that a queue that never runs dry does not grow.
                if state.firstWaiting > capacity {
                    state.waiting.removeFirst(state.firstWaiting)
                    state.firstWaiting = 0
                }
                return next
            }
            if let next { start(next, on: worker) }
        }
    }
}
