import EMSCore
import Foundation
import Testing

/// Nothing is lost and nothing is seen twice, whoever dies.
@Suite(.serialized, .gated)
struct CrashTests {
    @Test("2,000 events from two shells and HTTP, with the daemon killed five times: each inbox and a resuming client see each once")
    func killedWhileWriting() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.makeUser("bob")
        let token = try await workspace.token(of: "ada")
        let port = try await TestDaemon(workspace).port  // ends here; its port is free again
        let supervisor = Supervisor(workspace, port: port)
        try await supervisor.start()
        let listener = ResumingListener(port: port, token: token)
        let listening = Task { await listener.run() }
        try await eventually("the client listens") { await listener.isReady }

        try await withThrowingTaskGroup(of: Void.self) { group in
            for shell in 1...2 {
                group.addTask {
                    for batch in 0..<12 { try await Self.createFromShell(workspace, "shell \(shell) batch \(batch)", count: 50) }
                }
            }
            group.addTask { try await Self.createOverHTTP(port: port, token: token, count: 800) }
            group.addTask {
                for _ in 0..<5 {
                    let before = try await Self.eventCount(workspace)
                    try await eventually("more events are written", within: .seconds(120)) {
                        try await Self.eventCount(workspace) >= min(before + 250, 1900)
                    }
                    try await supervisor.killAndRestart()
                }
            }
            try await group.waitForAll()
        }

        let events = try await Self.eventCount(workspace)
        #expect(events == 2000)
        try await eventually("all changes are delivered", within: .seconds(60)) {
            try await workspace.inboxIDs(of: "bob").count >= 2000
        }
        for name in ["ada", "bob"] {
            let ids = try await workspace.inboxIDs(of: name)
            #expect(ids.count == 2000)
            #expect(Set(ids).count == 2000)
        }
        let inbox = Set(try await workspace.inboxIDs(of: "ada"))
        try? await eventually("the client has caught up", within: .seconds(60)) { await listener.seen.count >= 2000 }
        listening.cancel()
        let seen = await listener.seen
        #expect(seen.count == 2000)
        #expect(Set(seen) == inbox)
        #expect(await listener.connections >= 6)
        #expect(await listener.unrecovered == 0)
        #expect(try await supervisor.stop() == 0)
    }

    @Test(
        "Events, subscriptions, deletions and restorations, with the daemon killed four times and the inbox at rest for a while: all adds up"
    )
    func everything() async throws {
        let workspace = try Workspace()
        let port = try await TestDaemon(workspace).port  // ends here; its port is free again
        let supervisor = Supervisor(workspace, port: port)
        try await supervisor.start()
        let drill = try await Drill(workspace, ports: [port])
        try await drill.run(rounds: 30) {
            for round in 0..<4 {
                if round == 1 { try await workspace.ems("broker", "pause", "inbox").expectDone() }
                try await Task.sleep(for: .seconds(1))
                try await supervisor.killAndRestart()
                if round == 2 { try await workspace.ems("broker", "resume", "inbox").expectDone() }
            }
        }
        try await drill.expectAllIsWell()
        #expect(try await supervisor.stop() == 0)
    }

    @Test("A daemon whose clock jumps back an hour, and forward again, loses nothing and shows nothing twice")
    func clock() async throws {
        let workspace = try Workspace()
        let clock = try FakeClock(workspace)
        let daemon = try await TestDaemon(workspace, environment: clock.environment())
        let drill = try await Drill(workspace, ports: [daemon.port], clock: FakeClock.longLived())
        try await drill.run(rounds: 30) { try await Self.jump(clock) }
        try await drill.expectAllIsWell()
        #expect(try await daemon.stop() == 0)
    }

    /// Backwards and forwards, so that what was written before seems to come from the time ahead.
    static func jump(_ clock: FakeClock) async throws {
        for offset in ["-1h", "+0", "-61m", "+5m", "+0"] {
            try await Task.sleep(for: .milliseconds(700))
            try clock.set(offset)
        }
    }

    #if DEBUG
    @Test(
        "A command killed between two steps of a change's way loses nothing and shows nothing twice",
        arguments: ["between-write-and-publish", "between-receive-and-record", "between-record-and-acknowledge"])
    func killedBetweenSteps(point: String) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let daemon = try await TestDaemon(workspace)
        let client = try await WebSocketClient(port: daemon.port, token: try await workspace.token(of: "ada"))
        _ = try await client.next("connection_status")
        let result = try await workspace.ems(
            "event", "create", "--title", "Cut short", "--start", Workspace.future(days: 1), "--end", Workspace.future(days: 2),
            environment: ["EMS_FAULT_POINT": point])
        let reachedPoint = result.wasKilled && result.status == SIGKILL
        // The daemon may have consumed the message before the command came to its third point.
        #expect(reachedPoint || point == "between-record-and-acknowledge")
        try await eventually("the change arrives") { client.notificationIDs.count == 1 }
        try await eventually("nothing is left behind") {
            let ready = try await HTTPClient(port: daemon.port).get("/readyz").json
            return ready["pending_changes"] == .integer(0) && ready["queued_changes"] == .integer(0)
        }
        #expect(try await workspace.inboxIDs(of: "ada") == client.notificationIDs)
        #expect(client.notificationIDs.count == 1)
    }

    @Test(
        "A daemon killed between two steps of a change's way loses nothing and shows nothing twice",
        arguments: ["between-write-and-publish", "between-receive-and-record", "between-record-and-acknowledge"])
    func daemonKilledBetweenSteps(point: String) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let token = try await workspace.token(of: "ada")
        let doomed = try await TestDaemon(workspace, environment: ["EMS_FAULT_POINT": point])
        _ = try? await HTTPClient(port: doomed.port, token: token).post("/events", Workspace.eventBody("Cut short"))
        #expect(try await doomed.ended() == SIGKILL)
        let next = try await TestDaemon(workspace)
        let client = HTTPClient(port: next.port, token: token)
        try await eventually("the change arrives") { try await client.get("/notifications/count").json["count"] == .integer(1) }
        try await eventually("nothing is left behind") {
            let ready = try await client.get("/readyz").json
            return ready["pending_changes"] == .integer(0) && ready["queued_changes"] == .integer(0)
        }
        #expect(try await workspace.inboxIDs(of: "ada").count == 1)
        #expect(try await client.get("/events").json["total"] == .integer(1))
    }

    @Test("A daemon killed on the way into the inboxes of many: each sees the update from the beginning, and has it once in the end")
    func killedWhileExpanding() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let token = try await workspace.token(of: "ada")
        let doomed = try await TestDaemon(workspace, environment: ["EMS_FAULT_POINT": "between-expansions"])
        let created = try await HTTPClient(port: doomed.port, token: token).post("/events", Workspace.eventBody("Crowded"))
        let event = try #require(created.json["event_id"]?.string)
        let crowd = 2000
        try await workspace.makeCrowd(crowd, subscribedTo: event)
        _ = try? await HTTPClient(port: doomed.port, token: token).patch("/events/\(event)", #"{"title": "More crowded"}"#)
        #expect(try await doomed.ended() == SIGKILL)
        func status() async throws -> JSONValue? {
            try await workspace.outputEMS(["broker", "status", "-o", "json"]).jsonDocument()["expanding_notifications"]
        }
        #expect(try await status() == .integer(1))
        func expectOne(_ number: Int) async throws {
            #expect(try await workspace.output("notify", "count", "--user", "user\(number)", "-o", "id") == "1\n", "user \(number)")
            #expect(try await workspace.inboxIDs(of: "user\(number)").count == 1, "user \(number)")
        }
        for number in [1, 1000, 1001, crowd] { try await expectOne(number) }
        let next = try await TestDaemon(workspace)
        try await eventually("all have it", within: .seconds(60)) { try await status() == .integer(0) }
        for number in [1, 1000, 1001, crowd] { try await expectOne(number) }
        try await eventually("the metrics tell it") {
            try await HTTPClient(port: next.port, token: token).get("/metrics").text.contains("ems_expanding_notifications 0")
        }
        try await workspace.sqlite(
            "SELECT CASE count(*) WHEN \(crowd + 1) THEN 0 ELSE json('not one each') END FROM inbox_entries")
    }
    #endif

    private static func eventCount(_ workspace: Workspace) async throws -> Int {
        try await workspace.output("event", "list", "--all", "-o", "id").split(separator: "\n").count
    }

    private static func createFromShell(_ workspace: Workspace, _ title: String, count: Int) async throws {
        let result = try await workspace.shell(
            """
            for i in $(seq \(count)); do
                ems event create --title "\(title) $i" --start \(Workspace.future(days: 1)) --end \(Workspace.future(days: 2)) -o id || exit 1
            done
            """)
        guard result.status == 0 else { throw CommandFailed(arguments: ["event", "create"], result: result) }
    }

    /// Each request is repeated under its key until the daemon, which is killed now and then, has answered it.
    private static func createOverHTTP(port: Int, token: String, count: Int) async throws {
        let client = HTTPClient(port: port, token: token)
        for number in 0..<count {
            let body = Workspace.eventBody("HTTP \(number)")
            try await eventually("the request is answered", within: .seconds(60)) {
                let answer = try? await client.post("/events", body, headers: ["Idempotency-Key": "event-\(number)"])
                guard let answer else { return false }
                guard answer.status == 201 else { throw TimedOut(description: "\(answer.status): \(answer.text)") }
                return true
            }
        }
    }
}

