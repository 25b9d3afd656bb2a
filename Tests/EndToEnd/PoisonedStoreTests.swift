import EMSCore
import Foundation
import Testing

/// The embedded store with rows that no version of the program writes: the faults of a disk, of a hand, or of an attacker.
@Suite(.gated)
struct PoisonedStoreTests {
    private static let (most, least) = ("9223372036854775807", "-9223372036854775808")

    private static let numbers = [
        "journal SET version", "journal SET timestamp", "events SET version", "events SET start_time", "events SET end_time",
        "events SET created_at", "events SET updated_at",
        "events SET max_attendees", "users SET created_at", "users SET updated_at", "users SET last_login_at",
        "users SET credential_version",
        "users SET is_active", "sessions SET expires_at", "sessions SET created_at", "refresh_tokens SET expires_at",
        "subscriptions SET created_at", "stream SET last_position", "stream SET everyone_count", "stream SET everyone_purged",
        "notifications SET recorded_at", "notifications SET timestamp", "notifications SET ordinal", "inboxes SET from_position",
        "inboxes SET from_ordinal", "inboxes SET read_position", "inboxes SET read_ordinal", "inboxes SET read_singly",
        "inboxes SET unread_own", "row_counts SET n", "login_accounts SET failures", "login_accounts SET locked_until",
        "login_accounts SET last_failure_at", "consumer_letters SET attempts", "consumer_letters SET retry_at",
        "consumer_letters SET died_at", "consumers SET position", "consumers SET paused_at", "idempotency_keys SET created_at",
        "attempts SET at",
        "consumer_reports SET unacknowledged", "consumer_reports SET failing_since",
        "broker_transition SET unsigned_until",
    ]

    private static let values = [
        "events SET title = x'ff00'", "events SET title = 12", "events SET tags = x'ff'", "events SET status = 'burnt'",
        "events SET latitude = 'north'", "events SET latitude = 9e999", "events SET created_by = x''", "events SET origin = '{'",
        "events SET origin = '[1]'", "events SET id = 'x' WHERE seq = 1", "users SET role = 'emperor'", "users SET username = x'00ff'",
        "users SET password_hash = 'x'", "users SET id = ''", "notifications SET kind = 'joke'",
        "notifications SET id = 'x' WHERE position = 1",
        "notifications SET event_title = x'ff'", "journal SET entry = x'00'", "journal SET change_id = 'x' WHERE position = 1",
        "journal SET hash = x'00'", "journal SET position = \(most) WHERE position = 2", "journal SET entry = '{}'",
        "journal_texts SET value = CAST(value AS BLOB) || x'ff'", "consumer_letters SET body = '{}'",
        "consumer_letters SET message_id = 'x'", "consumer_letters SET position = \(most) WHERE position IS NOT NULL",
        "consumer_letters SET body = x'ff'", "consumers SET name = 'x'",
        "subscriptions SET event_id = 'x'", "sessions SET user_id = 'x'", "refresh_tokens SET session_id = 'x'",
        "events SET origin = '{\"id\": \"1\", \"sequence\": 9223372036854775807, \"properties\": \"DURATION:P999999999999W\"}'",
        "events SET origin = '{\"id\": \"1\", \"sequence\": 0, \"properties\": \"DTSTART:99999999T999999Z\\nDURATION:P9W\\u001b\\u0000\"}'",
    ]

    private static let schemas = [
        "PRAGMA user_version = -1", "PRAGMA user_version = -2147483648", "PRAGMA user_version = 0", "DROP TABLE event_tags",
        "DROP TABLE notifications", "DELETE FROM stream", "DELETE FROM row_counts", "DELETE FROM users",
        """
        PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'title TEXT NOT NULL', 'title TEXT') WHERE name = 'events';
        PRAGMA writable_schema = RESET; UPDATE events SET title = NULL
        """,
    ]

    private static let statements =
        numbers.flatMap { ["UPDATE \($0) = \(most)", "UPDATE \($0) = \(least)"] } + values.map { "UPDATE \($0)" } + schemas

    /// Several to a test: starting a daemon takes longer than all the rest.
    private static func groups(_ statements: [String]) -> [[String]] {
        stride(from: 0, to: statements.count, by: 15).map { Array(statements[$0..<min($0 + 15, statements.count)]) }
    }

