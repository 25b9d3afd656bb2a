/// Counts attempts, shared between all processes.
public protocol RateLimitStore: Sendable {
    /// Counts an attempt if fewer than `limit` were counted for `key` in the last `window` seconds.
    /// - Returns: whether it was counted, how many more may be, and in how many seconds there will be another one.
    func attempt(_ key: String, limit: Int, window: Int64, at now: Timestamp) async throws -> RateAllowance
}
