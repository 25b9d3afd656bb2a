/// Counts attempts, shared between all processes.
public protocol RateLimitStore: Sendable {
    /// Counts an attempt if fewer than `limit` were counted for `key` in the last `window` seconds.
    /// - Returns: `nil` where it was counted; otherwise in how many seconds the next one may be (rounded up).
    func attempt(_ key: String, limit: Int, window: Int64, at now: Timestamp) async throws -> Int?
}
