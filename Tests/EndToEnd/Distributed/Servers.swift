@testable import EMSMongoDB
import EMSCore
import Foundation
import NIOConcurrencyHelpers
import Testing

/// The servers that `scripts/services run` started for all tests.
enum SharedServers {
    static let mongodb = ProcessInfo.processInfo.environment["EMS_TEST_MONGODB_URL"]
    static let rabbitmq = ProcessInfo.processInfo.environment["EMS_TEST_RABBITMQ_URL"]
    static let scripts = ProcessInfo.processInfo.environment["EMS_TEST_SCRIPTS"]
    static let areHere: Bool = mongodb != nil && rabbitmq != nil && scripts != nil
    static let hint: Comment = "needs MongoDB and RabbitMQ: run the tests with `make test` or `scripts/services run swift test`"
}

/// A server of one test's own, to be killed, stopped and started again.
final class OwnServer: Sendable {
    let port: Int
    private let launch: @Sendable () throws -> ChildProcess
    private let current: Holder

    private actor Holder {
        var process: ChildProcess?
        func set(_ process: ChildProcess?) { self.process = process }
    }

    private init(port: Int, launch: @escaping @Sendable () throws -> ChildProcess) {
        self.port = port
        self.launch = launch
        current = Holder()
    }

    /// A mongod in a folder of the workspace.
    static func mongod(_ workspace: Workspace, replicaSet: Bool = true, _ arguments: [String] = []) async throws -> OwnServer {
        let port = try await freePort(workspace)
        let directory = workspace.path("mongod-\(port)")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let server = OwnServer(port: port) {
            try ChildProcess(
                script("mongod"),
                [
                    "--dbpath", directory, "--port", String(port), "--bind_ip", "127.0.0.1", "--nounixsocket", "--logpath",
                    directory + "/log", "--wiredTigerCacheSizeGB", "0.25", "--wiredTigerEngineConfigString",
                    "log=(prealloc=false,file_max=16MB)", "--setParameter", "diagnosticDataCollectionEnabled=false",
                ] + (replicaSet ? ["--replSet", "rs0"] : []) + arguments,
                environment: environment, directory: directory)
        }
        try await server.start()
        return server
    }

    /// A RabbitMQ node in a folder of the workspace.
    /// - Parameters:
    ///   - starting: whether it runs from the beginning.
    ///   - configuration: a file of more lines for its configuration.
    static func rabbitmq(_ workspace: Workspace, starting: Bool = true, configuration: String? = nil) async throws -> OwnServer {
        let port = try await freePort(workspace)
        let directory = workspace.path("rabbitmq-\(port)")
        let server = OwnServer(port: port) {
            try ChildProcess(
                script("rabbitmq"), [directory, String(port)] + (configuration.map { [$0] } ?? []), environment: environment,
                directory: workspace.directory.path)
        }
        if starting { try await server.start() }
        return server
    }

    /// Makes a replica set of servers, and waits for its primary.
    static func makeReplicaSet(_ servers: [OwnServer], _ workspace: Workspace) async throws {
        let result = try await workspace.run(script("replicaset"), servers.map { String($0.port) })
        try #require(result.status == 0, "\(result.errors)")
    }

    func start() async throws {
        let process = try launch()
        await current.set(process)
        // On a busy machine, Erlang alone needs a minute.
        try await eventually("the server at port \(port) listens", within: .seconds(180)) {
            if !process.running() { throw TimedOut(description: "the server at port \(port) ended") }
            return (try? await RawConnection(port: port)) != nil
        }
    }

    func signal(_ signal: Int32) async { await current.process?.signal(signal) }

    /// Asks it to end, and waits for that.
    func stop() async throws {
        await signal(SIGTERM)
        _ = try await current.process?.wait()
        await current.set(nil)
    }

    /// Kills it without warning.
    func kill() async throws {
        await signal(SIGCONT)
        await signal(SIGKILL)
        _ = try await current.process?.wait()
        await current.set(nil)
    }

    static func freePort(_ workspace: Workspace) async throws -> Int {
        let result = try await workspace.run(script("ports"), ["1"])
        return try #require(Int(result.output.trimmingNewline), "\(result.errors)")
    }

    private static func script(_ name: String) -> String { (SharedServers.scripts ?? "") + "/" + name }

    private static var environment: [String: String] {
        ProcessInfo.processInfo.environment.filter { ["PATH", "HOME", "XDG_CACHE_HOME", "EMS_CACHE_DIR", "TMPDIR"].contains($0.key) }
    }
}

/// A database and queues of one test's own, on servers that are shared or its own.
struct Cluster: Sendable {
    let workspace: Workspace
    private let name: String

    /// - Parameters: the URLs of servers of the test's own, and what else stands in the environment.
    init(mongodb: String? = nil, rabbitmq: String? = nil, environment: [String: String] = [:]) throws {
        name = "ems-e2e-\(ID<Cluster>())"
        let settings = [
            "MONGODB_URL": mongodb ?? SharedServers.mongodb ?? "", "RABBITMQ_URL": rabbitmq ?? SharedServers.rabbitmq ?? "",
            "DB_NAME": name, "EXCHANGE_NAME": name, "QUEUE_NAME": name, "SECRET_KEY": String(repeating: "k", count: 32),
        ]
        workspace = try Workspace(settings.merging(environment) { $1 })
    }

