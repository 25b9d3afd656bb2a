import EMSCore
import Foundation
import NIOConcurrencyHelpers
import Testing

/// What one process does, the others see.
@Suite("Across processes", .gated)
struct AcrossProcessesTests {
    @Test("An event created in a shell reaches the WebSocket of a daemon")
    func shellToWebSocket() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let client = try await ada.connected()
        let (start, end) = (Workspace.future(days: 1), Workspace.future(days: 2))
        let created = try await stage.workspace.shell("ems event create --title 'From a shell 🎉' --start \(start) --end \(end) -o id")
        #expect(created.status == 0, "\(created.errors)")
        let notification = try await client.next("notification")
        #expect(notification["notification_type"] == .string("event.created"))
        #expect(notification["event"]?["id"] == .string(created.output.trimmingNewline))
        #expect(notification["event"]?["title"] == .string("From a shell 🎉"))
        let inbox = try await ada.inbox()
        #expect(inbox.map(\.notice) == ["event.created From a shell 🎉"])
    }

    @Test("What HTTP created the shell sees, and what the shell changes HTTP sees")
    func sameData() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A")
        let listed = try await stage.workspace.output("event", "list", "-o", "id")
        #expect(listed.trimmingNewline == id)
        try await stage.workspace.output("event", "update", id, "--title", "B")
        let event = try await ada.http.get("/events/\(id)").json
        #expect(event["title"] == .string("B"))
        #expect(event["version"] == .integer(2))
        try await stage.workspace.output("event", "delete", id, "--yes")
        expectProblem(try await ada.http.get("/events/\(id)"), 404)
        try await eventually("all three are told") { try await ada.inbox().count == 3 }
        #expect(try await ada.inbox().map(\.notice) == ["event.deleted B", "event.updated B", "event.created A"])
    }

    @Test("Three daemons, each with a part, do together what one does")
    func roles() async throws {
        let workspace = try Workspace()
        let auth = try await TestDaemon(workspace, ["--role", "auth"])
        let events = try await TestDaemon(workspace, ["--role", "events"])
        let notifications = try await TestDaemon(workspace, ["--role", "notifications"])

        // On the first: register and log in.
        let registered = try await HTTPClient(port: auth.port).post("/auth/register", Stage.registration("ada"))
        #expect(registered.status == 201)
        let granted = try await HTTPClient(port: auth.port).post("/auth/login", Stage.credentials("ada"))
        let token = try #require(granted.json["access_token"]?.string)

        // On the third: connect. On the second: create. On the third: subscribe, and hear of the update.
        let client = try await WebSocketClient(port: notifications.port, token: token)
        let status = try await client.next()
        #expect(status["type"] == .string("connection_status"))
        let http = HTTPClient(port: events.port, token: token)
        let created = try await http.post("/api/events", Workspace.eventBody("Tech Conference"))
        #expect(created.status == 201)
        let id = try #require(created.json["event_id"]?.string)
        #expect(try await client.next("notification").notice == "event.created Tech Conference")
        try await client.send("{\"action\": \"subscribe\", \"event_id\": \"\(id)\"}")
        let update = try await client.next("subscription_update")
        #expect(update["status"] == .string("subscribed"))
        #expect(try await http.put("/api/events/\(id)", Workspace.eventBody("Moved")).status == 200)
        #expect(try await client.next("notification").notice == "event.rescheduled Moved")
        let count = try await HTTPClient(port: notifications.port, token: token).get("/notifications/count")
        #expect(count.json["count"] == .integer(2))

        // What another does is not here.
        let elsewhere = [
            (auth.port, ["/events", "/api/events", "/notifications", "/notifications/count", "/ws/ws"]),
            (events.port, ["/auth/me", "/users", "/notifications", "/api/notifications", "/ws/ws"]),
            (notifications.port, ["/auth/me", "/users", "/events", "/api/events", "/events/subscriptions"]),
        ]
        for (port, paths) in elsewhere {
            for path in paths {
                expectProblem(try await HTTPClient(port: port, token: token).get(path), 404)
            }
            #expect(try await HTTPClient(port: port).get("/healthz").status == 200)
        }

        // Logged out on the first, the connection to the third ends.
        #expect(try await HTTPClient(port: auth.port, token: token).post("/auth/logout").status == 204)
        expectProblem(try await http.get("/events"), 401)
        #expect(try await client.closed() == 4003)
        for daemon in [auth, events, notifications] { #expect(try await daemon.stop() == 0) }
    }

    @Test("A WebSocket is not to be had from a daemon without notifications", arguments: ["auth", "events"])
    func noWebSocket(role: String) async throws {
        let stage = try await Stage(["--role", role])
        let connection = try await RawConnection(port: stage.daemon.port)
        try await connection.askForWebSocket()
        #expect(try await connection.answer().status == 404)
    }

    @Test("A daemon may have two parts of three")
    func twoRoles() async throws {
        let stage = try await Stage(["--role", "auth", "--role", "notifications"])
        let ada = try await stage.person("ada")
        #expect(try await ada.http.get("/notifications").status == 200)
        expectProblem(try await ada.http.get("/events"), 404)
        let client = try await ada.connected()
        try await stage.workspace.makeEvent("From a shell")
        #expect(try await client.next("notification").notice == "event.created From a shell")
    }

    @Test("A watcher in a shell sees what HTTP creates")
    func watching() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let workspace = stage.workspace
        let isDone = NIOLockedValueBox(false)
        let watcher = Task {
            defer { isDone.withLockedValue { $0 = true } }
            return try await workspace.ems("notify", "watch", "--user", "ada", "--count", "2", "--timeout", "20s", "-o", "jsonl")
        }
        // Nobody knows when the watcher begins to look: one creates until it has seen enough.
        var titles: [String] = []
        while !isDone.withLockedValue({ $0 }) {
            titles.append("Event \(titles.count)")
            _ = try await ada.create("Event \(titles.count - 1)")
        }
        let result = try await watcher.value
        #expect(result.status == 0, "\(result.errors)")
        let lines = try result.output.split(separator: "\n").map { try JSONParser.parse(String($0)) }
        #expect(lines.count == 2)
        let seen = lines.compactMap { $0["event"]?["title"]?.string }
        let first = try #require(titles.firstIndex(of: seen.first ?? ""))
        #expect(Array(titles.dropFirst(first).prefix(2)) == seen)
    }

    @Test("A watcher that sees too little in its time fails")
    func watchingInVain() async throws {
        let workspace = try Workspace()
        let result = try await workspace.ems("notify", "watch", "--count", "1", "--timeout", "1s")
        #expect(result.status == 1)
        #expect(result.output.isEmpty)
    }

    @Test("With two daemons the clients of each get everything, once and in the same order")
    func twoDaemons() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let second = try await TestDaemon(stage.workspace)
        let here = try await ada.connected()
        let there = try await WebSocketClient(port: second.port, token: bob.token)
        _ = try await there.next("connection_status")
        let elsewhere = HTTPClient(port: second.port, token: bob.token)
        for number in 1...10 {
            _ = try await ada.create("Here \(number)")
            let created = try await elsewhere.post("/events", Workspace.eventBody("There \(number)"))
            #expect(created.status == 201)
        }
        try await stage.workspace.makeEvent("Shell")
        for client in [here, there] {
            try await eventually("all is told") { client.notices.count >= 21 }
        }
        #expect(here.notices == there.notices)
        #expect(here.notificationIDs == there.notificationIDs)
        #expect(Set(here.notificationIDs).count == 21)

        // Subscribed at one daemon, told by the other.
        let id = try await ada.create("Subscribed")
        let subscribed = try await elsewhere.post("/events/subscribe", "{\"event_id\": \"\(id)\"}")
        #expect(subscribed.status == 200)
        try await ada.change(id)
        try await eventually("the update is told") { there.notices.last == "event.updated Subscribed" }
        try await second.stop()
    }

    @Test("A client of one daemon catches up at another")
    func catchingUpElsewhere() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let client = try await ada.connected()
        _ = try await ada.create("A")
        _ = try await client.next("notification")
        let since = try #require(client.notificationIDs.last)
        try await stage.daemon.crash()
        try await stage.workspace.makeEvent("B")
        let second = try await TestDaemon(stage.workspace)
        let again = try await WebSocketClient(port: second.port, token: ada.token, since: since)
        let status = try await again.next()
        #expect(status["recovered"] == .bool(true))
        #expect(try await again.next("notification").notice == "event.created B")
        #expect(again.notificationIDs.count == 1)
        try await second.stop()
    }
}
