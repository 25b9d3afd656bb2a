import EMSCore
import NIOConcurrencyHelpers

/// Answers for a request that takes too long: what it waits for goes on by itself, and nobody hears of its end.
enum RequestDeadline {
    /// Runs `body` in a task of its own, at home on `executor`.
    /// - Throws: what it throws; ``EMSError`` with ``ErrorCode/busy`` after `seconds`. The task is canceled then, and with the caller.
    static func run<Value: Sendable>(
        seconds: Int, on executor: (any TaskExecutor)?, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let outcome = Outcome<Value>()
        let task = Task(executorPreference: executor) {
            do {
                outcome.resolve(.success(try await body()))
            } catch {
                outcome.resolve(.failure(error))
            }
        }
        let number = DeadlineWheel.shared.add(seconds: seconds) {
            outcome.resolve(
                .failure(
                    EMSError(
                        .busy, "the request took longer than \(seconds) s, and may still be carried out", fix: "try again in a moment",
                        retryAfter: 1)))
            task.cancel()
        }
        defer { DeadlineWheel.shared.remove(number) }
        return try await withTaskCancellationHandler {
            try await outcome.value()
        } onCancel: {
            task.cancel()
        }
    }

    /// What the first of several says; awaited by one.
    private final class Outcome<Value: Sendable>: Sendable {
        private enum State {
            case open
            case awaited(CheckedContinuation<Value, any Error>)
            case resolved(Result<Value, any Error>)
            case over
        }

        private let state = NIOLockedValueBox(State.open)

        func resolve(_ result: Result<Value, any Error>) {
            let continuation = state.withLockedValue { state -> CheckedContinuation<Value, any Error>? in
                switch state {
                case .open:
                    state = .resolved(result)
                    return nil
                case .awaited(let continuation):
                    state = .over
                    return continuation
                case .resolved, .over: return nil
                }
            }
            continuation?.resume(with: result)
        }

        func value() async throws -> Value {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLockedValue { state -> Result<Value, any Error>? in
                    if case .resolved(let result) = state {
                        state = .over
                        return result
                    }
                    state = .awaited(continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        }
    }
}

/// The deadlines of all requests that are under way, looked at ten times a second by one task: a timer for each would cost more than most
/// requests.
private final class DeadlineWheel: Sendable {
    static let shared = DeadlineWheel()
    private static let tick: Duration = .milliseconds(100)

    private struct State {
        var entries: [Int: (at: ContinuousClock.Instant, fire: @Sendable () -> Void)] = [:]
        var next = 0
        var isTurning = false
    }

    private let state = NIOLockedValueBox(State())

    func add(seconds: Int, _ fire: @escaping @Sendable () -> Void) -> Int {
        let (number, begins) = state.withLockedValue { state in
            state.next &+= 1
            state.entries[state.next] = (.now + .seconds(seconds), fire)
            defer { state.isTurning = true }
            return (state.next, !state.isTurning)
        }
        if begins { Task { await turn() } }
        return number
    }

    func remove(_ number: Int) {
        state.withLockedValue { $0.entries[number] = nil }
    }

    private func turn() async {
        var idleTicks = 0
        while true {
            try? await Task.sleep(for: Self.tick)
            let now = ContinuousClock.now
            let (due, isIdle) = state.withLockedValue { state in
                let due = state.entries.filter { $0.value.at <= now }
                for number in due.keys { state.entries[number] = nil }
                return (due.values.map(\.fire), state.entries.isEmpty)
            }
            for fire in due { fire() }
            idleTicks = isIdle ? idleTicks + 1 : 0
            // Without requests for a second it ends; the next one begins another.
            guard idleTicks >= 10 else { continue }
            let ends = state.withLockedValue { state in
                if state.entries.isEmpty { state.isTurning = false }
                return state.entries.isEmpty
            }
            if ends { return }
        }
    }
}
