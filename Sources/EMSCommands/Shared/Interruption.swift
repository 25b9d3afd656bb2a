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

    private typealias Handler = @convention(c) (Int32) -> Void

    private struct Open {
        var count = 0
        /// What the signals did before: a process that ignores them (nohup) does so again.
        var former: [Int32: Handler] = [:]
    }

    /// How many there are: the last one that ends gives the signals back.
    private static let open = Mutex(Open())

    private let state = State()
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    /// - Parameters:
    ///   - endsProcess: whether the second one ends the process.
    ///   - requested: called at each.
    init(endsProcess: Bool = KeptRuntime.current == nil, requested: @escaping @Sendable () -> Void = {}) {
        Self.open.withLock { open in
            // The default would end the process before the source hears of it.
            if open.count == 0 { for number in Self.signals { open.former[number] = signal(number, SIG_IGN) } }
            open.count += 1
        }
        sources = Self.signals.map { DispatchSource.makeSignalSource(signal: $0, queue: .global()) }
        for source in sources {
            source.setEventHandler { [state] in
                let count = state.count.add(1, ordering: .relaxed).newValue
                if endsProcess, count > 1 { CommandLineMain.leave(ErrorCode.interrupted.exitStatus) }
                requested()
            }
            source.activate()
        }
    }

    /// Whether somebody asked for the end; also where the task was cancelled.
    var isRequested: Bool { state.count.load(ordering: .relaxed) > 0 || Task.isCancelled }

    func end() {
        for source in sources { source.cancel() }
        Self.open.withLock { open in
            open.count -= 1
            if open.count == 0 { for (number, handler) in open.former { signal(number, handler) } }
        }
    }

    private static let signals = [SIGINT, SIGTERM]
}
