import StoreConformance
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
