import EMSCore
import EMSMongoDB
import EMSRabbitMQ
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Drives the stores and the broker for `Benchmarks/servers`, which runs it beside plain C:
///
///     ServerBenchmark prepare MONGODB DATABASE COUNT
///     ServerBenchmark mongo MONGODB DATABASE read|page|insert|bulk CALLERS SECONDS
///     ServerBenchmark rabbit RABBITMQ EXCHANGE QUEUE WINDOW SECONDS
///     ServerBenchmark changes MONGODB DATABASE RABBITMQ EXCHANGE QUEUE COUNT RATE
///
/// `mongo` and `rabbit` print `ops N` for each second. `changes` publishes so many changes (as fast as it can where the rate is 0), waits
/// until all are in the stream of notifications, and prints `rate N` and `latency_ms P50 P95 P99`, from publishing to recording.
@main
enum ServerBenchmark {
    static func main() async {
        do {
            try await run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            say("ServerBenchmark: \(EMSError(error))", to: STDERR_FILENO)
            exit(1)
        }
    }

    /// With the key of the daemon that consumes, where one does.
    private static let signer = MessageSigner {
        let secret = getenv("SECRET_KEY").map { String(cString: $0) } ?? "no daemon consumes what is published here"
        return [Array(secret.utf8)]
    }

    private static func run(_ arguments: [String]) async throws {
        switch (arguments.first, arguments.count) {
        case ("prepare", 4):
            let database = try MongoDatabase(url: arguments[1], name: arguments[2])
            try await database.prepare()
            try await fill(database, try number(arguments[3]))
        case ("mongo", 6):
            let database = try MongoDatabase(url: arguments[1], name: arguments[2])
            try await measureStore(
                database, arguments[3], callers: try number(arguments[4]), seconds: try number(arguments[5]))
        case ("rabbit", 6):
            let broker = try RabbitMQBroker(
                url: arguments[1], topology: Topology(exchange: arguments[2], queue: arguments[3]), signer: signer)
            try await measureBroker(broker, window: try number(arguments[4]), seconds: try number(arguments[5]))
        case ("changes", 8):
            let database = try MongoDatabase(url: arguments[1], name: arguments[2])
            let broker = try RabbitMQBroker(
                url: arguments[3], topology: Topology(exchange: arguments[4], queue: arguments[5]), signer: signer)
            try await sendChanges(broker, database, count: try number(arguments[6]), rate: try number(arguments[7]))
        default: throw EMSError(.usage, "see the head of ServerBenchmark.swift")
        }
    }

    /// A line, at once.
    private static func say(_ line: String, to descriptor: Int32 = STDOUT_FILENO) {
        let bytes = Array((line + "\n").utf8)
        _ = write(descriptor, bytes, bytes.count)
    }

    private static func number(_ text: String) throws -> Int {
        guard let number = Int(text), number >= 0 else { throw EMSError(.usage, "\(text) is no number") }
        return number
    }

    // MARK: Samples

    static func event(_ number: Int) -> Event {
        let now = Timestamp.now()
        return Event(
            title: "Event \(number)",
            description: "An evening with talks, music and food for everybody who likes to meet other people.",
            location: "Town Hall, Main Street 1", startTime: now.adding(seconds: 30 * 86_400),
            endTime: now.adding(seconds: 30 * 86_400 + 7200), createdBy: "operator:bench", tags: ["music", "talks"], createdAt: now)
    }

    static func change(_ event: Event) -> Change {
        .created(event, by: Principal(.operator("bench"), via: ChangeSource(.cli)), at: .now())
    }

    private static func fill(_ database: MongoDatabase, _ count: Int) async throws {
        let transfer = MongoTransfer(database: database)
        for start in stride(from: 0, to: count, by: 1000) {
            try await transfer.put(.events, (start..<min(start + 1000, count)).map { .event(event($0)) })
        }
    }

    // MARK: The store

    private static func measureStore(_ database: MongoDatabase, _ operation: String, callers: Int, seconds: Int) async throws {
        let events = MongoBackend(database: database).stores.events
        let work: @Sendable () async throws -> Int
        switch operation {
        case "read":
            var ids: [EventID] = []
            var cursor: PageCursor?
            repeat {
                let page = try await events.events(EventQuery(page: PageRequest(size: 100, after: cursor)))
                ids += page.events.map(\.id)
                cursor = page.next
            } while cursor != nil && ids.count < 10_000
            let known = ids
            guard !known.isEmpty else { throw EMSError(.notFound, "the database holds no events") }
            work = {
                guard try await events.event(id: known[Int.random(in: 0..<known.count)]) != nil else { throw EMSError(.notFound, "gone") }
                return 1
            }
        case "page":
            work = {
                guard try await events.events(EventQuery(page: PageRequest(size: 10))).events.count == 10 else {
                    throw EMSError(.notFound, "no page")
                }
                return 1
            }
        case "insert":
            work = {
                let event = event(Int.random(in: 0..<1_000_000))
                _ = try await events.insert(event, change: change(event), idempotency: nil)
                return 1
            }
        case "bulk":
            work = {
                let batch = (0..<500).map { number in
                    let event = event(number)
                    return (event: event, change: change(event))
                }
                _ = try await events.insert(batch)
                return batch.count
            }
        default: throw EMSError(.usage, "\(operation) is no operation")
        }
        // The callers are at home where the daemon's requests are.
        try await measure(callers: callers, on: database.executor, seconds: seconds, work)
    }

