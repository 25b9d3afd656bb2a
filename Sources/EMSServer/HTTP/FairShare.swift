import EMSCore
import NIOConcurrencyHelpers

/// Lets each user have only so many expensive requests under way at once: further ones of the same user wait for their turn, those of
/// others do not.
final class FairShare: Sendable {
    private struct Queue {
        var running = 0
        var waiting: [(number: Int, continuation: CheckedContinuation<Void, any Error>)] = []
    }

    private struct State {
        var queues: [String: Queue] = [:]
        var next = 0
        /// Canceled before they began to wait.
        var canceled: Set<Int> = []
    }

    private let width: Int
    private let waitingLimit: Int
    private let state = NIOLockedValueBox(State())

    /// - Parameters:
    ///   - width: how many of one user may run at once.
    ///   - waitingLimit: how many of one user may wait.
    init(width: Int, waitingLimit: Int) {
        self.width = width
        self.waitingLimit = waitingLimit
    }

    /// - Throws: ``EMSError`` with ``ErrorCode/busy`` if too many wait already; `CancellationError` if the task is canceled while it waits.
    func run<Value>(_ user: String, _ body: () async throws -> Value) async throws -> Value {
        try await enter(user)
        defer { leave(user) }
        return try await body()
    }

    private func enter(_ user: String) async throws {
        let number = state.withLockedValue { state -> Int? in
            if state.queues[user, default: Queue()].running < width {
                state.queues[user, default: Queue()].running += 1
                return nil
            }
            state.next &+= 1
            return state.next
        }
        guard let number else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let refusal = state.withLockedValue { state -> (any Error)? in
                    if state.canceled.remove(number) != nil { return CancellationError() }
                    var queue = state.queues[user, default: Queue()]
                    if queue.running < width {
                        queue.running += 1
                        state.queues[user] = queue
                        continuation.resume()
                        return nil
                    }
                    guard queue.waiting.count < waitingLimit else {
                        return EMSError(
                            .busy, "too many requests of this kind are under way for this user", fix: "try again in a moment", retryAfter: 1
                        )
                    }
                    queue.waiting.append((number, continuation))
                    state.queues[user] = queue
                    return nil
                }
                if let refusal { continuation.resume(throwing: refusal) }
            }
        } onCancel: {
            let continuation = state.withLockedValue { state -> CheckedContinuation<Void, any Error>? in
                guard let index = state.queues[user]?.waiting.firstIndex(where: { $0.number == number }) else {
                    state.canceled.insert(number)
                    return nil
                }
                return state.queues[user]?.waiting.remove(at: index).continuation
            }
            continuation?.resume(throwing: CancellationError())
        }
        // Canceled after it got its turn: the mark is of no use.
        state.withLockedValue { _ = $0.canceled.remove(number) }
    }

    private func leave(_ user: String) {
        let next = state.withLockedValue { state -> CheckedContinuation<Void, any Error>? in
            guard var queue = state.queues[user] else { return nil }
            defer { state.queues[user] = queue.running == 0 ? nil : queue }
            // Whoever waited longest takes over the place.
            if !queue.waiting.isEmpty { return queue.waiting.removeFirst().continuation }
            queue.running -= 1
            return nil
        }
        next?.resume()
    }
}
