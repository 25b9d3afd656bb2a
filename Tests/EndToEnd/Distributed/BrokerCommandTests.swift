import EMSCore
import Foundation
import Testing

/// `ems broker` and `ems store`, on real servers and on the embedded store.
@Suite(.serialized, .gated, .enabled(if: SharedServers.areHere, SharedServers.hint))
struct BrokerCommandTests {
    @Test("A message that cannot be read goes to the dead letters with its reason; it can be shown, given back, and dropped")
    func poison() async throws {
        let cluster = try Cluster()
        let token = try await cluster.person("ada")
        let daemon = try await cluster.daemon()
        try await cluster.settled(daemon)
        let id = ChangeID().description
        try await Pika.publish("{\"type\": \"event\", \"action\": \"exploded\"}", id: id, cluster)
        try await cluster.workspace.makeEvent("After the poison")
        try await eventually("what comes after it arrives") {
            try await HTTPClient(port: daemon.port, token: token).get("/notifications/count").json["count"] == .integer(1)
        }
        try await eventually("the letter is there") { try await Self.deadLetters(cluster).count == 1 }
        let letter = try #require(try await Self.deadLetters(cluster).first)
        #expect(letter["message_id"] == .string(id))
        #expect(letter["routing_key"] == .string("event.created"))
        #expect(letter["reason"]?.string?.isEmpty == false)
        let shown = try await cluster.workspace.outputEMS(["broker", "dead", "show", id, "-o", "json"]).jsonDocument()
        #expect(shown["body"]?.string?.contains("exploded") == true)

        let rehearsal = try await cluster.workspace.ems("broker", "dead", "requeue", id, "--dry-run")
        #expect(rehearsal.errors == "would requeue 1\n")
        let requeued = try await cluster.workspace.ems("broker", "dead", "requeue", id)
        #expect(requeued.status == 0 && requeued.errors == "requeued 1\n", "\(requeued.errors)")
        // It is as bad as before, and comes back under the same id.
        try await eventually("it dies again") { try await Self.deadLetters(cluster).first?["message_id"] == .string(id) }

        let unasked = try await cluster.workspace.ems("broker", "dead", "drop", "--all")
        unasked.expectFailure(64, saying: "--yes")
        let dropped = try await cluster.workspace.ems("broker", "dead", "drop", id, "--yes")
        #expect(dropped.status == 0 && dropped.errors == "dropped 1\n", "\(dropped.errors)")
        #expect(try await Self.deadLetters(cluster).isEmpty)
        let missing = try await cluster.workspace.ems("broker", "dead", "drop", id, "--yes")
        missing.expectFailure(66, saying: id)
        try await cluster.expectInbox(of: "ada", 1)
    }

    @Test(
        "A message with headers in headers keeps no other waiting, and all dead letters can be dropped unread",
        arguments: ["{'a': deep}", "[deep]"], [2000, 15_000])
    func nestedHeaders(nesting: String, depth: Int) async throws {
        let cluster = try Cluster()
        let token = try await cluster.person("ada")
        let daemon = try await cluster.daemon()
        try await cluster.settled(daemon)
        try await Pika.run(
            """
            import sys, threading; sys.setrecursionlimit(200_000); deep = {}
            for _ in range(\(depth)): deep = \(nesting)
            channel.basic_publish(
                exchange, 'event.created', b'{}', pika.BasicProperties(message_id='deep', headers={'a': deep}, delivery_mode=2))
            """, cluster)
        try await cluster.workspace.makeEvent("After the poison")
        try await eventually("what comes after it arrives") {
            try await HTTPClient(port: daemon.port, token: token).get("/notifications/count").json["count"] == .integer(1)
        }
        try await eventually("the letter is there") {
            try await cluster.workspace.outputEMS(["broker", "status", "-o", "json"]).jsonDocument()["dead_letters"] == .integer(1)
        }
        let list = try await cluster.workspace.ems("broker", "dead", "list")
        if list.status != 0 { list.expectFailure(65, saying: "cannot be read", "ems broker dead drop --all") }
        let dropped = try await cluster.workspace.ems("broker", "dead", "drop", "--all", "--yes")
        #expect(dropped.status == 0 && dropped.errors == "dropped 1\n", "\(dropped.errors)")
        #expect(try await Self.deadLetters(cluster).isEmpty)
    }

