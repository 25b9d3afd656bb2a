import EMSCore
import NIOConcurrencyHelpers

/// Counts requests by who makes them, in windows of equal length that all begin together. It is this process' own, and costs a look-up:
/// what must hold across daemons (log-ins) is counted by the store.
final class RequestLimiter: Sendable {
    private struct State {
        var window: Int64 = 0
        var counts: [String: Int] = [:]
    }

    private let limit: Int
    private let windowSeconds: Int64
    private let now: @Sendable () -> Timestamp
    private let state = NIOLockedValueBox(State())

    init(limit: Int, windowSeconds: Int64, now: @escaping @Sendable () -> Timestamp = Timestamp.now) {
        self.limit = limit
        self.windowSeconds = windowSeconds
        self.now = now
    }

    /// Counts a request, unless the window has no room for it.
    func count(_ key: String) -> RateAllowance {
        let moment = now().milliseconds
        let length = windowSeconds * 1000
        let window = moment / length
        let made = state.withLockedValue { state in
            // With the window all counts end, so that there are never more than one window's clients.
            if state.window != window { state = State(window: window) }
            let made = state.counts[key, default: 0] + 1
            if made <= limit { state.counts[key] = made }
            return made
        }
        let rest = (window + 1) * length - moment
        return RateAllowance(
            limit: limit, remaining: max(0, limit - made), resetSeconds: Int((rest + 999) / 1000), isGranted: made <= limit)
    }
}
