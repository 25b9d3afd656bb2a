import Dispatch
import EMSCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Ctrl-C (and SIGTERM) while something long goes on: noted, so that it can stop where nothing is half done. Outside of a shell the second
/// one ends the process at once.
final class Interruption: Sendable {
    private final class State: Sendable {
        let count = Atomic<Int>(0)
    }

    /// How many there are: the last one that ends gives the signals back.
    private static let open = Mutex(0)

    private let state = State()
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    /// - Parameters:
    ///   - endsProcess: whether the second one ends the process.
    ///   - requested: called at each.
    init(endsProcess: Bool = KeptRuntime.current == nil, requested: @escaping @Sendable () -> Void = {}) {
        Self.open.withLock { count in
            // The default would end the process before the source hears of it.
            if count == 0 { for number in Self.signals { signal(number, SIG_IGN) } }
            count += 1
        }
        sources = Self.signals.map { DispatchSource.makeSignalSource(signal: $0, queue: .global()) }
        for source in sources {
            source.setEventHandler { [state] in
                let count = state.count.add(1, ordering: .relaxed).newValue
                if endsProcess, count > 1 { exit(ErrorCode.interrupted.exitStatus) }
                requested()
            }
            source.activate()
        }
    }

    /// Whether somebody asked for the end; also where the task was cancelled.
    var isRequested: Bool { state.count.load(ordering: .relaxed) > 0 || Task.isCancelled }

    func end() {
        for source in sources { source.cancel() }
        Self.open.withLock { count in
            count -= 1
            if count == 0 { for number in Self.signals { signal(number, SIG_DFL) } }
        }
    }

    private static let signals = [SIGINT, SIGTERM]
}