    @Test("Dead letters that another connection was looking at are dropped as well")
    func heldLetters() async throws {
        let cluster = try Cluster()
        _ = try await cluster.workspace.outputEMS(["broker", "declare"])
        try await Pika.run(
            "for _ in range(3): channel.basic_publish('', queue + '.dead', b'{}', pika.BasicProperties(delivery_mode=2))", cluster)
        // It looks until the others are dropped.
        async let looking: Void = Pika.run(
            """
            import time
            channel.basic_get(queue + '.dead')
            deadline = time.monotonic() + 60
            while channel.queue_declare(queue + '.dead', passive=True).method.message_count and time.monotonic() < deadline:
                time.sleep(0.02)
            """, cluster)
        try await eventually("one of them is held") {
            try await cluster.workspace.outputEMS(["broker", "status", "-o", "json"]).jsonDocument()["dead_letters"] == .integer(2)
        }
        let dropped = try await cluster.workspace.ems("broker", "dead", "drop", "--all", "--yes")
        #expect(dropped.status == 0 && dropped.errors == "dropped 3\n", "\(dropped.errors)")
        try await looking
        #expect(try await Self.deadLetters(cluster).isEmpty)
    }

    @Test("A message too long to be a change keeps no other waiting, and forges no line of the log")
    func tooLongMessage() async throws {
        let cluster = try Cluster()
        let token = try await cluster.person("ada")
        let daemon = try await cluster.daemon()
        try await cluster.settled(daemon)
        try await Pika.run(
            "channel.basic_publish(exchange, 'event.created', b' ' * 17_000_000, pika.BasicProperties(message_id='a\\nforged', delivery_mode=2))",
            cluster)
        try await cluster.workspace.makeEvent("After the poison")
        try await eventually("what comes after it arrives") {
            try await HTTPClient(port: daemon.port, token: token).get("/notifications/count").json["count"] == .integer(1)
        }
        try await eventually("the letter is there") { try await Self.deadLetters(cluster).count == 1 }
        #expect(!daemon.logText.split(separator: "\n").contains { $0.hasPrefix("forged") })
    }

    @Test("With write access to the broker alone nobody speaks in the installation's name, live or stored")
    func forgedMessages() async throws {
        let cluster = try Cluster()
        let token = try await cluster.person("ada")
        let daemon = try await cluster.daemon()
        try await cluster.settled(daemon)
        let socket = try await WebSocketClient(port: daemon.port, token: token)
        _ = try await socket.next("connection_status")
        // A genuine message, with its signature, is copied on its way.
        try await Pika.run("channel.queue_declare('copies-' + queue); channel.queue_bind('copies-' + queue, exchange, '#')", cluster)
        try await cluster.workspace.makeEvent("Genuine")
        _ = try await socket.next("notification")
        try await Pika.run(
            """
            import json, uuid
            _, properties, body = next(channel.consume('copies-' + queue))
            assert properties.headers['x-ems-signature'].startswith('v1,'), properties.headers
            forged = body.replace(b'Genuine', b'Forged!')
            def publish(headers):
                channel.basic_publish(exchange, 'event.created', forged, pika.BasicProperties(
                    message_id=uuid.uuid4().hex, headers=headers, delivery_mode=2))
            publish(None)
            publish(properties.headers)
            live = {'type': 'notification', 'notification_id': uuid.uuid4().hex, 'notification_type': 'operator.message',
                'message': 'Forged!', 'user': 'operator:root', 'timestamp': '2026-11-28T17:33:27.672Z', 'read': False}
            for headers in [None, properties.headers]:
                channel.basic_publish(exchange + '.live', '', json.dumps({'notifications': [
                    {'position': position, 'is_for_everyone': True, 'notification': live} for position in range(2, 9)]}),
                    pika.BasicProperties(headers=headers))
            channel.queue_delete('copies-' + queue)
            """, cluster)
        try await eventually("both are dead letters") { try await Self.deadLetters(cluster).count == 2 }
        let reasons = try await Self.deadLetters(cluster).compactMap { $0["reason"]?.string }.sorted()
        #expect(reasons == ["the message is not signed", "the message is not signed by a key of this installation"])
        // What comes next is seen; nothing came in between.
        try await cluster.workspace.makeEvent("Genuine, too")
        let next = try await socket.next("notification")
        #expect(next["event"]?["title"] == .string("Genuine, too"))
        #expect(!daemon.logText.contains("Forged!"))

        // An operator who has read them may vouch for them.
        let requeued = try await cluster.workspace.ems("broker", "dead", "requeue", "--all", "--sign")
        #expect(requeued.errors == "requeued 2\n", "\(requeued.errors)")
        try await cluster.settled(daemon)
        #expect(try await Self.deadLetters(cluster).isEmpty)
        #expect(try await cluster.workspace.inboxIDs(of: "ada").count == 4)
    }

