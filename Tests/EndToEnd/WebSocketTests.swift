import EMSCore
import Foundation
import Testing

/// Live notifications, over WebSockets.
@Suite("WebSockets", .gated)
struct WebSocketTests {
    private static let unknown = "0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"

    // MARK: Who gets in

    enum Entrance: String, CaseIterable, Sendable {
        case authorization, protocols, protocolsWithoutSpace, query

        func path(_ token: String) -> String { self == .query ? "/ws/ws?token=\(token)" : "/ws/ws" }

        func headers(_ token: String) -> [String] {
            switch self {
            case .authorization: ["Authorization: Bearer \(token)"]
            case .protocols: ["Sec-WebSocket-Protocol: bearer, \(token)"]
            case .protocolsWithoutSpace: ["Sec-WebSocket-Protocol: bearer,\(token)"]
            case .query: []
            }
        }

        var offersProtocol: Bool { self == .protocols || self == .protocolsWithoutSpace }
    }

    @Test("The token may stand in Authorization, among the protocols or in the query", arguments: Entrance.allCases)
    func tokens(_ entrance: Entrance) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let connection = try await RawConnection(port: stage.daemon.port)
        try await connection.askForWebSocket(entrance.path(ada.token), headers: entrance.headers(ada.token))
        let answer = try await connection.answer()
        #expect(answer.status == 101)
        #expect(answer.header("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(answer.header("Sec-WebSocket-Protocol") == (entrance.offersProtocol ? "bearer" : nil))
        try await eventually("the server says who one is") { !connection.frames.isEmpty }
        let status = try JSONParser.parse(connection.frames.first?.text ?? "")
        #expect(status["type"] == .string("connection_status"))
        #expect(status["user_id"] == .string(ada.id))
    }

    @Test("Without a token one is refused with 401", arguments: ["/ws", "/ws/ws", "/api/ws", "/api/ws/ws"])
    func noToken(path: String) async throws {
        let stage = try await Stage()
        let connection = try await RawConnection(port: stage.daemon.port)
        try await connection.askForWebSocket(path)
        let answer = try await connection.answer()
        #expect(answer.status == 401)
        #expect(answer.header("Content-Type") == "application/problem+json")
        #expect(answer.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
    }

    @Test("With a bad token one is refused with 401, wherever it stands", arguments: Entrance.allCases)
    func badToken(_ entrance: Entrance) async throws {
        let stage = try await Stage()
        let connection = try await RawConnection(port: stage.daemon.port)
        try await connection.askForWebSocket(entrance.path("bad.bad.bad"), headers: entrance.headers("bad.bad.bad"))
        let answer = try await connection.answer()
        #expect(answer.status == 401)
        #expect(answer.header("Content-Type") == "application/problem+json")
        #expect(answer.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
    }

    @Test("A token whose session has ended gets nobody in")
    func deadToken() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        #expect(try await ada.http.post("/auth/logout").status == 204)
        let connection = try await RawConnection(port: stage.daemon.port)
        try await connection.askForWebSocket(headers: ["Authorization: Bearer \(ada.token)"])
        #expect(try await connection.answer().status == 401)
    }

    @Test("Where there is no WebSocket the answer is 404", arguments: ["/nothing", "/ws/other", "/api/nothing", "/wsx"])
    func wrongPath(path: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let connection = try await RawConnection(port: stage.daemon.port)
        try await connection.askForWebSocket(path, headers: ["Authorization: Bearer \(ada.token)"])
        let answer = try await connection.answer()
        #expect(answer.status == 404)
        #expect(answer.header("Content-Type") == "application/problem+json")
    }

    @Test("A plain request to a WebSocket's path is told what is there")
    func plainRequest() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        expectProblem(try await stage.http.get("/ws/ws"), 401)
        expectProblem(try await ada.http.get("/ws/ws"), 426)
        expectProblem(try await ada.http.post("/ws", "{}"), 405)
    }

    @Test(
        "The first message says who is connected, when, and that nothing was replayed",
        arguments: ["/ws", "/ws/ws", "/api/ws", "/api/ws/ws"])
    func connectionStatus(path: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let client = try await WebSocketClient(port: stage.daemon.port, path: path, token: ada.token)
        let status = try await client.next()
        #expect(status["type"] == .string("connection_status"))
        #expect(status["user_id"] == .string(ada.id))
        #expect(status["recovered"] == .bool(false))
        #expect(status["timestamp"]?.string.flatMap { Timestamp($0) } != nil)
        try await client.settle()
        #expect(client.messages.count == 2)
    }

    // MARK: Requests

    @Test("A ping is answered with a pong")
    func ping() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let client = try await ada.connected()
        try await client.send("{\"action\": \"ping\"}")
        let pong = try await client.next("pong")
        #expect(pong["timestamp"]?.string.flatMap { Timestamp($0) } != nil)
    }

    @Test("Subscribing and unsubscribing are confirmed, and seen over HTTP")
    func subscribing() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A")
        let client = try await ada.connected()
        for (action, status) in [("subscribe", "subscribed"), ("subscribe", "subscribed"), ("unsubscribe", "unsubscribed")] {
            try await client.send("{\"action\": \"\(action)\", \"event_id\": \"\(id)\"}")
            let update = try await client.next("subscription_update")
            #expect(update["event_id"] == .string(id))
            #expect(update["status"] == .string(status))
            let listed = try await ada.http.get("/events/subscriptions").json["subscriptions"]?.elements ?? []
            #expect(listed.count == (status == "subscribed" ? 1 : 0))
        }
        let trail = try await stage.workspace.outputEMS(["audit", "list", "--subject", "subscription", "-o", "json"]).jsonDocument()
        #expect(trail.elements.map { $0["action"] } == ["deleted", "created"])
        for entry in trail.elements {
            #expect(entry["source"]?["kind"] == "ws" && entry["source"]?["address"] == "127.0.0.1")
            #expect(entry["actor"]?["name"] == "ada")
        }
    }

    @Test("A notification is marked as read over the WebSocket")
    func markRead() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let client = try await ada.connected()
        _ = try await ada.create("A")
        let notification = try await client.next("notification")
        let id = try #require(notification["notification_id"]?.string)
        #expect(try await ada.unreadCount() == 1)
        try await client.send("{\"action\": \"mark_read\", \"notification_id\": \"\(id)\"}")
        try await client.settle()
        #expect(try await ada.unreadCount() == 0)
        #expect(!client.messages.contains { $0["type"] == .string("error") })
    }

    @Test(
        "What cannot be done is answered with an error, and the connection lives on",
        arguments: [
            "{\"action\": \"dance\"}", "not JSON", "", "{}", "[]", "null", "5", "{\"action\": 5}", "{\"action\": \"subscribe\"}",
            "{\"action\": \"subscribe\", \"event_id\": 5}", "{\"action\": \"subscribe\", \"event_id\": \"nonsense\"}",
            "{\"action\": \"subscribe\", \"event_id\": \"0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4\"}", "{\"action\": \"mark_read\"}",
            "{\"action\": \"mark_read\", \"notification_id\": \"0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4\"}", "{\"action\": \"ping\"",
        ])
    func errors(message: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let client = try await ada.connected()
        try await client.send(message)
        let error = try await client.next("error")
        #expect(error["detail"]?.string?.isEmpty == false)
        try await client.settle()
        #expect(!client.isClosed)
        #expect(client.messages.filter { $0["type"] == .string("error") }.count == 1)
    }

    @Test("Another's notification is not marked as read")
    func markReadOfAnother() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let hers = try await ada.connected()
        let his = try await bob.connected()
        let id = try await ada.create("A")
        try await ada.change(id)
        try await eventually("the update is told") { hers.notices.count == 2 }
        let update = try #require(hers.notificationIDs.last)
        try await his.send("{\"action\": \"mark_read\", \"notification_id\": \"\(update)\"}")
        _ = try await his.next("error")
        #expect(try await ada.unreadCount() == 2)
    }

    @Test("Requests are answered in their order")
    func order() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A")
        let client = try await ada.connected()
        for _ in 0..<10 {
            try await client.send("{\"action\": \"subscribe\", \"event_id\": \"\(id)\"}")
            try await client.send("{\"action\": \"unsubscribe\", \"event_id\": \"\(id)\"}")
        }
        try await client.settle()
        let answers = client.messages.filter { $0["type"] == .string("subscription_update") }.compactMap { $0["status"]?.string }
        #expect(answers == (0..<20).map { $0.isMultiple(of: 2) ? "subscribed" : "unsubscribed" })
    }

    // MARK: Notifications

    @Test("A notification has the fields of the contract and no others")
    func notification() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let client = try await bob.connected()
        let id = try await ada.create("Tech Conference 🎉")
        let notification = try await client.next("notification")
        #expect(notification.names == ["event", "notification_id", "notification_type", "timestamp", "type", "user"])
        #expect(notification["event"]?.names == ["action", "id", "timestamp", "title"])
        #expect(notification["notification_type"] == .string("event.created"))
        #expect(notification["event"]?["id"] == .string(id))
        #expect(notification["event"]?["title"] == .string("Tech Conference 🎉"))
        #expect(notification["event"]?["action"] == .string("created"))
        #expect(notification["user"] == .string("ada"))
        #expect(notification["timestamp"]?.string.flatMap { Timestamp($0) } != nil)
        let inbox = try await bob.inbox()
        #expect(inbox.first?["notification_id"] == notification["notification_id"])
    }

    @Test("Updates and deletions are told to subscribers and the creator, on all their connections, and to nobody else")
    func audience() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let eve = try await stage.person("eve")
        let hers = try await ada.connected()
        let his = try await bob.connected()
        let hisOther = try await bob.connected()
        let anothers = try await eve.connected()
        let id = try await ada.create("A")
        try await his.send("{\"action\": \"subscribe\", \"event_id\": \"\(id)\"}")
        _ = try await his.next("subscription_update")
        try await ada.change(id)
        #expect(try await ada.http.delete("/events/\(id)").status == 204)
        _ = try await ada.create("Z")
        for client in [hers, his, hisOther] {
            try await eventually("all is told") { client.notices.count >= 4 }
            #expect(client.notices == ["event.created A", "event.updated A", "event.deleted A", "event.created Z"])
        }
        try await eventually("the others are told") { anothers.notices.count >= 2 }
        #expect(anothers.notices == ["event.created A", "event.created Z"])
    }

    @Test("A subscription outlives its connection")
    func subscriptionsLast() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let id = try await ada.create("A")
        let first = try await bob.connected()
        try await first.send("{\"action\": \"subscribe\", \"event_id\": \"\(id)\"}")
        _ = try await first.next("subscription_update")
        try await first.disconnect()
        let second = try await bob.connected()
        try await ada.change(id)
        try await eventually("the update is told") { second.notices.contains("event.updated A") }
    }

    @Test("An operator's message reaches those who are connected")
    func operatorMessage() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let hers = try await ada.connected()
        let his = try await bob.connected()
        try await stage.workspace.output("notify", "send", "To Bob", "--to", "bob")
        try await stage.workspace.output("notify", "send", "To all", "--everyone")
        #expect(try await his.next("notification")["message"] == .string("To Bob"))
        #expect(try await his.next("notification")["message"] == .string("To all"))
        #expect(try await hers.next("notification")["message"] == .string("To all"))
    }

    @Test("Two hundred clients all get one event")
    func manyClients() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let (port, token) = (stage.daemon.port, ada.token)
        let clients = try await withThrowingTaskGroup(of: WebSocketClient.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    let client = try await WebSocketClient(port: port, token: token)
                    _ = try await client.next("connection_status")
                    return client
                }
            }
            var clients: [WebSocketClient] = []
            for try await client in group { clients.append(client) }
            return clients
        }
        #expect(clients.count == 200)
        _ = try await ada.create("To all of you")
        try await eventually("all are told") { clients.allSatisfy { $0.notificationIDs.count == 1 } }
        #expect(Set(clients.flatMap(\.notificationIDs)).count == 1)
    }

    // MARK: Catching up

    @Test("Who comes back with the last notification gets exactly what was missed, in order, and then what is new")
    func replay() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let first = try await bob.connected()
        let subscribed = try await ada.create("Subscribed")
        let other = try await ada.create("Other")
        try await bob.subscribe(to: subscribed)
        try await eventually("both are told") { first.notices.count == 2 }
        let since = try #require(first.notificationIDs.last)
        try await first.disconnect()

        try await ada.change(subscribed)
        try await ada.change(other)
        _ = try await ada.create("Missed")
        #expect(try await ada.http.delete("/events/\(subscribed)").status == 204)
        // A message is stored at once, a change goes by way of the broker: only what is recorded is surely before it.
        try await eventually("the changes are recorded") { try await bob.inbox().count == 5 }
        try await stage.workspace.output("notify", "send", "Missed, too", "--to", "bob")
        try await eventually("all is recorded") { try await bob.inbox().count == 6 }

        let second = try await WebSocketClient(port: stage.daemon.port, token: bob.token, since: since)
        let status = try await second.next()
        #expect(status["type"] == .string("connection_status"))
        #expect(status["recovered"] == .bool(true))
        _ = try await ada.create("New")
        try await eventually("all is told") { second.notices.count >= 5 }
        try await second.settle()
        let missed = [
            "event.updated Subscribed", "event.created Missed", "event.deleted Subscribed", "message Missed, too", "event.created New",
        ]
        #expect(second.notices == missed)
        let inbox = try await bob.inbox().prefix(5).reversed().compactMap { $0["notification_id"]?.string }
        #expect(second.notificationIDs == inbox)
    }

    @Test("Who has missed nothing gets nothing, and is told so")
    func nothingMissed() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let first = try await ada.connected()
        _ = try await ada.create("A")
        _ = try await first.next("notification")
        let since = try #require(first.notificationIDs.last)
        let second = try await ada.connected(since: since)
        #expect(second.messages.first?["recovered"] == .bool(true))
        #expect(second.notices.isEmpty)
    }

    @Test(
        "Where it cannot be told what was missed, nothing is replayed, and the client is told so",
        arguments: [WebSocketTests.unknown, "nonsense", "", "%00"])
    func unknownSince(since: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        _ = try await ada.create("A")
        try await eventually("it is recorded") { try await ada.inbox().count == 1 }
        let client = try await ada.connected(since: since)
        #expect(client.messages.first?["recovered"] == .bool(false))
        #expect(client.notices.isEmpty)
        _ = try await ada.create("B")
        #expect(try await client.next("notification").notice == "event.created B")
    }

    @Test("Nothing is lost or told twice while one connects and others write")
    func replayWhileWriting() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let first = try await ada.connected()
        _ = try await ada.create("Event 0")
        _ = try await first.next("notification")
        let since = try #require(first.notificationIDs.last)
        let writing = Task {
            for number in 1...60 { _ = try await ada.create("Event \(number)") }
        }
        var clients: [WebSocketClient] = []
        for _ in 0..<10 { clients.append(try await ada.connected(since: since)) }
        try await writing.value
        let titles = (1...60).map { "event.created Event \($0)" }
        for client in clients {
            try await eventually("all is told") { client.notices.count >= 60 }
            #expect(client.notices == titles)
            #expect(client.messages.first?["recovered"] == .bool(true))
        }
    }

    // MARK: Endings

    @Test("When the token expires its connection is closed with 4001")
    func expires() async throws {
        let stage = try await Stage()
        try await stage.workspace.makeUser("ada")
        let token = try await stage.workspace.token(of: "ada", ttl: "3s")
        let client = try await WebSocketClient(port: stage.daemon.port, token: token)
        #expect(try await client.closed() == 4001)
    }

    enum Revocation: String, CaseIterable, Sendable {
        case logout, reusedRefreshToken, revokedByUser, revokedByToken, deactivated, deleted, passwordSetByOperator
    }

    @Test("When the token is revoked its connections are closed with 4003, and those of others are not", arguments: Revocation.allCases)
    func revoked(_ revocation: Revocation) async throws {
        let stage = try await Stage()
        let workspace = stage.workspace
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let hers = try await ada.connected()
        let his = try await bob.connected()
        switch revocation {
        case .logout:
            #expect(try await ada.http.post("/auth/logout").status == 204)
        case .reusedRefreshToken:
            for status in [200, 401] {
                let answer = try await stage.http.post("/auth/refresh", "{\"refresh_token\": \"\(ada.refreshToken)\"}")
                #expect(answer.status == status)
                guard try await stage.letRefreshTokensAge() else { return }
            }
        case .revokedByUser:
            try await workspace.output("token", "revoke", "--user", "ada")
        case .revokedByToken:
            try await workspace.output("token", "revoke", "--token-file", workspace.file("token", ada.token + "\n"))
        case .deactivated:
            try await workspace.output("user", "deactivate", "ada")
        case .deleted:
            try await workspace.output("user", "delete", "ada", "--yes")
        case .passwordSetByOperator:
            try await workspace.output("user", "password", "ada", "--password-stdin", input: "Changed456#\n")
        }
        #expect(try await hers.closed() == 4003)
        try await his.settle()
        #expect(!his.isClosed)
    }

    @Test("After SIGTERM the connections are closed with 1001, and the daemon ends well")
    func shutdown() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let clients = [try await ada.connected(), try await ada.connected()]
        stage.daemon.signal(SIGTERM)
        for client in clients {
            #expect(try await client.closed() == 1001)
        }
        #expect(try await stage.daemon.ended() == 0)
    }

    // MARK: The protocol (RFC 6455)

    private static func opened(_ stage: Stage, _ person: Person) async throws -> RawConnection {
        let connection = try await RawConnection(port: stage.daemon.port)
        try await connection.askForWebSocket(headers: ["Authorization: Bearer \(person.token)"])
        try await eventually("the server says who one is") { !connection.frames.isEmpty }
        return connection
    }

    struct Violation: Sendable, CustomTestStringConvertible {
        let what: String
        let frames: [[UInt8]]
        let code: UInt16
        var testDescription: String { what }

        init(_ what: String, _ frames: [[UInt8]], _ code: UInt16) {
            self.what = what
            self.frames = frames
            self.code = code
        }
    }

    static let violations: [Violation] = [
        Violation("an unmasked frame", [[0x81, 0x02, 0x7B, 0x7D]], 1002),
        Violation("the first reserved bit", [RawConnection.frame(0xC1, "{}")], 1002),
        Violation("the second reserved bit", [RawConnection.frame(0xA1, "{}")], 1002),
        Violation("the third reserved bit", [RawConnection.frame(0x91, "{}")], 1002),
        Violation("an unknown opcode", [RawConnection.frame(0x83, "{}")], 1002),
        Violation("an unknown control opcode", [RawConnection.frame(0x8B, "")], 1002),
        Violation("a continuation of nothing", [RawConnection.frame(0x80, "{}")], 1002),
        Violation("a message within a message", [RawConnection.frame(0x01, "{"), RawConnection.frame(0x81, "{}")], 1002),
        Violation("a ping in fragments", [RawConnection.frame(0x09, "a")], 1002),
        Violation("a ping of 126 bytes", [RawConnection.frame(0x89, [UInt8](repeating: 97, count: 126))], 1002),
        Violation("a close frame of one byte", [RawConnection.frame(0x88, [3])], 1002),
        Violation("a close frame with a code that must not be sent", [RawConnection.frame(0x88, [0x03, 0xED])], 1002),
        Violation("a binary message", [RawConnection.frame(0x82, [1, 2, 3])], 1003),
        Violation("text that is not UTF-8", [RawConnection.frame(0x81, [0x22, 0xFF, 0xFE, 0x22])], 1007),
        Violation("text with half a surrogate pair", [RawConnection.frame(0x81, [0x22, 0xED, 0xA0, 0x80, 0x22])], 1007),
        Violation(
            "text in fragments that is not UTF-8", [RawConnection.frame(0x01, [0x22, 0xC3]), RawConnection.frame(0x80, [0x22])], 1007),
        Violation("a message of 20,000 bytes", [RawConnection.frame(0x81, [UInt8](repeating: 97, count: 20_000))], 1009),
        Violation(
            "a message of 20,000 bytes in fragments",
            [
                RawConnection.frame(0x01, [UInt8](repeating: 97, count: 10_000)),
                RawConnection.frame(0x80, [UInt8](repeating: 97, count: 10_000)),
            ], 1009),
    ]

    @Test("Who breaks the protocol is closed with the code for it, and nobody else is", arguments: WebSocketTests.violations)
    func violates(_ example: Violation) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let other = try await ada.connected()
        let connection = try await Self.opened(stage, ada)
        for frame in example.frames { try await connection.send(frame) }
        #expect(try await connection.closeCode() == example.code)
        // The answer to the close frame, where the server still reads.
        try? await connection.send(RawConnection.frame(0x88, []))
        try await eventually("the server closes the connection") { connection.isEnded }
        try await other.settle()
    }

    @Test("A message in fragments is put together, and a ping between them is answered")
    func fragments() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let connection = try await Self.opened(stage, ada)
        try await connection.send(RawConnection.frame(0x01, "{\"action\""))
        try await connection.send(RawConnection.frame(0x89, "are you there?"))
        try await eventually("the ping is answered") { connection.frames.contains { $0.opcode == 10 } }
        #expect(connection.frames.last?.text == "are you there?")
        try await connection.send(RawConnection.frame(0x00, ": \"pi"))
        try await connection.send(RawConnection.frame(0x80, "ng\"}"))
        try await eventually("the message is answered") { connection.frames.last?.opcode == 1 }
        let pong = try JSONParser.parse(connection.frames.last?.text ?? "")
        #expect(pong["type"] == .string("pong"))
    }

    @Test("A character may lie in two fragments, and a frame may come byte by byte")
    func splitCharacter() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let connection = try await Self.opened(stage, ada)
        let bytes = Array("{\"action\": \"ping\", \"for\": \"🎉\"}".utf8)
        let split = bytes.count - 4
        let frames = RawConnection.frame(0x01, Array(bytes[..<split])) + RawConnection.frame(0x80, Array(bytes[split...]))
        for byte in frames { try await connection.send([byte]) }
        try await eventually("the message is answered") { connection.frames.count >= 2 }
        let pong = try JSONParser.parse(connection.frames.last?.text ?? "")
        #expect(pong["type"] == .string("pong"))
    }

    @Test("A frame that comes together with the request is not lost")
    func earlyFrame() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let connection = try await RawConnection(port: stage.daemon.port)
        let request = [
            "GET /ws/ws HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Authorization: Bearer \(ada.token)", "", "",
        ]
        try await connection.send(Array(request.joined(separator: "\r\n").utf8) + RawConnection.frame(0x81, "{\"action\": \"ping\"}"))
        try await eventually("the message is answered") { connection.frames.count >= 2 }
        #expect(connection.frames.last?.text.contains("pong") == true)
    }

    @Test("A client's goodbye is returned with its code, and the connection ends", arguments: [1000, 1001, 3000, 4999])
    func goodbye(code: Int) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let connection = try await Self.opened(stage, ada)
        try await connection.send(RawConnection.frame(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)]))
        #expect(try await connection.closeCode() == UInt16(code))
        try await eventually("the server closes the connection") { connection.isEnded }
    }
}
