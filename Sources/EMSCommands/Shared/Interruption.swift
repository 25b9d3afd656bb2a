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
    private typealias Handler = @convention(c) (Int32) -> Void

    private struct Open {
        var interruptions: [ObjectIdentifier: Interruption] = [:]
        /// What the signals did before: a process that ignores them (nohup) does so again. The default, which ends the process, is `nil`.
        var former: [(number: Int32, handler: Handler?)] = []
        var source: (any DispatchSourceRead)?
    }

    /// A pipe that the signals' handler writes into, as little else is safe there: both ends. A dispatch source for a signal would hear it
    /// once in the life of a process only (libdispatch, on Linux).
    private static let wakeup: (reading: Int32, writing: Int32) = {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return (-1, -1) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        return (ends[0], ends[1])
    }()

    private static let signals = [SIGINT, SIGTERM]
    private static let open = Mutex(Open())

    private let count = Atomic<Int>(0)
    private let endsProcess: Bool
    private let requested: @Sendable () -> Void

    /// - Parameters:
    ///   - endsProcess: whether the second one ends the process.
    ///   - requested: called at each.
    init(endsProcess: Bool = KeptRuntime.current == nil, requested: @escaping @Sendable () -> Void = {}) {
        self.endsProcess = endsProcess
        self.requested = requested
        Self.open.withLock { open in
            if open.source == nil { open.source = Self.listen() }
            if open.interruptions.isEmpty {
                open.former = Self.signals.map { number in
                    let handler = signal(number) { _ in
                        let error = errno
                        _ = write(Interruption.wakeup.writing, "!", 1)
                        errno = error
                    }
                    return (number, handler)
                }
            }
            open.interruptions[ObjectIdentifier(self)] = self
        }
    }

    /// Whether the end was requested; also where the task was cancelled.
    var isRequested: Bool { count.load(ordering: .relaxed) > 0 || Task.isCancelled }

    func end() {
        Self.open.withLock { open in
            open.interruptions[ObjectIdentifier(self)] = nil
            if open.interruptions.isEmpty { for (number, handler) in open.former { signal(number, handler) } }
        }
    }

    private static func listen() -> (any DispatchSourceRead)? {
        guard wakeup.reading >= 0 else { return nil }
        let source = DispatchSource.makeReadSource(fileDescriptor: wakeup.reading, queue: .global())
        source.setEventHandler {
            var bytes: (UInt64, UInt64) = (0, 0)
            let count = read(wakeup.reading, &bytes, MemoryLayout.size(ofValue: bytes))
            guard count > 0 else { return }
            // What they do may end them.
            let interruptions = open.withLock { Array($0.interruptions.values) }
            for interruption in interruptions { for _ in 0..<count { interruption.heard() } }
        }
        source.activate()
        return source
    }

    private func heard() {
        let count = count.add(1, ordering: .relaxed).newValue
        if endsProcess, count > 1 { CommandLineMain.leave(ErrorCode.interrupted.exitStatus) }
        requested()
    }
}
