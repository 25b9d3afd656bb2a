import EMSCore
import Foundation
import Testing

/// From one machine to many, and back.
@Suite(.serialized, .gated, .enabled(if: SharedServers.areHere, SharedServers.hint))
struct StoreCopyTests {
    @Test("A store that is copied to MongoDB and back is the same in every kind, and every count and inbox reads as before")
    func thereAndBack() async throws {
        let workspace = try Workspace()
        try await Self.fill(workspace)
        let cluster = try Cluster()
        let before = try await Self.inboxes(workspace)

        let there = try await Self.copy(cluster, from: workspace.databasePath, to: "env:TARGET")
        #expect(there.allSatisfy { $0["equal"] == .bool(true) })
        let counts = there.map { "\($0["kind"]?.string ?? ""): \($0["source_count"]?.integer ?? -1)" }
        #expect(counts.contains("users: 3") && counts.contains("events: 12") && counts.contains("subscriptions: 1"), "\(counts)")
        #expect(there.allSatisfy { $0["copied"] == $0["source_count"] })
        #expect(try await Self.inboxes(cluster.workspace) == before)

        let again = try await Self.copy(cluster, from: workspace.databasePath, to: "env:TARGET")
        #expect(again.allSatisfy { $0["copied"] == .integer(0) && $0["equal"] == .bool(true) })

        let returned = try Workspace()
        let back = try await Self.copy(cluster, from: "env:TARGET", to: "sqlite:" + returned.databasePath)
        #expect(back.map { $0["source_checksum"] } == there.map { $0["source_checksum"] })
        #expect(back.allSatisfy { $0["equal"] == .bool(true) })
        #expect(try await Self.inboxes(returned) == before)

        // Life goes on in the copies: what comes next is counted on from there.
        try await returned.makeEvent("Later")
        for name in ["ada", "bob", "eve"] {
            let unread = try await returned.output("notify", "count", "--user", name)
            #expect(unread != before["\(name) unread"])
        }
        let daemon = try await cluster.daemon()
        try await cluster.workspace.makeEvent("Later")
        try await cluster.settled(daemon)
        // The two went on by themselves, with ids of their own for the last one: the counts are alike.
        let (here, thither) = (try await Self.inboxes(returned), try await Self.inboxes(cluster.workspace))
        for name in ["ada", "bob", "eve"] { #expect(here["\(name) unread"] == thither["\(name) unread"]) }
        // The journal came along, and goes on as well.
        for workspace in [returned, cluster.workspace] { try await workspace.output("audit", "verify") }
        #expect(try await cluster.workspace.output("audit", "list", "--action", "created", "--subject", "user", "-o", "id").count > 3)
    }

    @Test("A copy that was killed goes on where it ended")
    func resumed() async throws {
        let workspace = try Workspace()
        let lines = (0..<3000).map { number in
            """
            {"title": "Event \(number)", "description": "", "location": "", "start_time": "\(Workspace.future(days: 10))", "end_time": "\(Workspace.future(days: 11))"}
            """
        }
        try await workspace.output("event", "import", "-", input: lines.joined(separator: "\n"))
        let cluster = try Cluster()
        try await cluster.workspace.output("store", "migrate")
        let process = try ChildProcess(
            EMSBinary.path, ["store", "copy", "--from", workspace.databasePath, "--to", "env:TARGET"],
            environment: cluster.workspace.environment.merging(["TARGET": Self.target(cluster)]) { $1 },
            directory: cluster.workspace.directory.path)
        try await eventually("the copy has begun") {
            let status = try await cluster.workspace.outputEMS(["store", "status", "-o", "json"]).jsonDocument()
            return (status["events"]?.integer ?? 0) > 0 || !process.running()
        }
        process.signal(SIGKILL)
        _ = try await process.wait()
        let rest = try await Self.copy(cluster, from: workspace.databasePath, to: "env:TARGET")
        #expect(rest.allSatisfy { $0["equal"] == .bool(true) })
        let events = try #require(rest.first { $0["kind"] == .string("events") })
        #expect(events["target_count"] == .integer(3000))
        #expect((events["copied"]?.integer ?? 3000) < 3000)
    }

    @Test("A dry run writes nothing; a target that holds something else is told; a password in an argument is refused")
    func refusals() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let cluster = try Cluster()
        let rehearsal = try await Self.copy(cluster, from: workspace.databasePath, to: "env:TARGET", ["--dry-run"])
        #expect(rehearsal.first?["copied"] == .integer(1))
        #expect(rehearsal.first?["target_count"] == .integer(0))
        try await cluster.workspace.makeUser("bob")
        let mixed = try await Self.run(cluster, from: workspace.databasePath, to: "env:TARGET")
        #expect(mixed.status == 3, "\(mixed.errors)")
        #expect(mixed.errors.contains("differ in users"))
        let password = try await Self.run(cluster, from: workspace.databasePath, to: "mongodb://ems:hunter2@127.0.0.1/ems")
        password.expectFailure(64, saying: "env:")
        #expect(!password.errors.contains("hunter2"))
        let missing = try await Self.run(cluster, from: workspace.path("nothing.db"), to: "env:TARGET")
        missing.expectFailure(66, saying: "nothing.db")
        let kind = try await Self.run(cluster, from: "postgres://host/ems", to: "env:TARGET")
        kind.expectFailure(64, saying: "postgres")
    }

