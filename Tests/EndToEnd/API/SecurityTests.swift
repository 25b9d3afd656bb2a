import Crypto
import EMSCore
import Foundation
import Testing

/// What an attacker would try, through the front door.
@Suite("Attacks over HTTP and WebSocket", .gated)
struct SecurityTests {
    // MARK: Tokens

    /// A token as an attacker who knows the form, or even the key, would make it.
    private struct Forgery {
        static let secret = "0123456789abcdef0123456789abcdef"
        var header = ["alg": "\"HS256\"", "typ": "\"JWT\""]
        var claims: [String: String]

        /// - Parameter token: whose claims are taken over.
        init(from token: String) throws {
            guard case .object(let members) = try AccessTokens.inspect(token).claims else {
                throw TimedOut(description: "the token has no claims")
            }
            claims = Dictionary(uniqueKeysWithValues: members.map { ($0.name, String(decoding: $0.value.json(), as: UTF8.self)) })
        }

        func signed(with secret: String = secret) -> String {
            let text = [header, claims].map { members in
                Self.base64URL(Data(("{" + members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}").utf8))
            }.joined(separator: ".")
            let signature = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: Data(secret.utf8)))
            return text + "." + Self.base64URL(Data(signature))
        }

        static func base64URL(_ data: Data) -> String {
            data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
    }

    enum Claim: String, CaseIterable, Sendable {
        case expired, notYetValid, otherIssuer, otherAudience, otherUser, noSession, futureIssue, noExpiry
    }

    @Test("Well signed tokens whose claims are wrong are refused", arguments: Claim.allCases)
    func claims(_ claim: Claim) async throws {
        let stage = try await Stage(environment: ["SECRET_KEY": Forgery.secret])
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        var forgery = try Forgery(from: ada.token)
        let now = Timestamp.now().milliseconds / 1000
        // The forgery is good as it stands: what is refused below is refused for its claim.
        #expect(try await HTTPClient(port: stage.daemon.port, token: forgery.signed()).get("/auth/me").status == 200)
        switch claim {
        case .expired:
            forgery.claims["iat"] = String(now - 100)
            forgery.claims["exp"] = String(now - 1)
        case .notYetValid: forgery.claims["nbf"] = String(now + 60)
        case .otherIssuer: forgery.claims["iss"] = "\"evil\""
        case .otherAudience: forgery.claims["aud"] = "\"another\""
        case .otherUser: forgery.claims["sub"] = "\"\(bob.id)\""
        case .noSession: forgery.claims["sid"] = "\"\(Workspace.unknownID)\""
        case .futureIssue: forgery.claims["iat"] = String(now + 60)
        case .noExpiry: forgery.claims["exp"] = nil
        }
        let http = HTTPClient(port: stage.daemon.port, token: forgery.signed())
        let answer = try await http.get("/auth/me")
        expectProblem(answer, 401)
        #expect(answer.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
        let socket = try await RawConnection(port: stage.daemon.port)
        try await socket.askForWebSocket(headers: ["Authorization: Bearer \(forgery.signed())"])
        #expect(try await socket.answer().status == 401)
    }

    @Test("A role in a token counts for nothing: what is stored does")
    func roleClaim() async throws {
        let stage = try await Stage(environment: ["SECRET_KEY": Forgery.secret])
        let ada = try await stage.person("ada")
        var forgery = try Forgery(from: ada.token)
        forgery.claims["role"] = "\"admin\""
        #expect(try await HTTPClient(port: stage.daemon.port, token: forgery.signed()).get("/users").status == 403)
    }

    @Test("The published key does not sign (algorithm confusion)", arguments: ["RS256", "ES256", "EdDSA"])
    func confusion(algorithm: String) async throws {
        let environment = Self.asymmetric(algorithm)
        let directory = try #require(environment["EMS_KEY_DIR"])
        defer { try? FileManager.default.removeItem(atPath: directory) }
        // On several machines the keys must be there before the daemons.
        try await Workspace(environment).output("token", "keys", "rotate")
        let stage = try await Stage(environment: environment)
        let ada = try await stage.person("ada")
        #expect(try await ada.http.get("/auth/me").status == 200)
        let keys = try await stage.http.get("/.well-known/jwks.json")
        let key = try #require(keys.json["keys"]?.elements.first)
        #expect(try AccessTokens.inspect(ada.token).header["kid"] == key["kid"])
        var forgery = try Forgery(from: ada.token)
        forgery.header["kid"] = "\"\(key["kid"]?.string ?? "")\""
        for secret in [String(decoding: key.json(), as: UTF8.self), key["x"]?.string ?? key["n"]?.string ?? "", ""] {
            for name in ["HS256", algorithm, "none"] {
                forgery.header["alg"] = "\"\(name)\""
                expectProblem(try await HTTPClient(port: stage.daemon.port, token: forgery.signed(with: secret)).get("/auth/me"), 401)
            }
        }
    }

