@testable import EMSMongoDB
import EMSCore
import Foundation
import Testing

/// Several daemons and shells on MongoDB and RabbitMQ.
@Suite(.serialized, .gated, .enabled(if: SharedServers.areHere, SharedServers.hint))
struct DistributedTests {
    @Test("What a shell creates reaches the WebSocket clients of both daemons, and every inbox once")
    func twoDaemons() async throws {
        let cluster = try Cluster()
        let token = try await cluster.person("ada")
        let (first, second) = (try await cluster.daemon(), try await cluster.daemon())
        let clients = [
            try await WebSocketClient(port: first.port, token: token), try await WebSocketClient(port: second.port, token: token),
        ]
        for client in clients {
            _ = try await client.next("connection_status")
            try await client.settle()
        }
        for number in 0..<20 { try await cluster.workspace.makeEvent("Event \(number)") }
        for client in clients {
            try await eventually("the client hears of all") { client.notificationIDs.count >= 20 }
            #expect(client.notices == (0..<20).map { "event.created Event \($0)" })
        }
        try await cluster.settled(first)
        try await cluster.expectInbox(of: "ada", 20)
        #expect(try await first.stop() == 0)
        #expect(try await second.stop() == 0)
    }

    @Test("Subscribers on any daemon hear of updates and deletions made through another; others do not")
    func subscriptions() async throws {
        let cluster = try Cluster()
        let (ada, bob) = (try await cluster.person("ada"), try await cluster.person("bob", role: "admin"))
        let (first, second) = (try await cluster.daemon(), try await cluster.daemon())
        let event = try await cluster.workspace.makeEvent("Concert")
        try await cluster.settled(first)
        let subscribed = try await HTTPClient(port: second.port, token: ada).post("/events/subscribe", "{\"event_id\": \"\(event)\"}")
        #expect(subscribed.status == 200, "\(subscribed.text)")
        let (subscriber, stranger) = (
            try await WebSocketClient(port: second.port, token: ada), try await WebSocketClient(port: second.port, token: bob)
        )
        for client in [subscriber, stranger] {
            _ = try await client.next("connection_status")
            try await client.settle()
        }
        let changed = try await HTTPClient(port: first.port, token: bob).patch("/events/\(event)", "{\"description\": \"Moved\"}")
        #expect(changed.status == 200, "\(changed.text)")
        let deleted = try await HTTPClient(port: first.port, token: bob).delete("/events/\(event)")
        #expect(deleted.status == 204, "\(deleted.text)")
        try await eventually("the subscriber hears of both") { subscriber.notices.count >= 2 }
        #expect(subscriber.notices == ["event.updated Concert", "event.deleted Concert"])
        try await stranger.settle()
        #expect(stranger.notices.isEmpty)
        let unread = try await HTTPClient(port: first.port, token: ada).get("/notifications/count")
        #expect(unread.json["count"] == .integer(3))
    }

    @Test("A token that is revoked through one daemon closes the connections at the other")
    func revocation() async throws {
        let cluster = try Cluster()
        let token = try await cluster.person("ada")
        let (first, second) = (try await cluster.daemon(), try await cluster.daemon())
        let client = try await WebSocketClient(port: second.port, token: token)
        _ = try await client.next("connection_status")
        let logout = try await HTTPClient(port: first.port, token: token).post("/auth/logout")
        #expect(logout.status == 204)
        try await eventually("the connection is closed") { client.closeCode == 4003 }
        #expect(try await HTTPClient(port: second.port, token: token).get("/auth/me").status == 401)
    }