    // MARK: Shared

    /// Three users, twelve events, updates, a deletion, subscriptions; things read one by one, all at once, and not at all; old ones gone.
    private static func fill(_ workspace: Workspace) async throws {
        for name in ["ada", "bob"] { try await workspace.makeUser(name) }
        var events: [String] = []
        for number in 0..<6 { events.append(try await workspace.makeEvent("Early \(number)")) }
        let daemon = try await TestDaemon(workspace)
        let ada = HTTPClient(port: daemon.port, token: try await workspace.token(of: "ada"))
        for event in events[..<2] { _ = try await ada.post("/events/subscribe", "{\"event_id\": \"\(event)\"}") }
        try await workspace.makeUser("eve")
        for number in 6..<13 { events.append(try await workspace.makeEvent("Zoë’s “party” \(number)")) }
        for event in events[..<2] { try await workspace.output("event", "update", event, "--title", "Changed") }
        try await workspace.output("event", "delete", events[0], "--yes")
        try await workspace.output("notify", "send", "Just for you", "--to", "bob", "--to", "eve")
        try await workspace.output("notify", "read-all", "--user", "bob")
        for id in try await workspace.inboxIDs(of: "ada").prefix(3) { try await workspace.output("notify", "read", id, "--user", "ada") }
        try await workspace.makeEvent("Canceled")
        _ = try await ada.post(
            "/events", Workspace.eventBody("With a key"), headers: ["Idempotency-Key": "only once"])
        try await workspace.output("event", "delete", events[12], "--yes")
        try await eventually("all is delivered") {
            try await HTTPClient(port: daemon.port).get("/readyz").json["pending_changes"] == .integer(0)
        }
        _ = try await daemon.stop()
        try await workspace.output("broker", "flush")
        try await workspace.output("event", "delete", events[11], "--yes")
    }

    /// What each user sees: the whole inbox with what is read, and the unread count.
    private static func inboxes(_ workspace: Workspace) async throws -> [String: String] {
        var inboxes: [String: String] = [:]
        for name in ["ada", "bob", "eve"] {
            inboxes[name] = try await workspace.output("notify", "list", "--user", name, "--all", "-o", "csv")
            inboxes["\(name) unread"] = try await workspace.output("notify", "count", "--user", name)
        }
        return inboxes
    }

    private static func target(_ cluster: Cluster) -> String { cluster.workspace.environment["MONGODB_URL"] ?? "" }

    private static func run(
        _ cluster: Cluster, from: String, to: String, _ more: [String] = []
    ) async throws -> CommandResult {
        try await cluster.workspace.runEMS(
            ["store", "copy", "--from", from, "--to", to, "-o", "json"] + more, environment: ["TARGET": target(cluster)])
    }

    private static func copy(_ cluster: Cluster, from: String, to: String, _ more: [String] = []) async throws -> [JSONValue] {
        let result = try await run(cluster, from: from, to: to, more)
        guard result.status == 0 else { throw CommandFailed(arguments: ["store", "copy"], result: result) }
        return try result.jsonDocument().arrayItems
    }
}
