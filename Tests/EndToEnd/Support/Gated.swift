import NIOConcurrencyHelpers
import Testing

/// Lets few tests run at once, however many the runner starts: each of these brings processes of its own.
struct Gated: SuiteTrait, TestTrait, TestScoping {
    private static let turnstile = Turnstile(width: 4)

    var isRecursive: Bool { true }

    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        // A suite only hands on to its tests.
        guard testCase != nil else { return try await function() }
        await Self.turnstile.enter()
        defer { Self.turnstile.leave() }
        try await function()
    }
}

extension Trait where Self == Gated {
    static var gated: Gated { Gated() }
}

/// As many at once as it is wide; the others wait in order.
private final class Turnstile: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: NIOLockedValueBox<State>

    init(width: Int) {
        state = NIOLockedValueBox(State(free: width))
    }

    func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLockedValue { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLockedValue { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