    private static func asymmetric(_ algorithm: String) -> [String: String] {
        [
            "ALGORITHM": algorithm,
            "EMS_KEY_DIR": FileManager.default.temporaryDirectory.appendingPathComponent("ems-keys-\(UUID().uuidString)").path,
        ]
    }

    // MARK: Sessions

    @Test("One sees where one is logged in, ends one of the sessions, or all of them")
    func sessions() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let second = try await stage.login("ada")
        let other = HTTPClient(port: stage.daemon.port, token: try #require(second.json["access_token"]?.string))
        let sessions = try await ada.http.get("/auth/sessions").json.elements
        #expect(sessions.count == 2)
        let newest = try #require(sessions.first?["session_id"]?.string)
        #expect(try await ada.http.delete("/auth/sessions/\(newest)").status == 204)
        expectProblem(try await other.get("/auth/me"), 401)
        #expect(try await ada.http.get("/auth/sessions").json.elements.count == 1)
        _ = try await stage.login("ada")
        #expect(try await ada.http.post("/auth/logout?everywhere=true").status == 204)
        expectProblem(try await ada.http.get("/auth/me"), 401)
        #expect(try await stage.workspace.output("token", "list", "--user", "ada", "-o", "id").isEmpty)
    }

    @Test(
        "A connection of a user who is deactivated, or whose token is revoked, ends; nothing more is done for it", arguments: [true, false])
    func endedWhileConnected(isDeactivated: Bool) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let event = try await ada.create("An event")
        let connection = try await RawConnection(port: stage.daemon.port)
        try await connection.askForWebSocket(headers: ["Authorization: Bearer \(ada.token)"])
        #expect(try await connection.answer().status == 101)
        if isDeactivated {
            try await stage.workspace.output("user", "deactivate", "ada")
        } else {
            try await stage.workspace.output("token", "revoke", "--user", "ada")
        }
        try? await connection.send(RawConnection.frame(0x81, "{\"action\": \"subscribe\", \"event_id\": \"\(event)\"}"))
        #expect(try await connection.closeCode() == 4003)
        #expect(!connection.frames.contains { $0.text.contains("subscription_update") })
    }

    // MARK: What bodies may not say

    @Test("No body sets what is the system's own: role, creator, version, times, ids")
    func massAssignment() async throws {
        let stage = try await Stage()
        let more =
            ", \"role\": \"admin\", \"is_active\": false, \"user_id\": \"\(Workspace.unknownID)\", \"created_at\": \"2001-01-01T00:00:00Z\""
        let registered = try await stage.http.post("/auth/register", Stage.registration("eve", more: more))
        #expect(registered.status == 201)
        #expect(registered.json["role"] == .string("user"))
        #expect(registered.json["is_active"] == .bool(true))
        #expect(registered.json["user_id"] != .string(Workspace.unknownID))
        let token = try #require(try await stage.login("eve").json["access_token"]?.string)
        let eve = HTTPClient(port: stage.daemon.port, token: token)
        let patched = try await eve.patch("/auth/me", "{\"role\": \"admin\", \"is_active\": false, \"last_login\": null}")
        #expect(patched.json["role"] == .string("user"))
        expectProblem(try await eve.get("/users"), 403)
        let own = ", \"event_id\": \"\(Workspace.unknownID)\", \"created_by\": \"operator:root\", \"version\": 99"
        let created = try await eve.post("/events", Workspace.eventBody("Mine", more: own))
        let id = try #require(created.json["event_id"]?.string)
        #expect(id != Workspace.unknownID)
        #expect(created.json["created_by"] == registered.json["user_id"])
        #expect(created.json["version"] == .integer(1))
        let changed = try await eve.patch(
            "/events/\(id)", "{\"created_by\": \"operator:root\", \"version\": 99, \"title\": \"Still mine\"}")
        #expect(changed.json["created_by"] == registered.json["user_id"])
        #expect(changed.json["version"] == .integer(2))
    }