    @Test("Where version 0.1.0 had the store, its unsigned messages are accepted for a week")
    func unsignedTransition() async throws {
        let cluster = try Cluster()
        let workspace = try Workspace(
            cluster.workspace.environment.filter { ["RABBITMQ_URL", "EXCHANGE_NAME", "QUEUE_NAME"].contains($0.key) })
        try FileManager.default.createDirectory(atPath: workspace.dataDirectory, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Fixtures/store-0.1.0/ems.db").standardized,
            to: URL(fileURLWithPath: workspace.databasePath))
        let before = try await workspace.inboxIDs(of: "ada").count
        let daemon = try await TestDaemon(workspace)
        let body = try #require(try await workspace.output("event", "list", "-o", "jsonl").split(separator: "\n").first)
        try await Pika.publish(
            "{\"type\": \"event\", \"action\": \"created\", \"actor\": \"operator:root\", \"timestamp\": \"2026-11-28T17:33:27.672Z\", \"data\": \(body)}",
            id: ChangeID().description, cluster)
        try await eventually("it arrives") { try await workspace.inboxIDs(of: "ada").count == before + 1 }
        withExtendedLifetime(daemon) {}
    }

    @Test("A queue that somebody declared otherwise is named with the difference, and made anew without losing its messages")
    func differentQueue() async throws {
        let cluster = try Cluster()
        _ = try await cluster.person("ada")
        try await Pika.run("channel.queue_declare(queue, durable=True)", cluster)
        try await Pika.run("channel.basic_publish('', queue, b'stranger', pika.BasicProperties(message_id='m1', delivery_mode=2))", cluster)
        let refused = try await cluster.workspace.ems("broker", "declare")
        refused.expectFailure(78, saying: cluster.queue, "x-dead-letter-exchange", "ems broker declare --replace")
        let unasked = try await cluster.workspace.ems("broker", "declare", "--replace")
        unasked.expectFailure(64, saying: "--yes")
        let replaced = try await cluster.workspace.ems("broker", "declare", "--replace", "--yes")
        #expect(replaced.status == 0, "\(replaced.errors)")
        #expect(replaced.errors.contains("moved 1"))
        #expect(try await Self.deadLetters(cluster).compactMap { $0["message_id"]?.string } == ["m1"])
        let daemon = try await cluster.daemon()
        try await cluster.workspace.makeEvent("Goes through")
        try await eventually("the event arrives") { try await cluster.workspace.inboxIDs(of: "ada").count == 1 }
        try await cluster.settled(daemon)
    }

    @Test("A queue that is taken away under a running daemon is declared again, and what comes then arrives")
    func queueDeleted() async throws {
        let cluster = try Cluster()
        let token = try await cluster.person("ada")
        let daemon = try await cluster.daemon()
        try await cluster.settled(daemon)
        try await Pika.run("channel.queue_delete(queue)", cluster)
        try await cluster.workspace.makeEvent("Afterwards")
        try await eventually("it arrives") {
            try await HTTPClient(port: daemon.port, token: token).get("/notifications/count").json["count"] == .integer(1)
        }
    }

