import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A line on a terminal that tells how far a long work has come, and is gone when it ends. Elsewhere it says nothing.
final class ProgressLine: Sendable {
    private static let interval: Duration = .milliseconds(100)

    private let isShown = isatty(STDERR_FILENO) == 1
    private let state = Mutex<(last: ContinuousClock.Instant?, started: ContinuousClock.Instant)>((nil, .now))

    /// Shows the text, with the seconds that have passed, a few times a second at most.
    func show(_ text: String) {
        guard isShown else { return }
        let seconds = state.withLock { state -> Int64? in
            if let last = state.last, .now - last < Self.interval { return nil }
            state.last = .now
            return (ContinuousClock.now - state.started).components.seconds
        }
        // To the beginning of the line, the text, and the rest of the line cleared (ECMA-48).
        if let seconds { StandardError.write("\r\(text) (\(seconds) s)\u{1B}[K", newline: false) }
    }

    func end() {
        let wasShown = state.withLock { state in
            defer { state.last = nil }
            return state.last != nil
        }
        if isShown, wasShown { StandardError.write("\r\u{1B}[K", newline: false) }
    }
}