    @Test(
        "An import of all or nothing that is ended half way is taken back; what was changed meanwhile stays, and is counted",
        arguments: [false, true])
    func atomicImport(isChangedMeanwhile: Bool) async throws {
        let cluster = try Cluster()
        let workspace = cluster.workspace
        func lines(_ titles: String, _ range: Range<Int>) -> String {
            range.map {
                #"{"title":"\#(titles) \#($0)","external_id":"\#($0)","start_time":"2040-01-01T00:00:00Z","end_time":"2040-01-01T01:00:00Z"}"#
            }.joined(separator: "\n")
        }
        func titles() async throws -> [Substring] {
            try await workspace.output("event", "list", "--all", "--columns", "title", "-o", "csv").split(separator: "\n").dropFirst()
                .sorted()
        }
        try await workspace.output("event", "import", "-", input: lines("Before", 0..<100))
        let before = try await titles()
        #expect(before.count == 100)

        let database = try cluster.database()
        #expect(try await database.run { try $0.recordedCount(.events) } == 100)
        let file = try workspace.file("all.jsonl", lines("After", 0..<20_000))
        let process = try ChildProcess(
            EMSBinary.path, ["event", "import", "--atomic", "--update", file], environment: workspace.environment,
            directory: workspace.directory.path, errors: workspace.file("import.err", ""))
        try await eventually("something is stored") {
            try await database.run { try $0.recordedCount(.events) } > 100 || !process.running()
        }
        if isChangedMeanwhile {
            // The count runs ahead of what can be found.
            try await eventually("one that the import created is changed") {
                try await database.run { connection in
                    try connection.updateOne(
                        .events,
                        where: {
                            $0.member("version", 1)
                            $0.document("title") { $0.member("$lt", "Before") }
                        }, { $0.document("$inc") { $0.member("version", 1) } }
                    ).modified == 1
                }
            }
        }
        process.signal(SIGTERM)
        let ending = try await process.wait()
        let said = try String(contentsOfFile: workspace.path("import.err"), encoding: .utf8)
        guard !isChangedMeanwhile else {
            #expect(ending == .exited(3), "\(said)")
            #expect(said.contains("1 record stored before could not be taken back") && !said.contains("nothing was imported"), "\(said)")
            let after = try await titles()
            #expect(after.count == before.count + 1 && after.filter { $0.hasPrefix("After") }.count == 1)
            return
        }
        #expect(ending == .exited(130) && said.contains("nothing was imported"), "\(said)")
        #expect(try await titles() == before, "\(said)")
        // A daemon may have published what was stored: its deletion is published as well, and nothing stays pending.
        try await workspace.output("broker", "flush")
        let after = try await workspace.outputEMS(["broker", "status", "-o", "json"]).jsonDocument()
        #expect(after["pending_changes"] == .integer(0), "\(after)")
        // It can be done again.
        try await workspace.output("event", "import", "--atomic", "--update", file)
        #expect(try await titles().filter { $0.contains("After") }.count == 20_000)
    }

    @Test("While RabbitMQ is unknown to a command, the change is stored and told, and a later flush publishes it")
    func commandWithoutBroker() async throws {
        let cluster = try Cluster()
        let token = try await cluster.person("ada")
        let result = try await cluster.workspace.ems(
            "event", "create", "--title", "Quiet", "--start", Workspace.future(days: 1), "--end", Workspace.future(days: 2), "-o", "id",
            environment: ["RABBITMQ_URL": "amqp://guest:guest@127.0.0.1:1/"])
        #expect(result.status == 0)
        #expect(result.errors.contains("still pending"))
        #expect(!result.errors.contains("guest"))
        let status = try await cluster.workspace.output("store", "status", "-o", "json")
        #expect(status.contains("\"pending_changes\": 1"))
        let flush = try await cluster.workspace.ems("broker", "flush")
        #expect(flush.status == 0)
        #expect(flush.errors == "published 1\n")
        let again = try await cluster.workspace.ems("broker", "flush")
        #expect(again.status == 0 && again.errors.isEmpty)
        let daemon = try await cluster.daemon()
        try await cluster.settled(daemon)
        #expect(try await HTTPClient(port: daemon.port, token: token).get("/notifications/count").json["count"] == .integer(1))
    }

    @Test("Without a MongoDB there, a command ends with 69, says where it looked, and shows no password")
    func noMongoDB() async throws {
        let cluster = try Cluster(mongodb: "mongodb://ems:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=300")
        for command in [["event", "list"], ["store", "status"], ["store", "migrate"], ["serve", "--port", "0"]] {
            let result = try await cluster.workspace.runEMS(command)
            result.expectFailure(69, saying: "127.0.0.1:1")
            #expect(!result.errors.contains("hunter2"))
            #expect(result.errorLines.count == 1, "\(result.errors)")
        }
    }

    @Test("With MongoDB, a daemon without a signing key ends with 78")
    func noKey() async throws {
        let cluster = try Cluster(environment: ["SECRET_KEY": ""])
        let result = try await cluster.workspace.ems("serve", "--port", "0")
        result.expectFailure(78, saying: "secret_key", "openssl rand")
    }
}
