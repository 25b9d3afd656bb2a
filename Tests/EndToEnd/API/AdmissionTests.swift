import EMSCore
import Foundation
import Testing

/// Who is let in, how far, and what an address or a header counts for.
@Suite(.gated)
struct AdmissionTests {
    @Test("A client that waits for 100 Continue is asked for its body; one whose body is too long is refused before it is sent")
    func expectation() async throws {
        let stage = try await Stage()
        let body = Stage.credentials("nobody")
        let connection = try await RawConnection(port: stage.daemon.port)
        let head = "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        try await connection.send("\(head)Content-Length: \(body.utf8.count)\r\n\r\n")
        #expect(try await connection.answer().status == 100)
        try await connection.send(body)
        try await eventually("the answer follows") { connection.text.contains("HTTP/1.1 401 ") }

        let other = try await RawConnection(port: stage.daemon.port)
        try await other.send("\(head)Content-Length: 1000000000\r\n\r\n")
        #expect(try await other.answer().status == 413)
    }

    @Test("A slash behind a path makes no other path", arguments: ["/ws/ws/", "/ws/", "/events/", "//events", "/healthz/"])
    func trailingSlash(path: String) async throws {
        let stage = try await Stage()
        let plain = path == "//events" ? "/events" : String(path.dropLast())
        #expect(try await stage.http.get(path).status == stage.http.get(plain).status)
        #expect(try await stage.http.get("/healthz").status == 200)
        #expect(!stage.daemon.logText.contains(" error "), "\(stage.daemon.logText)")
    }

    @Test(
        "What a trusted proxy says of the client, and cannot be read, is nobody's address",
        arguments: [("203.0.113.9:1234", 403), ("203.0.113.9", 403), ("nonsense", 403), ("", 403), ("127.0.0.1:80", 200)])
    func forwardedFor(header: String, status: Int) async throws {
        let stage = try await Stage(environment: ["EMS_TRUSTED_PROXIES": "127.0.0.1"])
        #expect(try await stage.http.get("/metrics", headers: ["X-Forwarded-For": header]).status == status)
    }

    @Test("A page of another origin does not read the counters under a name that leads to this machine")
    func rebinding() async throws {
        let stage = try await Stage()
        expectProblem(try await stage.http.get("/metrics", headers: ["Host": "evil.example.com"]), 403)
        for host in ["localhost", "127.0.0.1:8000", "[::1]:8000"] {
            #expect(try await stage.http.get("/metrics", headers: ["Host": host]).status == 200)
        }
    }

    @Test("Failed log-ins are shown to an operator, who ends the lock")
    func unlock() async throws {
        let stage = try await Stage(environment: ["RATE_LIMIT_ENABLED": "true", "LOGIN_RATE_LIMIT": "1000/minute"])
        try await stage.workspace.makeUser("ada")
        var status = 401
        var attempts = 0
        while status == 401, attempts < 20 {
            status = try await stage.login("ada", "Wrong-password1").status
            attempts += 1
        }
        #expect(status == 429 && attempts == LoginDelay.freeAttempts + 1, "\(status) after \(attempts)")
        // The right password does not help either: whoever guesses must not learn that it was right.
        #expect(try await stage.login("ada").status == 429)
        let shown = try await stage.workspace.outputEMS(["user", "show", "ada", "-o", "json"]).jsonDocument()
        #expect(shown["failed_logins"]?.integer == Int64(LoginDelay.freeAttempts), "\(shown)")
        try await stage.workspace.output("user", "unlock", "ada")
        #expect(try await stage.login("ada").status == 200)
    }

    @Test("A refresh token that is sent again at once is answered with the same successor")
    func refreshRepeated() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        func refresh(_ token: String) async throws -> HTTPClient.Answer {
            try await stage.http.post("/auth/refresh", "{\"refresh_token\": \"\(token)\"}")
        }
        let first = try await refresh(ada.refreshToken)
        let second = try await refresh(ada.refreshToken)
        #expect(first.status == 200 && second.status == 200)
        #expect(first.json["refresh_token"] == second.json["refresh_token"])
        let successor = try #require(second.json["refresh_token"]?.string)
        #expect(try await refresh(successor).status == 200)
    }

    @Test("A profile that is changed again and again does not undo what an operator does to the account")
    func lostUpdate() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let changing = Task {
            var number = 0
            while !Task.isCancelled {
                number += 1
                _ = try? await ada.http.send(.PATCH, "/auth/me", "{\"full_name\": \"Ada \(number)\"}")
            }
            return number
        }
        try await stage.workspace.output("user", "role", "ada", "organizer")
        let shown = try await stage.workspace.outputEMS(["user", "show", "ada", "-o", "json"]).jsonDocument()
        #expect(shown["role"] == .string("organizer"))
        try await stage.workspace.output("user", "deactivate", "ada")
        changing.cancel()
        #expect(await changing.value > 1)
        let after = try await stage.workspace.outputEMS(["user", "show", "ada", "-o", "json"]).jsonDocument()
        #expect(after["role"] == .string("organizer") && after["is_active"] == .bool(false), "\(after)")
    }
}