    /// A command reads what the daemon reads: it is given one end of each number.
    private static let forCommands = groups(statements.filter { !$0.hasSuffix(least) })
    private static let forDaemon = groups(statements.filter { !$0.contains("PRAGMA") && !$0.contains("DROP") })

    @Test("No row traps a command or the daemon: what is damaged is named, and all else is answered", arguments: forCommands)
    func rows(statements: [String]) async throws {
        let pristine = try await Self.filled()
        for statement in statements {
            let workspace = try Workspace()
            try FileManager.default.copyItem(atPath: pristine.dataDirectory, toPath: workspace.dataDirectory)
            try await workspace.sqlite(statement)
            let shell = try await workspace.run(EMSBinary.path, ["shell"], input: Self.lines.joined(separator: "\n") + "\n")
            #expect(!shell.wasKilled && shell.status != 70, "\(statement): \(shell.status) \(shell.errors.suffix(1000))")
            try await workspace.sqlite("PRAGMA user_version = 4; DELETE FROM consumer_letters; DELETE FROM journal")
            let copied = try await workspace.ems("store", "copy", "--from", workspace.databasePath, "--to", workspace.path("copy.db"))
            #expect(!copied.wasKilled && [0, 65].contains(copied.status), "\(statement): \(copied.status) \(copied.errors.suffix(1000))")
        }
    }

    @Test("No row traps the daemon while it runs", arguments: forDaemon)
    func daemon(statements: [String]) async throws {
        let pristine = try await Self.filled()
        let workspace = try Workspace()
        try FileManager.default.copyItem(atPath: pristine.dataDirectory, toPath: workspace.dataDirectory)
        let daemon = try await TestDaemon(workspace)
        let token = try await workspace.token(of: "ada")
        let http = HTTPClient(port: daemon.port, token: token)
        for statement in statements {
            // Whatever the last round left is replaced.
            try await workspace.sqlite(
                """
                ATTACH '\(pristine.databasePath)' AS pristine; PRAGMA recursive_triggers = OFF;
                DELETE FROM consumer_letters; DELETE FROM journal; INSERT INTO journal SELECT * FROM pristine.journal;
                DELETE FROM consumers; INSERT INTO consumers VALUES ('inbox', 0, NULL);
                DELETE FROM inboxes;
                INSERT INTO inboxes SELECT * FROM pristine.inboxes; UPDATE stream SET (last_position, everyone_count, everyone_purged) =
                    (SELECT last_position, everyone_count, everyone_purged FROM pristine.stream);
                INSERT OR REPLACE INTO users SELECT * FROM pristine.users; INSERT OR REPLACE INTO sessions SELECT * FROM pristine.sessions;
                \(statement)
                """)
            for path in [
                "/events", "/events?sort=-created_at", "/events/search?q=Concert", "/notifications", "/notifications/count",
                "/auth/me", "/users", "/subscriptions", "/readyz", "/metrics", "/audit", "/audit?since=2001-01-01T00:00:00Z",
            ] {
                let status = try await http.get(path).status
                #expect([200, 401, 404, 500, 503].contains(status), "\(statement): \(path) is \(status)")
            }
            _ = try await http.post("/notifications/read-all", "{}")
            _ = try await http.post("/auth/login", Stage.credentials("ada"))
            #expect(try await http.get("/healthz").status == 200, "\(statement)")
        }
        #expect(!daemon.logText.contains("Fatal error"), "\(daemon.logText.suffix(2000))")
    }

    @Test("One damaged row holds up no other: neither a pending change nor a live notification")
    func laterRows() async throws {
        let stage = try await Stage()
        guard !stage.isDistributed else { return }
        let ada = try await stage.person("ada")
        try await stage.workspace.makeEvent("Before")
        try await eventually("the first is recorded") {
            try await ada.http.get("/notifications/count").json["count"] == .integer(1)
        }
        let socket = try await WebSocketClient(port: stage.daemon.port, token: ada.token)
        _ = try await socket.next("connection_status")
        try await stage.workspace.sqlite(
            """
            INSERT INTO journal VALUES ((SELECT max(position) + 1 FROM journal), 'x', 'event', 'x', 'created', 1, NULL, 0, x'00', zeroblob(32));
            INSERT INTO notifications (id, kind, actor, timestamp, recorded_at, is_for_everyone)
                VALUES ('00000000000000000000000000000002', 'joke', 'root', 0, 0, 0);
            UPDATE stream SET last_position = (SELECT max(position) FROM notifications);
            """)
        try await stage.workspace.makeEvent("After")
        #expect(try await socket.next("notification")["event"]?["title"] == .string("After"))
        let status = try await stage.workspace.outputEMS(["broker", "status", "-o", "json"]).jsonDocument()
        #expect(status["pending_changes"] == .integer(0), "\(status)")
        #expect(status["dead_letters"] == .integer(1), "\(status)")
    }

