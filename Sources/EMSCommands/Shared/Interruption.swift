import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Ctrl-C (and SIGTERM) while something long goes on: noted, so that it can stop where nothing is half done. The second one ends the
/// process at once.
final class Interruption: Sendable {
    private final class State: Sendable {
        let count = Atomic<Int>(0)
    }

    private let state = State()
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    init() {
        sources = [SIGINT, SIGTERM].map { number in
            // The default would end the process before the source hears of it.
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: .global())
        }
        for source in sources {
            source.setEventHandler { [state] in
                if state.count.add(1, ordering: .relaxed).newValue > 1 { exit(ErrorStatus.interrupted) }
            }
            source.activate()
        }
    }

    /// Whether somebody asked for the end; also where the task was cancelled.
    var isRequested: Bool { state.count.load(ordering: .relaxed) > 0 || Task.isCancelled }

    func end() {
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
}

/// The status of a process that was interrupted.
private enum ErrorStatus {
    static let interrupted: Int32 = 130
}