/// Keeps a daemon running on one port.
private actor Supervisor {
    private let workspace: Workspace
    private let port: Int
    private var daemon: TestDaemon?

    init(_ workspace: Workspace, port: Int) {
        self.workspace = workspace
        self.port = port
    }

    func start() async throws {
        daemon = try await TestDaemon(workspace, port: port)
    }

    func killAndRestart() async throws {
        try await daemon?.crash()
        try await start()
    }

    func stop() async throws -> Int32? {
        try await daemon?.stop()
    }
}

/// A client that comes back with `since` whenever its connection breaks.
private actor ResumingListener {
    private let port: Int
    private let token: String
    private(set) var seen: [String] = []
    private(set) var connections = 0
    private(set) var isReady = false
    /// Reconnections whose gap the server could not close.
    private(set) var unrecovered = 0

    init(port: Int, token: String) {
        self.port = port
        self.token = token
    }

    func run() async {
        while !Task.isCancelled {
            guard let client = try? await WebSocketClient(port: port, token: token, since: seen.last) else {
                try? await Task.sleep(for: .milliseconds(20))
                continue
            }
            connections += 1
            while !Task.isCancelled, let message = try? await client.next(within: .seconds(120)) {
                switch message["type"]?.string {
                case "connection_status":
                    isReady = true
                    if !seen.isEmpty, message["recovered"] != .bool(true) { unrecovered += 1 }
                case "notification":
                    if let id = message["notification_id"]?.string { seen.append(id) }
                default: break
                }
            }
        }
    }
}
