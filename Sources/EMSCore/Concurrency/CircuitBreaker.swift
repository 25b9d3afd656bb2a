import Synchronization

/// Keeps requests from a server that does not answer: after some failures in a row, or when all that is under way has been waiting for
/// long, further ones are refused at once. Now and then one is let through, to find out whether the server is back.
///
/// The states are those of M. Nygard, "Release It!" (2007): closed, open, half-open.
public final class CircuitBreaker: Sendable {
    /// The rule by itself, without clock and lock.
    struct State: Equatable {
        /// After so many failures in a row it opens.
        static let failureLimit = 3
        /// How long it stays open before one operation may try again.
        static let pause: Duration = .seconds(1)
        /// For so long nothing may come to its end while operations wait.
        static let patience: Duration = .seconds(2)

        private var failures = 0
        private var isProbing = false
        private var pausedUntil: Duration = .zero
        /// When each operation that is under way began, the earliest first; by number.
        private var running: [Int: Duration] = [:]
        private var lastEnd: Duration = .zero
        private var next = 0

        enum Admission: Equatable {
            case admitted(Int)
            case refused
        }

        /// Whether an operation that begins now would be refused.
        func isOpen(at now: Duration, width: Int) -> Bool {
            if failures >= Self.failureLimit { return now < pausedUntil || isProbing }
            return isStalled(at: now, width: width)
        }

        /// All connections are busy, and none has come to its end for a while.
        private func isStalled(at now: Duration, width: Int) -> Bool {
            guard running.count >= width, let first = running.values.min() else { return false }
            return now - max(first, lastEnd) > Self.patience
        }

        mutating func begin(at now: Duration, width: Int) -> Admission {
            if isOpen(at: now, width: width) { return .refused }
            if failures >= Self.failureLimit { isProbing = true }
            next &+= 1
            running[next] = now
            return .admitted(next)
        }

        /// - Parameter isFailure: whether the server could not be reached.
        mutating func end(_ operation: Int, isFailure: Bool, at now: Duration) {
            running[operation] = nil
            isProbing = false
            if isFailure {
                failures = min(failures + 1, Self.failureLimit)
                pausedUntil = now + Self.pause
            } else {
                failures = 0
                lastEnd = now
            }
        }
    }

    private let state = Mutex(State())
    private let width: Int
    private let subject: String
    private let start = ContinuousClock.now

    /// - Parameters:
    ///   - subject: what is protected, for messages.
    ///   - width: how many operations the server works on at once.
    public init(_ subject: String, width: Int) {
        self.subject = subject
        self.width = width
    }

    private var now: Duration { start.duration(to: .now) }

    /// - Throws: ``EMSError`` with ``ErrorCode/unreachable`` if an operation that begins now would be refused.
    public func check() throws {
        let now = now
        if state.withLock({ $0.isOpen(at: now, width: width) }) { throw refusal }
    }

    /// Runs an operation, unless the server is known not to answer.
    /// - Throws: what it throws; ``EMSError`` with ``ErrorCode/unreachable`` if it was not begun.
    public func run<Value>(_ body: () async throws -> Value) async throws -> Value {
        let begun = now
        guard case .admitted(let operation) = state.withLock({ $0.begin(at: begun, width: width) }) else { throw refusal }
        do {
            let value = try await body()
            end(operation, isFailure: false)
            return value
        } catch {
            end(operation, isFailure: (error as? EMSError)?.code == .unreachable)
            throw error
        }
    }

    private func end(_ operation: Int, isFailure: Bool) {
        let now = now
        state.withLock { $0.end(operation, isFailure: isFailure, at: now) }
    }

    private var refusal: EMSError {
        EMSError(.unreachable, "\(subject) does not answer", fix: "try again in a moment", retryAfter: 1)
    }
}
