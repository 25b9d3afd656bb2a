import Dispatch
import Synchronization
import Testing

@testable import EMSCore

@Suite("The worker pool")
struct WorkerPoolTests {
    /// Counts what runs now, and the most that ever ran at once.
    private final class Gauge: Sendable {
        private let state = Mutex((running: 0, most: 0))

        func enter() {
            state.withLock {
                $0.running += 1
                $0.most = max($0.most, $0.running)
            }
        }

        func leave() { state.withLock { $0.running -= 1 } }

        var most: Int { state.withLock { $0.most } }
    }

    private struct Failure: Error {}

    @Test("What the work returns or throws comes back")
    func results() async throws {
        let pool = WorkerPool(workers: 1, capacity: 1)
        #expect(try await pool.run { 6 * 7 } == 42)
        await #expect(throws: Failure.self) { try await pool.run { throw Failure() } }
        #expect(try await pool.run { "still there" } == "still there")
    }

    @Test("A task that is at home in the pool runs its work on the thread it is on, also where no other is free")
    func atHome() async throws {
        let pool = WorkerPool(workers: 1, capacity: 0)
        try await withTaskExecutorPreference(pool) {
            for number in 0..<100 {
                let result = try await pool.run { number }
                #expect(result == number)
                await Task.yield()
            }
        }
        #expect(try await pool.run { "still there" } == "still there")
    }

    @Test("Tasks that are at home wait for their turn, however many there are")
    func manyAtHome() async throws {
        let pool = WorkerPool(workers: 3, capacity: 0)
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<500 {
                group.addTask(executorPreference: pool) {
                    await Task.yield()
                    return try await pool.run { number }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 499 * 500 / 2)
    }

    @Test("When all workers are busy and the queue is full, further work is refused as busy, and does not run")
    func refusal() async throws {
        let (workers, capacity, attempts) = (2, 3, 12)
        let pool = WorkerPool(workers: workers, capacity: capacity)
        let gate = DispatchSemaphore(value: 0)
        let gauge = Gauge()
        var refused = 0
        var done = 0
        await withTaskGroup(of: ErrorCode?.self) { group in
            for _ in 0..<attempts {
                group.addTask {
                    do {
                        try await pool.run {
                            gauge.enter()
                            // The limit only keeps a broken pool from hanging the tests.
                            _ = gate.wait(timeout: .now() + 20)
                        }
                        return nil
                    } catch {
                        return EMSError(error).code
                    }
                }
            }
            // The gate is closed: all that can come back now are refusals.
            for _ in 0..<(attempts - workers - capacity) {
                if await group.next() == .some(.busy) { refused += 1 }
            }
            for _ in 0..<attempts { gate.signal() }
            for await code in group where code == nil { done += 1 }
        }
        #expect(refused == attempts - workers - capacity)
        #expect(done == workers + capacity)
        #expect(gauge.most == workers + capacity)
    }

    @Test("A refusal says when to try again")
    func retryAfter() async throws {
        let pool = WorkerPool(workers: 0, capacity: 0)
        let error = try await #require(throws: EMSError.self) { try await pool.run {} }
        #expect(error.code == .busy)
        #expect(error.retryAfter != nil)
    }

    @Test("All accepted work runs, once, never more at a time than there are workers", arguments: [1, 3])
    func allRun(workers: Int) async throws {
        let pool = WorkerPool(workers: workers, capacity: 1000)
        let gauge = Gauge()
        let results = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<1000 {
                group.addTask {
                    try await pool.run {
                        gauge.enter()
                        defer { gauge.leave() }
                        return number
                    }
                }
            }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(results.sorted() == Array(0..<1000))
        #expect(gauge.most <= workers)
    }

    @Test("A pool that was full serves again when it is not")
    func recovery() async throws {
        let pool = WorkerPool(workers: 1, capacity: 2)
        for round in 0..<50 {
            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<10 { group.addTask { (try? await pool.run { true }) ?? false } }
                return await group.reduce(into: [Bool]()) { $0.append($1) }
            }
            #expect(outcomes.contains(true))
            #expect(try await pool.run { round } == round)
        }
    }
}