    private static func measureBroker(_ broker: RabbitMQBroker, window: Int, seconds: Int) async throws {
        let messages = try (0..<window).map { try BrokerMessage(change(event($0))) }
        try await measure(callers: 1, on: globalConcurrentExecutor, seconds: seconds) {
            try await broker.publish(messages)
            return messages.count
        }
        await broker.close()
    }

    private final class Counter: Sendable {
        private let value = Atomic<Int>(0)
        var count: Int { value.load(ordering: .relaxed) }
        func add(_ count: Int) { value.add(count, ordering: .relaxed) }
    }

    /// Runs `work` in so many tasks, a second to warm up and then so many that count, and prints what each second brought.
    private static func measure(
        callers: Int, on executor: any TaskExecutor, seconds: Int, _ work: @escaping @Sendable () async throws -> Int
    ) async throws {
        let done = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<callers {
                group.addTask(executorPreference: executor) {
                    while !Task.isCancelled { done.add(try await work()) }
                }
            }
            group.addTask {
                try await Task.sleep(for: .seconds(1))
                for _ in 0..<seconds {
                    let (before, start) = (done.count, ContinuousClock.now)
                    try await Task.sleep(for: .seconds(1))
                    let elapsed = (ContinuousClock.now - start) / .seconds(1)
                    say("ops \(Int(Double(done.count - before) / elapsed))")
                }
            }
            // The clock ends last of all by itself; the callers, when they are told. A failing caller ends everything.
            while try await group.next() != nil { group.cancelAll() }
        }
    }

    // MARK: The way of a change

    private static func sendChanges(_ broker: RabbitMQBroker, _ database: MongoDatabase, count: Int, rate: Int) async throws {
        let stores = MongoBackend(database: database).stores
        let window = rate == 0 ? 256 : max(1, min(256, rate / 50))
        let origin = try await stores.notifications.latestPosition()
        let start = ContinuousClock.now
        var sent = 0
        while sent < count {
            let batch = try (sent..<min(sent + window, count)).map { try BrokerMessage(change(event($0))) }
            try await broker.publish(batch)
            sent += batch.count
            if sent / 50_000 != (sent - batch.count) / 50_000 { say("done \(sent)") }
            if rate > 0 { try await Task.sleep(until: start + .seconds(Double(sent) / Double(rate)), clock: .continuous) }
            // No more on the way than a queue should hold.
            while try await stores.notifications.latestPosition() - origin < sent - 20_000 { try await Task.sleep(for: .milliseconds(20)) }
        }
        while try await stores.notifications.latestPosition() - origin < count { try await Task.sleep(for: .milliseconds(5)) }
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        say("rate \(Int(Double(count) / elapsed))")
        let latencies = try await latencies(MongoTransfer(database: database), after: origin).sorted()
        guard !latencies.isEmpty else { return }
        func percentile(_ share: Double) -> Int64 { latencies[min(latencies.count - 1, Int(Double(latencies.count) * share))] }
        say("latency_ms \(percentile(0.5)) \(percentile(0.95)) \(percentile(0.99))")
        await broker.close()
    }

    /// Milliseconds from the making of each change to its recording, of up to a hundred thousand.
    private static func latencies(_ transfer: MongoTransfer, after origin: Int64) async throws -> [Int64] {
        let nothing = Notification(kind: .message, actor: "", timestamp: .now())
        var last = StoreRecord.notification(
            RecordedNotification(position: origin, notification: nothing, isForEveryone: true), ordinal: 0, recordedAt: .now())
        var latencies: [Int64] = []
        while latencies.count < 100_000 {
            let records = try await transfer.records(.notifications, after: last, limit: 1000)
            for case .notification(let recorded, _, let recordedAt) in records {
                latencies.append(recordedAt.milliseconds - recorded.notification.timestamp.milliseconds)
            }
            guard let newest = records.last else { break }
            last = newest
        }
        return latencies
    }
}