    /// A cluster on the shared servers, with a database that others may have used before.
    static func reusingDatabases(environment: [String: String]) async throws -> Workspace {
        let database = try await DatabasePool.shared.take()
        let cluster = try Cluster(environment: environment.merging(["DB_NAME": database]) { $1 })
        cluster.workspace.whenDone { DatabasePool.shared.giveBack(database) }
        return cluster.workspace
    }

    var queue: String { name }

    /// What the commands store in, to look at it without starting one.
    func database() throws -> MongoDatabase { try MongoDatabase(url: workspace.environment["MONGODB_URL"] ?? "", name: name) }

    func daemon(_ environment: [String: String] = [:], port: Int = 0) async throws -> TestDaemon {
        try await TestDaemon(workspace, port: port, environment: environment)
    }

    /// A user with a token.
    func person(_ name: String, role: String = "user") async throws -> String {
        try await workspace.makeUser(name, role: role)
        return try await workspace.token(of: name)
    }

    /// Waits until nothing is pending and nothing waits, as a daemon tells it.
    func settled(_ daemon: TestDaemon, within limit: Duration = .seconds(60)) async throws {
        var last = ""
        do {
            try await eventually("nothing is left behind", within: limit) {
                guard let answer = try? await HTTPClient(port: daemon.port).get("/readyz") else { return false }
                last = answer.text
                let ready = answer.json
                return ready["status"] == .string("ready") && ready["pending_changes"] == .integer(0)
                    && ready["queued_changes"] == .integer(0)
            }
        } catch let error as TimedOut {
            throw TimedOut(description: "\(error): \(last)\n\(daemon.logText.suffix(2000))")
        }
    }

    /// Expects that a user's inbox holds so many, each once.
    func expectInbox(of user: String, _ count: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        // A message on its way from RabbitMQ to a daemon is counted by neither.
        try? await eventually("all is in the inbox", within: .seconds(60)) { try await workspace.inboxIDs(of: user).count >= count }
        let ids = try await workspace.inboxIDs(of: user)
        #expect(ids.count == count, sourceLocation: sourceLocation)
        #expect(Set(ids).count == count, sourceLocation: sourceLocation)
        let events = try await workspace.output("event", "list", "--all", "-o", "id").split(separator: "\n")
        #expect(Set(events).count == count, "as many events as were accepted", sourceLocation: sourceLocation)
    }
}

/// Databases for one test at a time. Each keeps some fifty files of the server open, also when it is dropped, until a checkpoint: they are
/// emptied and used again.
private final class DatabasePool: Sendable {
    static let shared = DatabasePool()

    private let free = NIOLockedValueBox<[String]>([])

    /// The name of an empty database, or of one that is not there yet.
    func take() async throws -> String {
        guard let name = free.withLockedValue({ $0.popLast() }) else { return "ems-e2e-\(ID<DatabasePool>())" }
        let database = try MongoDatabase(url: SharedServers.mongodb ?? "", name: name)
        try await database.run { connection in
            for collection in Collection.allCases where collection != .meta { try connection.deleteMany(collection) { _ in } }
        }
        return name
    }

    /// The test is over, and so are its daemons.
    func giveBack(_ name: String) {
        free.withLockedValue { $0.append(name) }
    }
}

/// Events created over HTTP, one after another, each repeated under its key until it is accepted.
actor Traffic {
    private let token: String
    private let ports: [Int]
    private let pause: Duration
    private(set) var accepted = 0
    /// Requests that were answered with 503: the store was out of reach.
    private(set) var refused = 0
    private var isOn = true
    private var task: Task<Void, any Error>?

    /// - Parameter pause: between two events.
    init(_ daemons: [TestDaemon], token: String, pause: Duration = .zero) {
        ports = daemons.map(\.port)
        self.token = token
        self.pause = pause
    }

    func start() {
        task = Task { try await run() }
    }

    /// Lets the request that is under way be accepted, and ends.
    /// - Returns: how many events were accepted.
    func stop() async throws -> Int {
        isOn = false
        try await task?.value
        return accepted
    }

    /// Waits until so many more have been accepted.
    nonisolated func more(_ count: Int, within limit: Duration = .seconds(120)) async throws {
        let goal = await accepted + count
        try await eventually("\(count) more events are accepted", within: limit) { await accepted >= goal }
    }

    private func run() async throws {
        var number = 0
        while isOn {
            number += 1
            try await create(number)
            accepted += 1
            if pause > .zero { try await Task.sleep(for: pause) }
        }
    }

    /// Repeats the request, at one daemon after the other, until it is accepted.
    private func create(_ number: Int) async throws {
        let body = Workspace.eventBody("Event \(number)")
        let deadline = ContinuousClock.now + .seconds(180)
        var attempt = number
        while ContinuousClock.now < deadline {
            let client = HTTPClient(port: ports[attempt % ports.count], token: token)
            attempt += 1
            if let answer = try? await client.post("/events", body, headers: ["Idempotency-Key": "event-\(number)"]) {
                if answer.status == 201 { return }
                guard answer.status == 503 else { throw TimedOut(description: "\(answer.status): \(answer.text)") }
                refused += 1
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw TimedOut(description: "event \(number) is not accepted")
    }
}
