import EMSCore
import Testing

/// What a conformance case works on: everything of one adapter, empty.
public struct StoreFixture: Sendable {
    public let stores: Stores
    public let broker: any MessageBroker
    public let feed: any LiveFeed

    public init(stores: Stores, broker: any MessageBroker, feed: any LiveFeed) {
        self.stores = stores
        self.broker = broker
        self.feed = feed
    }
}

/// One behaviour that every adapter of a port must show.
public struct ConformanceCase: Sendable, CustomTestStringConvertible {
    /// The behaviour, as a sentence.
    public let name: String
    /// Checks it on a fixture that nobody else uses.
    public let check: @Sendable (StoreFixture) async throws -> Void

    public init(_ name: String, check: @escaping @Sendable (StoreFixture) async throws -> Void) {
        self.name = name
        self.check = check
    }

    public var testDescription: String { name }
}

/// Expects that `body` fails with an error of this code.
public func expectFailure<Value>(
    _ code: ErrorCode, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Value
) async {
    do {
        _ = try await body()
        Issue.record("nothing was thrown, where \(code) was expected", sourceLocation: sourceLocation)
    } catch {
        #expect((error as? EMSError)?.code == code, "\(error)", sourceLocation: sourceLocation)
    }
}

/// Looks again and again until the condition holds.
/// - Returns: whether it did before the deadline.
public func eventually(within limit: Duration = .seconds(10), _ condition: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}

/// Runs `body` with 0 up to `count` at once.
/// - Returns: what each of them answered, in no particular order.
public func concurrently<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Value
) async -> [Result<Value, any Error>] {
    await withTaskGroup(of: Result<Value, any Error>.self) { group in
        for index in 0..<count {
            group.addTask {
                do {
                    return .success(try await body(index))
                } catch {
                    return .failure(error)
                }
            }
        }
        return await group.reduce(into: []) { $0.append($1) }
    }
}

extension Result where Failure == any Error {
    /// The code of the failure; `nil` where there is none, or it is none of the catalogue's.
    var errorCode: ErrorCode? {
        guard case .failure(let error) = self else { return nil }
        return (error as? EMSError)?.code
    }

    var isSuccess: Bool {
        if case .success = self { true } else { false }
    }
}