    @Test("The state of the broker is told in every form, and also while it is out of reach")
    func status() async throws {
        let cluster = try Cluster()
        try await cluster.workspace.output("broker", "declare")
        let status = try await cluster.workspace.outputEMS(["broker", "status", "-o", "json"]).jsonDocument()
        #expect(status["kind"] == .string("rabbitmq"))
        #expect(status["queue"] == .string(cluster.queue))
        for name in ["depth", "consumers", "dead_letters", "pending_changes"] { #expect(status[name] == .integer(0), "\(name)") }
        for form in ["table", "jsonl", "yaml", "csv"] {
            #expect(try await cluster.workspace.output("broker", "status", "-o", form).contains("dead_letters"), "\(form)")
        }
        let down = try await cluster.workspace.ems(
            "broker", "status", "-o", "json", environment: ["RABBITMQ_URL": "amqp://guest:guest@127.0.0.1:1/"])
        #expect(down.status == 69)
        #expect(try down.jsonDocument()["pending_changes"] == .integer(0))
        #expect(try down.jsonDocument()["state"] == .string("unreachable"))
    }

    @Test("A wrong password and an unknown virtual host are told as what they are, without the password")
    func refusals() async throws {
        let cluster = try Cluster()
        let server = try #require(SharedServers.rabbitmq).split(separator: "@").last.map(String.init) ?? ""
        let wrong = try await cluster.workspace.ems(
            "broker", "declare", environment: ["RABBITMQ_URL": "amqp://guest:hunter2@\(server)"])
        wrong.expectFailure(77, saying: "user and password")
        #expect(!wrong.errors.contains("hunter2"))
        let unknown = try await cluster.workspace.ems(
            "broker", "declare", environment: ["RABBITMQ_URL": (SharedServers.rabbitmq ?? "") + "nowhere"])
        unknown.expectFailure(78, saying: "nowhere")
    }

    @Test("A new database is told as one, and migrated once")
    func migrate() async throws {
        let cluster = try Cluster()
        let before = try await cluster.workspace.outputEMS(["store", "status", "-o", "json"]).jsonDocument()
        #expect(before["kind"] == .string("mongodb"))
        #expect(before["schema_version"] == .integer(0))
        let missing = try #require(before["missing_indexes"]?.integer)
        #expect(missing > 20)
        let rehearsal = try await cluster.workspace.ems("store", "migrate", "--dry-run")
        #expect(rehearsal.errorLines.count == Int(missing))
        let migrated = try await cluster.workspace.ems("store", "migrate")
        #expect(migrated.status == 0 && migrated.errorLines.count == Int(missing))
        let again = try await cluster.workspace.ems("store", "migrate")
        #expect(again.status == 0 && again.errors.isEmpty)
        let after = try await cluster.workspace.outputEMS(["store", "status", "-o", "json"]).jsonDocument()
        #expect(after["missing_indexes"] == .integer(0))
        #expect(after["schema_version"] == after["latest_schema_version"])
    }

    @Test("The embedded store and broker answer the same commands")
    func embedded() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let store = try await workspace.outputEMS(["store", "status", "-o", "json"]).jsonDocument()
        #expect(store["kind"] == .string("sqlite"))
        #expect(store["users"] == .integer(1))
        let broker = try await workspace.outputEMS(["broker", "status", "-o", "json"]).jsonDocument()
        #expect(broker["kind"] == .string("embedded"))
        for command in [["store", "migrate"], ["broker", "declare"], ["broker", "flush"]] {
            let result = try await workspace.runEMS(command)
            result.expectDone()
            #expect(result.errors.isEmpty)
        }
        #expect(try await workspace.outputEMS(["broker", "dead", "list", "-o", "json"]).jsonDocument() == .array([]))
    }

    static func deadLetters(_ cluster: Cluster) async throws -> [JSONValue] {
        try await cluster.workspace.outputEMS(["broker", "dead", "list", "-o", "json"]).jsonDocument().arrayItems
    }
}

/// An independent client of RabbitMQ, for what no daemon of ours would do.
enum Pika {
    static func publish(_ body: String, id: String, key: String = "event.created", _ cluster: Cluster) async throws {
        let path = try cluster.workspace.file("body-\(id)", body)
        try await run(
            """
            channel.basic_publish(exchange, '\(key)', open('\(path)', 'rb').read(), pika.BasicProperties(message_id='\(id)', delivery_mode=2))
            """, cluster)
    }

    /// Runs a line of Python with `channel`, `queue` and `exchange`.
    static func run(_ line: String, _ cluster: Cluster) async throws {
        let url = cluster.workspace.environment["RABBITMQ_URL"] ?? ""
        let program = """
            import pika
            queue = exchange = '\(cluster.queue)'
            parameters = pika.URLParameters('\(url.hasSuffix("/") ? url + "%2F" : url)')
            connection = pika.BlockingConnection(parameters)
            channel = connection.channel()
            channel.confirm_delivery()
            \(line)
            connection.close()
            """
        let python = ProcessInfo.processInfo.environment["EMS_TEST_PYTHON"] ?? "python3"
        let result = try await cluster.workspace.run(python, ["-c", program])
        try #require(result.status == 0, "\(result.errors)")
    }
}
