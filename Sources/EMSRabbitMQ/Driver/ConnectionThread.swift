import EMSCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The thread a connection lives on, as the executor of an actor: the actor's work runs here, and between two pieces of it the thread
/// waits for the socket and for more work, whichever comes first.
///
/// The thread ends after ``stop()``, which the actor calls when it goes: no work can come after that.
final class ConnectionThread: SerialExecutor, @unchecked Sendable {
    // Sendable because `jobs` is locked, `descriptors` is not changed after init, and `watched` is only touched on the thread.

    /// How often the connection is looked after when nothing happens: for heartbeats and time-outs.
    private static let tickMilliseconds: Int32 = 500

    private struct Jobs {
        var waiting: [UnownedJob] = []
        var isStopped = false
    }

    private let jobs = Mutex(Jobs())
    /// A pipe that wakes the thread: read end, write end.
    private let descriptors: (read: Int32, write: Int32)
    private let thread = Mutex<pthread_t?>(nil)
    private var watched: (descriptor: Int32, onReady: () -> Void)?

    /// A thread that runs.
    /// - Throws: ``EMSError`` with ``ErrorCode/busy`` where the system gives no thread or no descriptors.
    static func started() throws -> ConnectionThread {
        let thread = try ConnectionThread()
        try thread.start()
        return thread
    }

    private init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw EMSError(.busy, "the process has no file descriptors left", fix: "raise the limit: ulimit -n, or LimitNOFILE of systemd")
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        descriptors = (ends[0], ends[1])
    }

    deinit {
        close(descriptors.read)
        close(descriptors.write)
    }

    /// Begins to run what was and will be enqueued.
    private func start() throws {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let executor = Unmanaged<ConnectionThread>.fromOpaque(argument).takeRetainedValue()
                executor.thread.withLock { $0 = pthread_self() }
                executor.loop()
                return nil
            }, box.toOpaque())
        guard status == 0 else {
            box.release()
            throw EMSError(.busy, "the system gives no more threads", fix: "raise the limit: ulimit -u, or TasksMax of systemd")
        }
        pthread_detach(thread)
    }

    /// Lets the thread end.
    func stop() {
        jobs.withLock { $0.isStopped = true }
        wake()
    }

    // MARK: Executor

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst = jobs.withLock { jobs in
            jobs.waiting.append(job)
            return jobs.waiting.count == 1
        }
        if isFirst { wake() }
    }

    func isSameExclusiveExecutionContext(other: ConnectionThread) -> Bool { self === other }

    func checkIsolated() {
        precondition(isIsolatingCurrentContext() == true, "not on the connection's thread")
    }

    func isIsolatingCurrentContext() -> Bool? {
        thread.withLock { $0.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    // MARK: On the thread

    /// Calls `onReady` whenever the socket can be read, and now and then otherwise. To be called on the thread.
    func watch(_ descriptor: Int32, onReady: @escaping () -> Void) {
        watched = (descriptor, onReady)
    }

    func unwatch() {
        watched = nil
    }

    private func loop() {
        while true {
            let (ready, isStopped) = jobs.withLock { jobs in
                defer { jobs.waiting.removeAll(keepingCapacity: true) }
                return (jobs.waiting, jobs.isStopped)
            }
            for job in ready { job.runSynchronously(on: asUnownedSerialExecutor()) }
            // What the work made the server say may lie in the library's buffer by now, where no poll sees it.
            watched?.onReady()
            if !ready.isEmpty { continue }
            if isStopped { return }
            wait()
        }
    }

    private func wait() {
        var polled = [pollfd(fd: descriptors.read, events: Int16(POLLIN), revents: 0)]
        if let watched { polled.append(pollfd(fd: watched.descriptor, events: Int16(POLLIN), revents: 0)) }
        _ = poll(&polled, nfds_t(polled.count), watched == nil ? -1 : Self.tickMilliseconds)
        if polled[0].revents != 0 {
            var bytes: (UInt64, UInt64) = (0, 0)
            while read(descriptors.read, &bytes, MemoryLayout.size(ofValue: bytes)) > 0 {}
        }
    }

    private func wake() {
        var byte: UInt8 = 1
        // A full pipe wakes as well.
        _ = write(descriptors.write, &byte, 1)
    }
}
