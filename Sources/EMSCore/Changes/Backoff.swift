/// Growing pauses between tries, with jitter so that many processes do not try in step ("full jitter" over a floor:
/// M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
public struct Backoff: Sendable {
    private let floor: Duration = .milliseconds(50)
    private let ceiling: Duration = .seconds(5)
    private var attempt = 0

    public init() {}

    /// How long to wait before the next try.
    public mutating func next() -> Duration {
        let bound = min(ceiling, floor * (1 << min(attempt, 10)))
        attempt += 1
        return floor + (bound - floor) * Double.random(in: 0...1)
    }

    /// A try succeeded.
    public mutating func reset() { attempt = 0 }
}
