import EMSCore
import Foundation
import Testing

@Suite("Transport", .gated)
struct TransportTests {
    // MARK: Content negotiation

    @Test(
        "An answer is JSON, and a client that excludes that gets 406",
        arguments: [
            ("application/json", 200), ("*/*", 200), ("application/*;q=0.5", 200), ("text/html, application/json;q=0.1", 200),
            ("text/html", 406), ("application/json;q=0", 406), ("application/json;q=0, */*", 406), ("text/*", 406), ("nonsense", 406),
        ])
    func accept(header: String, status: Int) async throws {
        let stage = try await Stage()
        let answer = try await stage.http.get("/healthz", headers: ["Accept": header])
        #expect(answer.status == status)
        if status != 200 { expectProblem(answer, status) }
    }

    @Test("A method that a path does not know is 405 with those it knows; a path that is not there is 404", arguments: ["", "/api"])
    func methods(prefix: String) async throws {
        let stage = try await Stage()
        for (method, path, allow) in [
            ("DELETE", "/events", "GET, HEAD, POST"), ("QUERY", "/events", "GET, HEAD, POST"), ("OPTIONS", "/events/search", "GET, HEAD"),
            ("PUT", "/auth/login", "POST"), ("TRACE", "/events/x", "DELETE, GET, HEAD, PATCH, PUT"),
        ] {
            let answer = try await stage.http.send(.init(rawValue: method), prefix + path)
            expectProblem(answer, 405)
            #expect(answer.header("Allow") == allow, "\(method) \(path)")
        }
        expectProblem(try await stage.http.send(.init(rawValue: "QUERY"), prefix + "/nothing"), 404)
    }

    // MARK: Compression

