import EMSCore
import Foundation
import NIOCore
import NIOPosix
import Testing

/// `ems serve` as an operator meets it: how it starts, what it refuses, how it ends.
@Suite(.gated)
struct ServeTests {
    @Test("A signal ends the daemon with status 0, and a request in flight is answered first", arguments: [SIGTERM, SIGINT])
    func gracefulEnd(signal: Int32) async throws {
        let workspace = try Workspace()
        // A log-in that takes a while: the cost is that of the stored hash.
        let created = try await workspace.ems(
            "user", "create", "ada", "--email", "ada@example.com", "--password-stdin", input: Workspace.password + "\n",
            environment: ["BCRYPT_SALT_ROUNDS": "13"])
        try #require(created.status == 0)
        let daemon = try await TestDaemon(workspace)
        let client = HTTPClient(port: daemon.port)
        async let login = client.post("/auth/login", "{\"username_or_email\": \"ada\", \"password\": \"\(Workspace.password)\"}")
        // Connections are taken in their order: after these answers the log-in is under way.
        for _ in 1...3 { #expect(try await client.get("/healthz").status == 200) }
        daemon.signal(signal)
        let answer = try await login
        #expect(answer.status == 200)
        #expect(answer.json["token_type"] == .string("bearer"))
        #expect(try await daemon.ended() == 0)
        #expect(!daemon.logText.contains(Workspace.password))
    }

    @Test("A second signal ends the daemon at once, whatever is under way", arguments: [SIGTERM, SIGINT])
    func secondSignal(signal: Int32) async throws {
        let workspace = try Workspace()
        let daemon = try await TestDaemon(workspace)
        let client = HTTPClient(port: daemon.port)
        let stuck = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: daemon.port)
            .get()
        let half = "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        try await stuck.writeAndFlush(ByteBuffer(string: half))
        for _ in 1...3 { #expect(try await client.get("/healthz").status == 200) }
        daemon.signal(signal)
        try await eventually("the first signal is heeded") { daemon.logText.contains("once more ends at once") }
        daemon.signal(signal)
        #expect(try await daemon.ended() == 128 + signal)
        try? await stuck.close()
    }

    @Test("An idle daemon ends at once, and its port is free again")
    func restarted() async throws {
        let workspace = try Workspace()
        let first = try await TestDaemon(workspace)
        #expect(try await first.stop() == 0)
        let second = try await TestDaemon(workspace, port: first.port)
        #expect(try await HTTPClient(port: second.port).get("/healthz").status == 200)
        #expect(try await second.stop() == 0)
    }

    @Test("A port that is taken is 75, with one line that names it")
    func takenPort() async throws {
        let workspace = try Workspace()
        let daemon = try await TestDaemon(workspace)
        let result = try await Self.serve(workspace, ["--port", String(daemon.port)])
        result.expectFailure(75, saying: String(daemon.port))
        #expect(result.errorLines.count == 1)
        #expect(try await HTTPClient(port: daemon.port).get("/healthz").status == 200)
        #expect(try await daemon.stop() == 0)
    }

    @Test("A bad port from a flag is 64, from the environment 78", arguments: ["x", "65536", "-1", "80.5", "8000x"])
    func badPort(port: String) async throws {
        let workspace = try Workspace()
        try await Self.serve(workspace, ["--port=\(port)"]).expectFailure(64, saying: port)
        let result = try await Self.serve(workspace, [], environment: ["EMS_PORT": port])
        result.expectFailure(78, saying: "EMS_PORT", port)
        #expect(result.errorLines.count == 1)
    }

    @Test(
        "A host that nobody knows, or that is another machine's, is 78, with one line that names it",
        arguments: ["no.such.host.invalid", "192.0.2.1"])
    func badHost(host: String) async throws {
        let workspace = try Workspace()
        let result = try await Self.serve(workspace, ["--host", host, "--port", "0"])
        result.expectFailure(78, saying: host)
        #expect(result.errorLines.count == 1)
    }

    @Test("A data directory that cannot be made is 77, with one line that names it", arguments: ["file/data", "file"])
    func unwritable(place: String) async throws {
        let workspace = try Workspace()
        _ = try workspace.file("file", "in the way")
        let directory = workspace.path(place)
        for command in [["serve", "--port", "0"], ["event", "list"], ["config", "check"]] {
            let result = try await Self.limited(workspace, command + ["--data-dir", directory])
            result.expectFailure(77, saying: directory)
            #expect(result.errorLines.count == 1)
        }
        #expect(try String(contentsOfFile: workspace.path("file"), encoding: .utf8) == "in the way")
    }

    @Test(
        "The URL of something else than MongoDB or RabbitMQ is 78, and its password is not shown",
        arguments: ["MONGODB_URL", "RABBITMQ_URL"])
    func otherURL(name: String) async throws {
        let workspace = try Workspace()
        let result = try await Self.serve(workspace, ["--port", "0"], environment: [name: "x://root:hunter2@example.com"])
        result.expectFailure(78, saying: name)
        #expect(!result.errors.contains("hunter2"))
    }

    @Test("A key that is too short is 78, and never shown")
    func shortKey() async throws {
        let workspace = try Workspace()
        let key = "only-thirty-one-bytes-long-key!"
        let result = try await Self.serve(workspace, ["--port", "0"], environment: ["SECRET_KEY": key])
        result.expectFailure(78, saying: "SECRET_KEY", "32")
        #expect(!result.errors.contains(key))
        try FileManager.default.createDirectory(atPath: workspace.dataDirectory, withIntermediateDirectories: true)
        let file = workspace.dataDirectory + "/secret.key"
        try Data((key + "\n").utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        let stored = try await Self.serve(workspace, ["--port", "0"])
        stored.expectFailure(78, saying: file)
        #expect(!stored.errors.contains(key))
    }

    @Test("The key is made once, for its owner's eyes, and outlives the daemon: so do the tokens")
    func keyIsKept() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let first = try await TestDaemon(workspace)
        let file = workspace.dataDirectory + "/secret.key"
        let key = try String(contentsOfFile: file, encoding: .utf8)
        #expect(try Self.mode(file) == 0o600)
        #expect(try Self.mode(workspace.databasePath) == 0o600)
        #expect(try Self.mode(workspace.dataDirectory) == 0o700)
        let token = try await workspace.token(of: "ada")
        try await first.stop()
        let second = try await TestDaemon(workspace)
        #expect(try await HTTPClient(port: second.port, token: token).get("/auth/me").status == 200)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == key)
        #expect(try Self.mode(file) == 0o600)
        for log in [first.logText, second.logText] {
            #expect(!log.contains(key.trimmingNewline))
            #expect(!log.contains(token))
        }
    }

    @Test("Daemons that start together on an empty directory agree on one key")
    func keyIsMadeOnce() async throws {
        let workspace = try Workspace()
        async let one = TestDaemon(workspace)
        async let two = TestDaemon(workspace)
        async let three = TestDaemon(workspace)
        let daemons = try await [one, two, three]
        try await workspace.makeUser("ada")
        let token = try await workspace.token(of: "ada")
        for daemon in daemons {
            #expect(try await HTTPClient(port: daemon.port, token: token).get("/auth/me").status == 200)
            #expect(try await daemon.stop() == 0)
        }
    }

    @Test("With SECRET_KEY no key is made, and the key is not logged")
    func namedKey() async throws {
        let key = "this-is-a-secret-key-of-over-32-bytes"
        let workspace = try Workspace(["SECRET_KEY": key])
        let daemon = try await TestDaemon(workspace, ["--verbose"])
        #expect(!FileManager.default.fileExists(atPath: workspace.dataDirectory + "/secret.key"))
        try await daemon.stop()
        #expect(!daemon.logText.contains(key))
    }

    @Test("/healthz and /readyz answer with and without the prefix, which can be another or none", arguments: ["/api", "/v1", "/"])
    func health(prefix: String) async throws {
        let workspace = try Workspace(["API_PREFIX": prefix])
        let daemon = try await TestDaemon(workspace)
        let client = HTTPClient(port: daemon.port)
        for path in ["/healthz", "/readyz"] {
            for path in prefix == "/" ? [path] : [path, prefix + path] {
                let answer = try await client.get(path)
                #expect(answer.status == 200, "\(path)")
                #expect(answer.json["status"]?.string != nil, "\(path)")
            }
        }
        #expect(try await client.get("/elsewhere/healthz").status == 404)
        #expect(try await daemon.stop() == 0)
    }

    @Test(
        "A daemon with a role answers the paths of this role only, and all answer /healthz and /readyz",
        arguments: [
            ["auth", "/auth/me /users"], ["events", "/events /events/search /events/subscriptions"],
            ["notifications", "/notifications /notifications/count /ws/ws /ws"],
        ])
    func roles(role: [String]) async throws {
        let workspace = try Workspace()
        let daemon = try await TestDaemon(workspace, ["--role", role[0]])
        let client = HTTPClient(port: daemon.port)
        let own = role[1].split(separator: " ").map(String.init)
        let all = [
            "/auth/me", "/users", "/events", "/events/search", "/events/subscriptions", "/notifications", "/notifications/count", "/ws/ws",
            "/ws",
        ]
        for path in all {
            for path in [path, "/api" + path] {
                let isOwn = own.contains { path == $0 || path == "/api" + $0 }
                // Nobody is logged in: what is there refuses, what is not there is not found.
                #expect(try await client.get(path).status == (isOwn ? 401 : 404), "\(path)")
            }
        }
        for path in ["/healthz", "/readyz"] { #expect(try await client.get(path).status == 200) }
        #expect(try await daemon.stop() == 0)
    }

    @Test("Three daemons, one for each role, work as one")
    func threeServices() async throws {
        let workspace = try Workspace()
        let auth = try await TestDaemon(workspace, ["--role", "auth"])
        let events = try await TestDaemon(workspace, ["--role", "events"])
        let notifications = try await TestDaemon(workspace, ["--role", "notifications"])
        let registration = "{\"username\": \"ada\", \"email\": \"ada@example.com\", \"password\": \"\(Workspace.password)\"}"
        #expect(try await HTTPClient(port: auth.port).post("/auth/register", registration).status == 201)
        let login = try await HTTPClient(port: auth.port).post(
            "/auth/login", "{\"username_or_email\": \"ada\", \"password\": \"\(Workspace.password)\"}")
        let token = try #require(login.json["access_token"]?.string)
        #expect(try await HTTPClient(port: events.port, token: token).post("/events", Workspace.eventBody("Opening")).status == 201)
        let inbox = HTTPClient(port: notifications.port, token: token)
        try await eventually("the notification arrives") {
            try await inbox.get("/notifications/count").json["count"] == .integer(1)
        }
        for daemon in [auth, events, notifications] { #expect(try await daemon.stop() == 0) }
    }

    /// Runs a daemon that must not start; one that does is ended.
    private static func serve(
        _ workspace: Workspace, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> CommandResult {
        try await limited(workspace, ["serve"] + arguments, environment: environment)
    }

    private static func limited(
        _ workspace: Workspace, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> CommandResult {
        try await workspace.run("/usr/bin/env", ["timeout", "10", EMSBinary.path] + arguments, environment: environment)
    }

    private static func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? NSNumber).intValue & 0o777
    }
}
