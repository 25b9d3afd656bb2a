/// What is left of a limited number of attempts.
public struct RateAllowance: Sendable, Equatable {
    /// How many a window has.
    public let limit: Int
    public let remaining: Int
    /// In how many seconds there is more, rounded up.
    public let resetSeconds: Int
    /// Whether this attempt was counted; otherwise there was no room for it.
    public let isGranted: Bool

    /// After a look at the attempts of a sliding window.
    /// - Parameters:
    ///   - counted: the moments of the attempts in the window, this one among them where it was granted.
    ///   - window: its length in seconds.
    public init(limit: Int, window: Int64, counted: [Timestamp], isGranted: Bool, at now: Timestamp) {
        // The one that must leave the window before there is room for another.
        let oldest = counted.sorted().suffix(limit).first ?? now
        let wait = oldest.adding(seconds: window).milliseconds - now.milliseconds
        self.init(
            limit: limit, remaining: max(0, limit - counted.count), resetSeconds: max(1, Int((wait + 999) / 1000)), isGranted: isGranted)
    }

    public init(limit: Int, remaining: Int, resetSeconds: Int, isGranted: Bool) {
        self.limit = limit
        self.remaining = remaining
        self.resetSeconds = resetSeconds
        self.isGranted = isGranted
    }
}