    @Test("A long answer is compressed for clients that take gzip, and is the same then")
    func compression() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        for index in 0..<20 { _ = try await ada.create("Event \(index)") }
        let plain = try await ada.http.get("/events?page_size=20")
        #expect(plain.header("Content-Encoding") == nil)
        #expect(plain.header("Vary")?.contains("Accept-Encoding") == true)
        let file = stage.workspace.path("page")
        let result = try await stage.workspace.run(
            "/usr/bin/curl",
            [
                "-sS", "-H", "Accept-Encoding: gzip", "-H", "Authorization: Bearer \(ada.token)", "-D", stage.workspace.path("head"), "-o",
                file, "\(stage.daemon.url)/events?page_size=20",
            ])
        #expect(result.status == 0, "\(result.errors)")
        let head = try String(contentsOfFile: stage.workspace.path("head"), encoding: .utf8).lowercased()
        #expect(head.contains("content-encoding: gzip"))
        let unpacked = try await stage.workspace.run("/bin/sh", ["-c", "gzip -dc < \(file)"])
        #expect(unpacked.output == plain.text)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count * 3 < plain.body.count)
        for refusal in ["identity", "gzip;q=0", "br", ""] {
            let answer = try await ada.http.get("/events?page_size=20", headers: ["Accept-Encoding": refusal])
            #expect(answer.header("Content-Encoding") == nil, "\(refusal)")
        }
        // Short ones, and those with an entity tag, stay as they are.
        #expect(try await ada.http.get("/auth/me", headers: ["Accept-Encoding": "gzip"]).header("Content-Encoding") == nil)
    }

    // MARK: CORS

    @Test("Pages of FRONTEND_URL may call from a browser, and read what they need; others may not")
    func crossOrigin() async throws {
        let stage = try await Stage(environment: ["FRONTEND_URL": "https://app.example.com"])
        let ada = try await stage.person("ada")
        let preflight = try await stage.http.send(
            .OPTIONS, "/events",
            headers: [
                "Origin": "https://app.example.com", "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization, content-type, idempotency-key",
            ])
        #expect(preflight.status == 204)
        #expect(preflight.header("Access-Control-Allow-Origin") == "https://app.example.com")
        #expect(preflight.header("Access-Control-Allow-Methods")?.contains("POST") == true)
        for name in ["Authorization", "Content-Type", "Idempotency-Key", "If-Match"] {
            #expect(preflight.header("Access-Control-Allow-Headers")?.contains(name) == true)
        }
        let answer = try await ada.http.post("/events", Workspace.eventBody("A"), headers: ["Origin": "https://app.example.com"])
        #expect(answer.status == 201)
        #expect(answer.header("Access-Control-Allow-Origin") == "https://app.example.com")
        #expect(answer.header("Access-Control-Expose-Headers")?.contains("ETag") == true)
        #expect(answer.header("Vary")?.contains("Origin") == true)
        // An error can be read, too.
        let error = try await stage.http.get("/auth/me", headers: ["Origin": "https://app.example.com"])
        #expect(error.status == 401)
        #expect(error.header("Access-Control-Allow-Origin") == "https://app.example.com")
        for origin in ["https://evil.example.com", "null", "https://app.example.com:8443"] {
            let refused = try await stage.http.send(
                .OPTIONS, "/events", headers: ["Origin": origin, "Access-Control-Request-Method": "POST"])
            #expect(refused.status == 405)
            #expect(refused.header("Access-Control-Allow-Origin") == nil)
            #expect(try await ada.http.get("/events", headers: ["Origin": origin]).header("Access-Control-Allow-Origin") == nil)
        }
    }

    @Test("Without FRONTEND_URL no page of another origin may call")
    func noOrigin() async throws {
        let stage = try await Stage()
        let answer = try await stage.http.get("/healthz", headers: ["Origin": "https://app.example.com"])
        #expect(answer.header("Access-Control-Allow-Origin") == nil)
    }

    // MARK: Connections

    @Test("A connection is used again, requests may be sent before the answers are read, and are answered in their order")
    func pipelining() async throws {
        let stage = try await Stage()
        let connection = try await RawConnection(port: stage.daemon.port)
        let paths = (0..<50).map { $0.isMultiple(of: 3) ? "/healthz" : "/nothing/\($0)" }
        try await connection.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: localhost\r\n\r\n" }.joined())
        try await eventually("all are answered") { connection.text.components(separatedBy: "HTTP/1.1 ").count == 51 }
        let statuses = connection.text.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
        #expect(Array(statuses) == paths.map { $0 == "/healthz" ? "200" : "404" })
        for (path, answer) in zip(paths, connection.text.components(separatedBy: "HTTP/1.1 ").dropFirst()) where path != "/healthz" {
            #expect(answer.contains("\"instance\":\"\(path)\""))
        }
        #expect(!connection.isEnded)
    }

    @Test("A wish for an upgrade that Connection does not name is passed over")
    func unnamedUpgrade() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let connection = try await RawConnection(port: stage.daemon.port)
        let lines = [
            "GET /ws HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Authorization: Bearer \(ada.token)",
        ]
        try await connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
        #expect(try await connection.answer().status == 426)
        #expect(try await stage.http.get("/healthz").status == 200)
    }

    @Test("A request for an upgrade that there is not is answered, and ends the connection", arguments: ["h2c", "websocket", "TLS/1.2"])
    func refusedUpgrade(name: String) async throws {
        let stage = try await Stage()
        let connection = try await RawConnection(port: stage.daemon.port)
        let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: \(name)\r\n\r\n"
        try await connection.send(request + request)
        let answer = try await connection.answer()
        #expect(answer.status == 200)
        #expect(answer.header("Connection") == "close")
        try await eventually("the connection ends") { connection.isEnded }
    }

    // MARK: TLS

    @Test(
        "With a certificate HTTPS is served, in HTTP/2 or HTTP/1.1 as the client likes",
        arguments: [("--http2", "2"), ("--http1.1", "1.1")])
    func https(option: String, version: String) async throws {
        let stage = try await SecureStage()
        try await stage.workspace.makeUser("ada")
        let token = try await stage.workspace.token(of: "ada")
        let authorization = "Authorization: Bearer \(token)"
        let first = try await stage.curl(option, "-w", " %{http_version} %{http_code}", "-H", authorization, path: "/auth/me")
        #expect(first.output.hasSuffix(" \(version) 200"), "\(first.output) \(first.errors)")
        #expect(first.output.contains("\"username\":\"ada\""))
        let created = try await stage.curl(
            option, "-w", " %{http_code}", "-H", authorization, "--json", Workspace.eventBody("Over TLS"), path: "/events")
        #expect(created.output.hasSuffix(" 201"), "\(created.output)")
        let missing = try await stage.curl(option, "-w", " %{http_code}", "-H", authorization, path: "/nothing")
        #expect(missing.output.hasSuffix(" 404"))
    }

    @Test("Many requests at once share a connection of HTTP/2")
    func multiplexing() async throws {
        let stage = try await SecureStage()
        let url = "https://127.0.0.1:\(stage.daemon.port)/healthz"
        let result = try await stage.workspace.run(
            "/usr/bin/curl",
            [
                "-sS", "--cacert", stage.workspace.path("chain.pem"), "--http2", "--parallel", "--parallel-max", "50", "-w",
                "%{http_code} %{num_connects}\n",
            ]
                + (0..<50).flatMap { _ in ["-o", "/dev/null", url] })
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 50 && lines.allSatisfy { $0.hasPrefix("200 ") })
        #expect(lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +) < 50)
    }

    @Test("A WebSocket is connected over TLS as well")
    func secureWebSocket() async throws {
        let stage = try await SecureStage()
        try await stage.workspace.makeUser("ada")
        let token = try await stage.workspace.token(of: "ada")
        let result = try await stage.curl(
            "--http1.1", "--max-time", "2", "-i", "-N", "-H", "Authorization: Bearer \(token)", "-H", "Connection: Upgrade", "-H",
            "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", path: "/ws")
        #expect(result.output.hasPrefix("HTTP/1.1 101"), "\(result.output) \(result.errors)")
        #expect(result.output.contains("connection_status"))
    }

    @Test("SIGHUP reads the certificate anew; one that is broken leaves the former")
    func reload() async throws {
        let stage = try await SecureStage()
        #expect(try await stage.shownName().contains("first"))
        try await SecureStage.makeCertificate(stage.workspace, "second")
        stage.daemon.signal(SIGHUP)
        try await eventually("the new certificate is shown") { try await stage.shownName().contains("second") }
        _ = try stage.workspace.file("chain.pem", "nonsense")
        stage.daemon.signal(SIGHUP)
        try await eventually("the daemon says so") { stage.daemon.logText.contains("tls_cert") }
        #expect(try await stage.shownName().contains("second"))
    }

    @Test("A certificate without its key, with another's, or none at all is refused with 78 and the file's name")
    func wrongFiles() async throws {
        let workspace = try Workspace()
        try await SecureStage.makeCertificate(workspace, "one")
        let (chain, key) = (workspace.path("chain.pem"), workspace.path("key.pem"))
        let nonsense = try workspace.file("nonsense.pem", "nonsense")
        try await workspace.ems("serve", "--port", "0", "--tls-cert", chain).expectFailure(78, saying: "tls_key")
        try await workspace.ems("serve", "--port", "0", "--tls-cert", nonsense, "--tls-key", key).expectFailure(78, saying: nonsense)
        try await workspace.ems("serve", "--port", "0", "--tls-cert", chain, "--tls-key", "/nothing").expectFailure(78, saying: "/nothing")
        let other = try Workspace()
        try await SecureStage.makeCertificate(other, "two")
        try await workspace.ems("serve", "--port", "0", "--tls-cert", chain, "--tls-key", other.path("key.pem"))
            .expectFailure(78, saying: "fit together")
    }

    @Test("Old TLS is refused", arguments: ["--tls-max 1.1", "--tls-max 1.0"])
    func oldVersions(option: String) async throws {
        let stage = try await SecureStage()
        let words = option.split(separator: " ").map(String.init)
        #expect(try await stage.curl(words[0], words[1]).status != 0)
        #expect(try await stage.curl("--tlsv1.2").status == 0)
    }

    // MARK: Keys

    @Test("A key that is rotated while daemons run signs new tokens at once there where it was made known, and verifies everywhere")
    func rotation() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ems-keys-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let workspace = try Workspace(["ALGORITHM": "EdDSA", "EMS_KEY_DIR": directory])
        try await workspace.makeUser("ada")
        let old = try await workspace.token(of: "ada")
        let daemon = try await TestDaemon(workspace)
        let second = try await TestDaemon(workspace)
        let id = try await workspace.output("token", "keys", "rotate", "-o", "id").trimmingNewline
        let new = try await workspace.token(of: "ada")
        for port in [daemon.port, second.port] {
            for token in [old, new] { #expect(try await HTTPClient(port: port, token: token).get("/auth/me").status == 200) }
            let keys = try await HTTPClient(port: port).get("/.well-known/jwks.json").json["keys"]?.elements ?? []
            #expect(keys.count == 2)
            #expect(keys.first?["kid"] == .string(id))
        }
        daemon.signal(SIGHUP)
        try await eventually("the new key signs") {
            let grant = try await HTTPClient(port: daemon.port).post("/auth/login", Stage.credentials("ada"))
            return try AccessTokens.inspect(grant.json["access_token"]?.string ?? "").header["kid"] == .string(id)
        }
    }
}
