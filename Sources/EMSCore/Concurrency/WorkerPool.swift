import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A few threads of their own for work that would block others, with a bounded queue in front.
///
/// A task may also prefer the pool as its executor (SE-0417): its work then runs here as a whole, and ``run(_:)`` within it without a hop
/// to another thread and back, each of which costs more than a short look-up.
///
/// No thread exists before the first piece of work, and one that has had none for a while ends. A thread that runs out of work looks for
/// more a few times before it sleeps: what is woken costs the system more than most pieces of work.
public final class WorkerPool: Sendable {
    private typealias Job = @Sendable () -> Void

    /// How often a thread that has run out of work lets others run, and looks again.
    private static let looks = 8
    /// How long a thread sleeps before it ends.
    private static let idleSeconds = 10

    /// A thread that waits for its next piece of work.
    private final class Worker: Sendable {
        let wakeup = DispatchSemaphore(value: 0)
        let job = Mutex<Job?>(nil)

        func give(_ job: @escaping Job) {
            self.job.withLock { $0 = job }
            wakeup.signal()
        }

        /// - Returns: `nil` where none came in time.
        func next() -> Job? {
            for _ in 0..<WorkerPool.looks {
                if wakeup.wait(timeout: .now()) == .success { return take() }
                sched_yield()
            }
            guard wakeup.wait(timeout: .now() + .seconds(WorkerPool.idleSeconds)) == .success else { return nil }
            return take()
        }

        func take() -> Job? {
            job.withLock { job in
                defer { job = nil }
                return job
            }
        }
    }

    private struct State {
        /// The one that ran out of work last comes first: it may not sleep yet.
        var idle: [Worker] = []
        var threads = 0
        var waiting: [Job] = []
        var firstWaiting = 0
    }

    private enum Decision {
        case give(Worker)
        case start
        case wait
        case refuse
    }

    private let state = Mutex(State())
    private let workers: Int
    private let capacity: Int

    /// - Parameters:
    ///   - workers: how many pieces of work run at once.
    ///   - capacity: how many may wait for their turn.
    public init(workers: Int, capacity: Int) {
        self.workers = workers
        self.capacity = capacity
    }

    /// Runs `work` on one of the pool's threads: on this one, where the task is at home here.
    /// - Throws: ``EMSError`` with ``ErrorCode/busy`` where the queue is full; nothing runs then. Otherwise what `work` throws.
    public func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        if withUnsafeCurrentTask(body: { $0?.unownedTaskExecutor }) == asUnownedTaskExecutor() { return try work() }
        return try await withCheckedThrowingContinuation { continuation in
            let isTaken = submit(upTo: capacity) { continuation.resume(with: Result(catching: work)) }
            if !isTaken {
                continuation.resume(
                    throwing: EMSError(.busy, "too many requests of this kind are waiting", fix: "try again in a moment", retryAfter: 1))
            }
        }
    }

    /// - Returns: `false` where so many wait already; the job is not run then.
    private func submit(upTo capacity: Int, _ job: @escaping Job) -> Bool {
        let decision = state.withLock { state -> Decision in
            if let worker = state.idle.popLast() { return .give(worker) }
            if state.threads < workers {
                state.threads += 1
                return .start
            }
            guard state.waiting.count - state.firstWaiting < capacity else { return .refuse }
            state.waiting.append(job)
            return .wait
        }
        switch decision {
        case .give(let worker): worker.give(job)
        case .start: return startThread(with: job) || postpone(job, upTo: capacity)
        case .wait: break
        case .refuse: return false
        }
        return true
    }

    /// The system gives no thread: one that is there does the job later.
    /// - Returns: `false` where there is none, or so many jobs wait already.
    private func postpone(_ job: @escaping Job, upTo capacity: Int) -> Bool {
        let decision = state.withLock { state -> Decision in
            state.threads -= 1
            if let worker = state.idle.popLast() { return .give(worker) }
            guard state.threads > 0, state.waiting.count - state.firstWaiting < capacity else { return .refuse }
            state.waiting.append(job)
            return .wait
        }
        if case .give(let worker) = decision { worker.give(job) }
        if case .refuse = decision { return false }
        return true
    }

    /// - Returns: `false` where the system gives no thread.
    private func startThread(with job: @escaping Job) -> Bool {
        let start = Unmanaged.passRetained(Start { self.work(job) })
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, .init(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                let argument: UnsafeMutableRawPointer? = argument
                if let argument { Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, start.toOpaque())
        if status != 0 { start.release() }
        return status == 0
    }

    /// What a thread is to do.
    private final class Start: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    private func work(_ first: @escaping Job) {
        let worker = Worker()
        var job: Job? = first
        while let current = job {
            job = nil
            current()
            job = nextWaiting(orIdle: worker) ?? worker.next() ?? retire(worker)
        }
    }

    /// What waits longest; where nothing does, the worker is idle from now on.
    private func nextWaiting(orIdle worker: Worker) -> Job? {
        state.withLock { state in
            guard state.firstWaiting < state.waiting.count else {
                state.waiting.removeAll(keepingCapacity: true)
                state.firstWaiting = 0
                state.idle.append(worker)
                return nil
            }
            let next = state.waiting[state.firstWaiting]
            state.firstWaiting += 1
            // What has run is let go of now and then, so that a queue that never runs dry does not grow.
            if state.firstWaiting > 1024, state.firstWaiting * 2 > state.waiting.count {
                state.waiting.removeFirst(state.firstWaiting)
                state.firstWaiting = 0
            }
            return next
        }
    }

    /// Takes a worker off that has had nothing to do. Where it was given something at the last moment, that is done.
    private func retire(_ worker: Worker) -> Job? {
        let isGone = state.withLock { state in
            guard let index = state.idle.firstIndex(where: { $0 === worker }) else { return false }
            state.idle.remove(at: index)
            state.threads -= 1
            return true
        }
        if isGone { return nil }
        worker.wakeup.wait()
        return worker.take()
    }
}

extension WorkerPool: TaskExecutor {
    /// A running task cannot be refused: it waits in the queue without a limit. If the pool has no thread at all, it runs on this one.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isTaken = submit(upTo: .max) { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        if !isTaken { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