    @Test(
        "What is an operator in MongoDB is a wrong value here",
        arguments: ["{\"$ne\": null}", "{\"$gt\": \"\"}", "{\"$regex\": \".*\"}", "[\"ada\"]", "null", "true", "7"])
    func operators(value: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        expectProblem(try await stage.http.post("/auth/login", "{\"username_or_email\": \(value), \"password\": \(value)}"), 422)
        expectProblem(try await stage.http.post("/auth/login", "{\"username_or_email\": \"ada\", \"password\": \(value)}"), 422)
        expectProblem(try await stage.http.post("/auth/refresh", "{\"refresh_token\": \(value)}"), 422)
        expectProblem(try await ada.http.post("/events/subscribe", "{\"event_id\": \(value)}"), 422)
        let escaped = try #require(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        for path in [
            "/events?tag=\(escaped)", "/events/search?q=\(escaped)&created_by=\(escaped)&location=\(escaped)",
        ] {
            let answer = try await ada.http.get(path)
            #expect(answer.status == 200, "\(path): \(answer.text)")
        }
        expectProblem(try await ada.http.get("/events?tag[$ne]=x"), 422, at: ["query", "tag[$ne]"])
        expectProblem(try await ada.http.get("/events/\(escaped)"), 404)
        expectProblem(try await ada.http.get("/events?status[$ne]=x&status=\(escaped)"), 422)
    }

    // MARK: Who is registered

    @Test("A log-in does not tell whether there is a user, by text, status or headers")
    func enumeration() async throws {
        let stage = try await Stage()
        try await stage.workspace.makeUser("ada")
        try await stage.workspace.makeUser("gone")
        try await stage.workspace.output("user", "deactivate", "gone")
        var answers: [HTTPClient.Answer] = []
        for name in ["ada", "nobody", "nobody@example.com", "gone", "ADA@EXAMPLE.COM"] {
            answers.append(try await stage.login(name, "Wrong123!"))
        }
        // Who is deactivated is not told apart even with the right password.
        answers.append(try await stage.login("gone"))
        #expect(Set(answers.map(\.text)).count == 1)
        #expect(Set(answers.map { $0.headers.map { "\($0.name): \($0.value)" }.filter { !$0.lowercased().hasPrefix("date") } }).count == 1)
    }

    @Test("An unknown user takes as long as a wrong password: bcrypt is computed for both")
    func timing() async throws {
        let stage = try await Stage(environment: ["BCRYPT_SALT_ROUNDS": "10"])
        try await stage.workspace.makeUser("ada")
        func median(_ name: String) async throws -> Duration {
            var times: [Duration] = []
            for _ in 0..<7 {
                let start = ContinuousClock.now
                _ = try await stage.login(name, "Wrong123!")
                times.append(ContinuousClock.now - start)
            }
            return times.sorted()[3]
        }
        _ = try await median("ada")
        let (known, unknown) = (try await median("ada"), try await median("nobody"))
        // Without the hash it would be a thirtieth. What is noise does not decide.
        #expect(unknown * 5 > known, "\(unknown) against \(known)")
    }

    // MARK: Injection

    @Test(
        "What a client writes does not break out of a header or a line of the log",
        arguments: ["%0d%0aX-Injected:%20yes", "%0aerror%20ems:%20forged", "%1b[31mred", "%E2%80%AEdesrever"])
    func injection(text: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        for path in ["/events/\(text)", "/\(text)", "/events?tag=\(text)", "/notifications?unread=true&page_size=1&after=\(text)"] {
            let answer = try await ada.http.get(path)
            #expect(answer.header("X-Injected") == nil)
            #expect(answer.status < 500)
        }
        _ = try await ada.http.post("/events", Workspace.eventBody("A"), headers: ["Idempotency-Key": "a\tb"])
        let log = stage.daemon.logText
        #expect(!log.contains("forged") && !log.contains("\u{1B}") && !log.contains("\u{202E}"))
    }

    @Test(
        "Paths lead nowhere but to the routes",
        arguments: [
            "/../etc/passwd", "/docs/../../etc/passwd", "/docs/..%2f..%2fetc%2fpasswd", "/docs/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
            "/docs/secret.key", "/redoc/..%5c..%5cems.db", "/api/api/events", "/events//", "/%00", "/events%00", "/EVENTS",
        ])
    func paths(path: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let answer = try await ada.http.get(path)
        #expect([400, 404].contains(answer.status) || answer.json["events"] != nil, "\(answer.status) \(answer.text)")
        #expect(!answer.text.contains("root:"))
    }

    // MARK: Bombs

    @Test("Bombs are refused, or answered quickly")
    func bombs() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        for index in 0..<20 { _ = try await ada.create("Event \(index)") }
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        expectProblem(try await ada.http.post("/events", deep), 400)
        let nested = String(repeating: "{\"a\":", count: 50_000) + "1" + String(repeating: "}", count: 50_000)
        expectProblem(try await ada.http.patch("/events/\(Workspace.unknownID)", nested), 400)
        let body = Workspace.eventBody("A")
        let tags = (0..<10_000).map { "\"t\($0)\"" }.joined(separator: ",")
        expectProblem(try await ada.http.post("/events", body.replacing("\"technology\"", with: tags)), 422)
        let asked = (0..<1000).map { "tag=t\($0)" }.joined(separator: "&")
        expectProblem(try await ada.http.get("/events?\(asked)"), 422)
        for bomb in ["(a+)+$", "%2E*%2E*%2E*%2E*x", String(repeating: "a%20", count: 450), "%22%20OR%201=1%20--", "NEAR(a%20b,10000)"] {
            let answer = try await ada.http.get("/events/search?q=\(bomb)")
            #expect(answer.status == 200, "\(bomb): \(answer.text)")
        }
        let number = "1" + String(repeating: "0", count: 100_000)
        expectProblem(try await ada.http.post("/events", body.replacing("500", with: number)), 400)
        #expect(try await ada.http.get("/events").status == 200)
    }

    @Test("Passwords of 73 bytes and with NUL are refused, not cut")
    func passwords() async throws {
        let stage = try await Stage()
        let long = "Aa1!" + String(repeating: "x", count: 69)
        expectProblem(
            try await stage.http.post("/auth/register", Stage.registration("ada", password: long)), 422, at: ["body", "password"])
        expectProblem(
            try await stage.http.post("/auth/register", Stage.registration("ada", password: "Example123!\\u0000x")), 422,
            at: ["body", "password"])
        #expect(try await stage.http.post("/auth/register", Stage.registration("ada", password: String(long.dropLast()))).status == 201)
        // What bcrypt would take for the same password is another one.
        expectProblem(try await stage.login("ada", long), 401)
    }

    // MARK: Browsers

    @Test("Pages of other origins do not connect a WebSocket, those of our own and of FRONTEND_URL do")
    func crossOrigin() async throws {
        let stage = try await Stage(environment: ["FRONTEND_URL": "https://App.example.com/start, http://localhost:3000"])
        let ada = try await stage.person("ada")
        let rows = [
            ("https://evil.example.com", 403), ("null", 403), ("https://app.example.com.evil.com", 403), ("http://app.example.com", 403),
            ("https://app.example.com", 101), ("http://localhost:3000", 101), ("http://127.0.0.1:\(stage.daemon.port)", 101),
        ]
        for (origin, status) in rows {
            let connection = try await RawConnection(port: stage.daemon.port)
            try await connection.askForWebSocket(headers: ["Origin: \(origin)", "Authorization: Bearer \(ada.token)"])
            #expect(try await connection.answer().status == status, "\(origin)")
        }
    }

    @Test("Nothing is ever set in a browser that another site could have sent along: no cookies, no credentials")
    func noCookies() async throws {
        let stage = try await Stage(environment: ["FRONTEND_URL": "https://app.example.com"])
        let ada = try await stage.person("ada")
        for answer in [try await stage.login("ada"), try await ada.http.get("/auth/me", headers: ["Origin": "https://app.example.com"])] {
            #expect(answer.header("Set-Cookie") == nil)
            #expect(answer.header("Access-Control-Allow-Credentials") == nil)
        }
        let cookie = try await stage.http.get(
            "/auth/me", headers: ["Cookie": "access_token=\(ada.token); Authorization=Bearer \(ada.token)"])
        expectProblem(cookie, 401)
    }
}