    @Test("A consumer that cannot record what it takes is reported by status, readiness, doctor and metrics, until it works again")
    func failingConsumer() async throws {
        let stage = try await Stage()
        guard !stage.isDistributed else { return }
        let ada = try await stage.admin("ada")
        try await stage.workspace.sqlite(
            "CREATE TRIGGER fault BEFORE INSERT ON notifications BEGIN SELECT RAISE(FAIL, 'no more notifications'); END")
        try await stage.workspace.makeEvent("Concert")
        func status() async throws -> JSONValue {
            try await stage.workspace.outputEMS(["broker", "status", "-o", "json"]).jsonDocument()
        }
        try await eventually("the failure is reported") { try await status()["failing_consumers"] == .integer(1) }
        let failing = try await status()
        #expect(failing["last_error"]?.string?.contains("no more notifications") == true, "\(failing)")
        #expect(failing["failing_since"]?.string != nil)
        let ready = try await stage.http.get("/readyz").json
        #expect(ready["consumer"]?.string != "ok" && ready["consumer_failing_since"]?.string != nil, "\(ready)")
        #expect(try await stage.http.get("/metrics").text.contains("ems_consumer_up 0"))
        let doctor = try await stage.workspace.ems("doctor", "-o", "json")
        #expect(doctor.status == 1)
        #expect(doctor.output.contains("broker.progress") && doctor.output.contains("no more notifications"), "\(doctor.output)")

        try await stage.workspace.sqlite("DROP TRIGGER fault")
        try await eventually("the change is recorded") { try await ada.http.get("/notifications/count").json["count"] == .integer(1) }
        try await eventually("the report is taken back") { try await status()["failing_consumers"] == .integer(0) }
        let recovered = try await stage.http.get("/readyz").json
        #expect(recovered["consumer"] == .string("ok") && recovered["status"] == .string("ready"), "\(recovered)")
        #expect(try await status()["last_recorded_at"]?.string != nil)
    }

    private static let lines = [
        "event list --all", "event search Concert", "event export --format ics", "user list", "user show ada", "notify list --user ada",
        "notify count --user ada", "notify read-all --user ada", "broker dead list", "broker status", "token list --user ada",
        "event complete", "event create --title New --start +1h --end +2h", "notify purge --older-than 1d --yes", "token purge",
        "broker flush", "user unlock ada", "doctor", "audit list", "audit verify", "audit export", "audit show 1",
    ]

    /// A store with something in every table.
    private static func filled() async throws -> Workspace {
        let workspace = try Workspace()
        try await workspace.makeUser("ada", role: "admin")
        try await workspace.makeEvent("Concert")
        try await workspace.makeEvent("Concert in the park")
        try await workspace.output("token", "issue", "--user", "ada")
        try await workspace.output(
            "event", "subscribe", "--user", "ada", try await workspace.output("event", "list", "-o", "id", "--limit", "1").trimmingNewline)
        try await workspace.sqlite(
            """
            INSERT INTO refresh_tokens SELECT x'00', id, expires_at, NULL, NULL FROM sessions;
            INSERT INTO login_accounts VALUES ('ada', 1, 0, '127.0.0.1', 0, 0); INSERT INTO login_addresses VALUES ('ada', '::1', 0);
            INSERT INTO consumer_letters (consumer, message_id, routing_key, body, attempts, reason, retry_at)
                VALUES ('inbox', 'm', 'event.created', '{}', 1, 'bad', 0);
            INSERT INTO consumer_letters (consumer, position, message_id, routing_key, attempts, reason, died_at)
                SELECT 'inbox', 1, change_id, 'event.created', 1, 'bad', 0 FROM journal WHERE position = 1;
            INSERT INTO idempotency_keys SELECT 'ada', 'k', x'00', id, 0 FROM events LIMIT 1;
            INSERT INTO attempts VALUES ('login', 0, 9999999999999); INSERT INTO broker_transition VALUES (0);
            INSERT INTO consumer_reports VALUES ('p', 1, 0, 'f', 9999999999999);
            """)
        return workspace
    }
}
