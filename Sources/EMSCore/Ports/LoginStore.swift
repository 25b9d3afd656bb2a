/// What is known of the log-ins of each account, shared between all processes: where it logged in from, and how often somebody failed to.
///
/// An account is named by a key, so that a name that nobody has is treated like one that exists.
public protocol LoginStore: Sendable {
    /// Counts an attempt before the password is checked, so that many at once are counted, too. From an address that the account logged in
    /// from before, nothing is counted.
    /// - Returns: whether it may go ahead.
    func begin(_ account: String, from address: String, at now: Timestamp) async throws -> LoginAdmission
    /// Records that the password was right: the failures are forgotten, and the address is known from now on.
    func succeed(_ account: String, from address: String, at now: Timestamp) async throws
    /// - Returns: `nil` if there were no failures lately.
    func failures(of account: String, at now: Timestamp) async throws -> LoginFailures?
    /// Forgets the failures and ends a lock.
    /// - Returns: whether there were any.
    func clear(_ account: String) async throws -> Bool
}

public enum LoginAdmission: Sendable, Equatable {
    case admitted
    /// The account accepts no attempt from unknown addresses before this moment.
    case locked(until: Timestamp)
}

/// The attempts at an account that were not followed by a log-in, from addresses that it never logged in from.
public struct LoginFailures: Sendable, Equatable {
    /// The key that the store knows an account by.
    public static func account(_ user: UserID) -> String { "user:\(user)" }

    public let count: Int
    public let last: Timestamp
    public let lastAddress: String
    /// Before this moment, unknown addresses are refused; in the past if none are.
    public let lockedUntil: Timestamp

    public init(count: Int, last: Timestamp, lastAddress: String, lockedUntil: Timestamp) {
        self.count = count
        self.last = last
        self.lastAddress = lastAddress
        self.lockedUntil = lockedUntil
    }

    /// Whether unknown addresses are refused. A lock that ends later than any does was set by a clock that was ahead, and says nothing.
    public func isLocked(at now: Timestamp) -> Bool {
        // Attempts without a delay lock nothing, also those that another process has counted a moment later than this one began.
        LoginDelay.seconds(after: count) > 0 && lockedUntil > now && lockedUntil <= now.adding(seconds: LoginDelay.longestSeconds)
    }
}

/// How long an account is locked for unknown addresses after failures: not at all at first, then twice as long each time.
public enum LoginDelay {
    /// How many attempts have no consequence.
    public static let freeAttempts = 5
    public static let longestSeconds: Int64 = 15 * 60
    /// After so long without an attempt, failures are forgotten.
    public static let memorySeconds: Int64 = 24 * 3600
    /// How many addresses of an account are remembered, those it used last.
    public static let addressLimit = 64

    /// 0 for the first ``freeAttempts``, then 1 s, 2 s, 4 s… up to ``longestSeconds``.
    public static func seconds(after failures: Int) -> Int64 {
        guard failures > freeAttempts else { return failures == freeAttempts ? 1 : 0 }
        let doublings = min(failures - freeAttempts, 10)
        return min(1 << Int64(doublings), longestSeconds)
    }
}
