import EMSCore
import Foundation
import Testing

/// Accounts and tokens, over HTTP.
@Suite("Registration, log-in and tokens", .gated)
struct AuthenticationTests {
    // MARK: Registration

    @Test("Registering answers 201 with the user and where it is found, and shows neither password nor hash", arguments: ["", "/api"])
    func registers(prefix: String) async throws {
        let stage = try await Stage()
        let body = Stage.registration("ada", more: ", \"full_name\": \"Ada Lovelace\"")
        let answer = try await stage.http.post(prefix + "/auth/register", body)
        #expect(answer.status == 201)
        #expect(answer.json["username"] == .string("ada"))
        #expect(answer.json["email"] == .string("ada@example.com"))
        #expect(answer.json["full_name"] == .string("Ada Lovelace"))
        #expect(answer.json["role"] == .string("user"))
        #expect(answer.json["is_active"] == .bool(true))
        #expect(!answer.json.names.contains { $0.contains("password") || $0.contains("hash") })
        #expect(!answer.text.contains(Workspace.password))
        #expect(!answer.text.contains("$2"))

        let id = try #require(answer.json["user_id"]?.string)
        let location = try #require(answer.header("Location"))
        #expect(location.hasSuffix("/users/\(id)"))
        let granted = try await stage.login("ada")
        let token = try #require(granted.json["access_token"]?.string)
        let found = try await HTTPClient(port: stage.daemon.port, token: token).get(location)
        #expect(found.status == 200)
        #expect(found.json["user_id"] == .string(id))
    }

    @Test("Nobody registers as an admin")
    func noAdminByRegistration() async throws {
        let stage = try await Stage()
        let answer = try await stage.http.post("/auth/register", Stage.registration("ada", more: ", \"role\": \"admin\""))
        #expect([201, 422].contains(answer.status))
        #expect(answer.json["role"] != .string("admin"))
    }

    struct Taken: Sendable, CustomTestStringConvertible {
        let username: String
        let email: String
        var testDescription: String { "\(username), \(email)" }
    }

    @Test(
        "A taken username or email is refused with 409, in any letter case",
        arguments: [
            Taken(username: "ada", email: "other@example.com"), Taken(username: "ADA", email: "other@example.com"),
            Taken(username: "other", email: "ada@example.com"), Taken(username: "other", email: "Ada@EXAMPLE.com"),
        ])
    func taken(_ example: Taken) async throws {
        let stage = try await Stage()
        let first = try await stage.http.post("/auth/register", Stage.registration("ada"))
        #expect(first.status == 201)
        let second = try await stage.http.post("/auth/register", Stage.registration(example.username, email: example.email))
        expectProblem(second, 409)
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let what: String
        var username = "ada"
        var email = "ada@example.com"
        var password = Workspace.password
        let field: String
        var testDescription: String { what }
    }

    static let refused: [Refused] = [
        Refused(what: "a username of 2 characters", username: "ab", field: "username"),
        Refused(what: "a username of 51 characters", username: String(repeating: "a", count: 51), field: "username"),
        Refused(what: "a username with a space", username: "ada lovelace", field: "username"),
        Refused(what: "a username with a hyphen", username: "ada-lovelace", field: "username"),
        Refused(what: "a username with an accent", username: "adà", field: "username"),
        Refused(what: "a password of 7 characters", password: "Exam12!", field: "password"),
        Refused(what: "a password of 73 bytes", password: "Example123!" + String(repeating: "a", count: 62), field: "password"),
        Refused(
            what: "a password of 41 characters and 74 bytes", password: "Aa1!bcde" + String(repeating: "ä", count: 33), field: "password"),
        Refused(what: "a password without an upper-case letter", password: "example123!", field: "password"),
        Refused(what: "a password without a digit", password: "Exampleabc!", field: "password"),
        Refused(what: "a password without a special character", password: "Example1234", field: "password"),
        Refused(what: "an email without an at sign", email: "ada.example.com", field: "email"),
        Refused(what: "an email without a domain", email: "ada@", field: "email"),
        Refused(what: "an email with two at signs", email: "ada@b@example.com", field: "email"),
        Refused(what: "an email with a space", email: "ada b@example.com", field: "email"),
        Refused(what: "an empty email", email: "", field: "email"),
    ]

    @Test("What breaks a rule is refused with 422 and the place of the fault", arguments: AuthenticationTests.refused)
    func rules(_ example: Refused) async throws {
        let stage = try await Stage()
        let body = Stage.registration(example.username, email: example.email, password: example.password)
        let answer = try await stage.http.post("/auth/register", body)
        expectProblem(answer, 422, at: ["body", example.field])
        #expect(answer.faultLocations == [["body", example.field]])
        #expect(!answer.text.contains(example.password))
    }

    @Test("All faults are told at once")
    func allFaults() async throws {
        let stage = try await Stage()
        let wrong = try await stage.http.post("/auth/register", Stage.registration("a", email: "b", password: "c"))
        expectProblem(wrong, 422)
        #expect(Set(wrong.faultLocations) == [["body", "username"], ["body", "email"], ["body", "password"]])
        let missing = try await stage.http.post("/auth/register", "{}")
        expectProblem(missing, 422)
        #expect(Set(missing.faultLocations) == [["body", "username"], ["body", "email"], ["body", "password"]])
    }

    struct Accepted: Sendable, CustomTestStringConvertible {
        let username: String
        let password: String
        var testDescription: String { "\(username.utf8.count) and \(password.utf8.count) bytes" }
    }

    @Test(
        "Usernames of 3 and 50 characters and passwords of 8 characters and of 72 bytes are accepted, and no byte of them is lost",
        arguments: [
            Accepted(username: "A_1", password: "Exampl1!"),
            Accepted(username: String(repeating: "a", count: 50), password: "Example1!" + String(repeating: "a", count: 63)),
            Accepted(username: "emoji", password: "Example1!" + String(repeating: "🔑", count: 15) + "abc"),
        ])
    func limits(_ example: Accepted) async throws {
        let stage = try await Stage()
        let body = Stage.registration(example.username, email: "a@example.com", password: example.password)
        let answer = try await stage.http.post("/auth/register", body)
        #expect(answer.status == 201, "\(answer.text)")
        #expect(try await stage.login(example.username, example.password).status == 200)
        #expect(try await stage.login(example.username, example.password + "x").status == 401)
        #expect(try await stage.login(example.username, String(example.password.dropLast())).status == 401)
    }

    @Test(
        "Names of all scripts, from the right and with emoji, come back as they were",
        arguments: ["👩‍🚀 Ada 🎉", "עדה לאבלייס", "آدا", "林 愛"])
    func names(name: String) async throws {
        let stage = try await Stage()
        let answer = try await stage.http.post("/auth/register", Stage.registration("ada", more: ", \"full_name\": \"\(name)\""))
        #expect(answer.status == 201)
        #expect(answer.json["full_name"] == .string(name))
    }

    @Test(
        "No body is answered with 500",
        arguments: ["[]", "null", "5", "\"x\"", "{", "{}", "{\"username\": null}", "{\"username_or_email\": [], \"password\": {}}"])
    func oddBodies(body: String) async throws {
        let stage = try await Stage()
        for path in ["/auth/register", "/auth/login", "/auth/refresh"] {
            let answer = try await stage.http.post(path, body)
            expectProblem(answer, body == "{" ? 400 : 422)
        }
    }

    @Test("A NUL character in a log-in is a wrong log-in, not a fault of the server")
    func nulCharacter() async throws {
        let stage = try await Stage()
        _ = try await stage.person("ada")
        for body in [Stage.credentials("ada\\u0000"), Stage.credentials("ada", Workspace.password + "\\u0000")] {
            let answer = try await stage.http.post("/auth/login", body)
            #expect([401, 422].contains(answer.status), "\(answer.text)")
        }
    }

    // MARK: Log-in

    @Test(
        "Logging in by username or email, in any letter case, grants a pair of tokens",
        arguments: ["ada", "Ada", "ada@example.com", "ADA@example.COM"])
    func login(name: String) async throws {
        let stage = try await Stage()
        _ = try await stage.person("ada")
        let answer = try await stage.login(name)
        #expect(answer.status == 200)
        #expect(answer.json.names == ["access_token", "expires_in", "refresh_token", "token_type"])
        #expect(answer.json["token_type"] == .string("bearer"))
        #expect(answer.json["expires_in"] == .integer(1800))
        let token = try #require(answer.json["access_token"]?.string)
        let me = try await HTTPClient(port: stage.daemon.port, token: token).get("/api/auth/me")
        #expect(me.status == 200)
        #expect(me.json["username"] == .string("ada"))
    }

    @Test("A token says who, in which role, when and until when, for whom and by whom, and what signed it")
    func claims() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let (header, claims) = try AccessTokens.inspect(ada.token)
        #expect(header["alg"] == .string("HS256"))
        #expect(claims["sub"] == .string(ada.id))
        #expect(claims["role"] == .string("user"))
        for name in ["jti", "iss", "aud"] { #expect(claims[name]?.string?.isEmpty == false) }
        let issued = try #require(claims["iat"]?.integer)
        let expires = try #require(claims["exp"]?.integer)
        #expect(expires - issued == 1800)
    }

    @Test("A wrong password and an unknown user read the same")
    func sameRefusal() async throws {
        let stage = try await Stage()
        _ = try await stage.person("ada")
        let wrong = try await stage.login("ada", "Example124!")
        let unknown = try await stage.login("bob", "Example124!")
        expectProblem(wrong, 401)
        #expect(unknown.status == wrong.status)
        #expect(unknown.text == wrong.text)
    }

    // MARK: One's own account

    @Test("One changes one's own name and email, and takes the name away with null")
    func patchMe() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let changed = try await ada.http.patch("/auth/me", "{\"full_name\": \"Ada L.\", \"email\": \"lovelace@example.com\"}")
        #expect(changed.status == 200)
        let me = try await ada.http.get("/auth/me").json
        #expect(me["full_name"] == .string("Ada L."))
        #expect(me["email"] == .string("lovelace@example.com"))
        #expect(me["username"] == .string("ada"))
        #expect(try await stage.login("lovelace@example.com").status == 200)
        #expect(try await stage.login("ada@example.com").status == 401)
        let cleared = try await ada.http.patch("/auth/me", "{\"full_name\": null}")
        #expect(cleared.status == 200)
        #expect(try await ada.http.get("/auth/me").json["full_name"] == .null)
    }

    @Test("A change of the account keeps the rules: 409 for what is taken, 422 for what is wrong, and no role")
    func patchMeRules() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        _ = try await stage.person("bob")
        expectProblem(try await ada.http.patch("/auth/me", "{\"email\": \"BOB@example.com\"}"), 409)
        expectProblem(try await ada.http.patch("/auth/me", "{\"email\": \"nothing\"}"), 422, at: ["body", "email"])
        _ = try await ada.http.patch("/auth/me", "{\"role\": \"admin\", \"is_active\": false}")
        let me = try await ada.http.get("/auth/me").json
        #expect(me["role"] == .string("user"))
        #expect(me["is_active"] == .bool(true))
        #expect(me["email"] == .string("ada@example.com"))
        expectProblem(try await stage.http.patch("/auth/me", "{\"full_name\": \"Nobody\"}"), 401)
    }

    @Test("A user's email is seen by the user and by admins only")
    func emailIsPrivate() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let root = try await stage.admin("root_user")
        #expect(try await ada.http.get("/users/\(ada.id)").json["email"] == .string("ada@example.com"))
        #expect(try await root.http.get("/users/\(ada.id)").json["email"] == .string("ada@example.com"))
        let seen = try await bob.http.get("/users/\(ada.id)")
        #expect(seen.status == 200)
        #expect(seen.json["username"] == .string("ada"))
        #expect(!seen.text.contains("ada@example.com"))
        expectProblem(try await stage.http.get("/users/\(ada.id)"), 401)
        expectProblem(try await ada.http.get("/users/0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"), 404)
        expectProblem(try await ada.http.get("/users/nobody"), 404)
    }

    @Test("Only admins list the users")
    func listUsers() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let root = try await stage.admin("root_user")
        expectProblem(try await stage.http.get("/users"), 401)
        expectProblem(try await ada.http.get("/users"), 403)
        let list = try await root.http.get("/api/users")
        #expect(list.status == 200)
        let names = (list.json["users"]?.elements ?? []).compactMap { $0["username"]?.string }
        #expect(Set(names) == ["ada", "root_user"])
        #expect(list.json["total"] == .integer(2))
    }

    // MARK: Sessions

    private func refresh(_ stage: Stage, _ token: String) async throws -> HTTPClient.Answer {
        try await stage.http.post("/auth/refresh", "{\"refresh_token\": \"\(token)\"}")
    }

    @Test("A refresh token is exchanged for a new pair, and one used twice ends all that came of it")
    func refreshing() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let rotated = try await refresh(stage, ada.refreshToken)
        #expect(rotated.status == 200)
        #expect(rotated.json["expires_in"] == .integer(1800))
        let access = try #require(rotated.json["access_token"]?.string)
        let successor = try #require(rotated.json["refresh_token"]?.string)
        #expect(successor != ada.refreshToken)
        let renewed = HTTPClient(port: stage.daemon.port, token: access)
        #expect(try await renewed.get("/auth/me").status == 200)

        // A client that got no answer repeats its request, and gets the same successor.
        let repeated = try await refresh(stage, ada.refreshToken)
        #expect(repeated.status == 200 && repeated.json["refresh_token"]?.string == successor)
        guard try await stage.letRefreshTokensAge() else { return }
        expectProblem(try await refresh(stage, ada.refreshToken), 401)
        expectProblem(try await renewed.get("/auth/me"), 401)
        expectProblem(try await ada.http.get("/auth/me"), 401)
        expectProblem(try await refresh(stage, successor), 401)
        #expect(try await stage.login("ada").status == 200)
    }

    @Test("A refresh token used many times at once has one successor, and is of no use later")
    func refreshingAtOnce() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let successors = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<8 {
                group.addTask { try await refresh(stage, ada.refreshToken).json["refresh_token"]?.string }
            }
            var successors: [String?] = []
            for try await successor in group { successors.append(successor) }
            return successors
        }
        #expect(Set(successors).count == 1 && successors.first != .some(nil))
        guard try await stage.letRefreshTokensAge() else { return }
        expectProblem(try await refresh(stage, ada.refreshToken), 401)
        expectProblem(try await ada.http.get("/auth/me"), 401)
    }

    @Test("What is no refresh token is refused", arguments: ["nonsense", String(repeating: "0", count: 64)])
    func unknownRefreshToken(token: String) async throws {
        let stage = try await Stage()
        expectProblem(try await refresh(stage, token), 401)
    }

    @Test("An access token is no refresh token, and a refresh token no access token")
    func tokensOfTheOtherKind() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        expectProblem(try await refresh(stage, ada.token), 401)
        expectProblem(try await HTTPClient(port: stage.daemon.port, token: ada.refreshToken).get("/auth/me"), 401)
    }

    @Test("After logging out the tokens are dead at once, in another daemon too")
    func logout() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let second = try await TestDaemon(stage.workspace)
        let elsewhere = HTTPClient(port: second.port, token: ada.token)
        #expect(try await elsewhere.get("/auth/me").status == 200)
        #expect(try await ada.http.post("/auth/logout").status == 204)
        expectProblem(try await elsewhere.get("/auth/me"), 401)
        expectProblem(try await ada.http.get("/auth/me"), 401)
        expectProblem(try await refresh(stage, ada.refreshToken), 401)
        expectProblem(try await stage.http.post("/auth/logout"), 401)
        try await second.stop()
    }

    @Test("Logging out of one session leaves the others")
    func logoutOfOne() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let granted = try await stage.login("ada")
        let other = try #require(granted.json["access_token"]?.string)
        #expect(try await ada.http.post("/auth/logout").status == 204)
        #expect(try await HTTPClient(port: stage.daemon.port, token: other).get("/auth/me").status == 200)
    }

    private static func passwordChange(_ current: String, _ new: String) -> String {
        "{\"current_password\": \"\(current)\", \"new_password\": \"\(new)\"}"
    }

    @Test("Changing the password ends the other sessions, and only the new one logs in")
    func changePassword() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let granted = try await stage.login("ada")
        let other = try #require(granted.json["access_token"]?.string)
        let changed = try await ada.http.post("/auth/password", Self.passwordChange(Workspace.password, "Changed456#"))
        #expect((200...204).contains(changed.status), "\(changed.text)")
        expectProblem(try await HTTPClient(port: stage.daemon.port, token: other).get("/auth/me"), 401)
        #expect(try await ada.http.get("/auth/me").status == 200)
        #expect(try await stage.login("ada").status == 401)
        #expect(try await stage.login("ada", "Changed456#").status == 200)
    }

    @Test("A password is not changed without the current one, nor to a weak one, nor without a token")
    func refusedPasswordChange() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let wrong = try await ada.http.post("/auth/password", Self.passwordChange("Wrong123!", "Changed456#"))
        #expect((400...422).contains(wrong.status))
        let weak = try await ada.http.post("/auth/password", Self.passwordChange(Workspace.password, "weak"))
        expectProblem(weak, 422, at: ["body", "new_password"])
        expectProblem(try await stage.http.post("/auth/password", Self.passwordChange(Workspace.password, "Changed456#")), 401)
        #expect(try await stage.login("ada").status == 200)
    }

    @Test("A user who is deactivated is out at once, and back after activation with a new log-in only")
    func deactivated() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        try await stage.workspace.output("user", "deactivate", "ada")
        expectProblem(try await ada.http.get("/auth/me"), 401)
        expectProblem(try await refresh(stage, ada.refreshToken), 401)
        expectProblem(try await stage.login("ada"), 401)
        try await stage.workspace.output("user", "activate", "ada")
        #expect(try await stage.login("ada").status == 200)
        expectProblem(try await ada.http.get("/auth/me"), 401)
    }

    @Test("A deleted user's token is dead at once")
    func deleted() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        try await stage.workspace.output("user", "delete", "ada", "--yes")
        expectProblem(try await ada.http.get("/auth/me"), 401)
        expectProblem(try await refresh(stage, ada.refreshToken), 401)
    }

    @Test("A change of role counts from the next request, with the token one has")
    func roleChange() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        #expect(try await ada.http.get("/users").status == 403)
        try await stage.workspace.output("user", "role", "ada", "admin")
        #expect(try await ada.http.get("/users").status == 200)
        try await stage.workspace.output("user", "role", "ada", "user")
        #expect(try await ada.http.get("/users").status == 403)
    }

    // MARK: The limit of log-ins

    @Test("After five log-ins in a minute the sixth is refused with 429 and Retry-After, whichever daemon is asked")
    func loginLimit() async throws {
        let stage = try await Stage(environment: ["RATE_LIMIT_ENABLED": "true"])
        try await stage.workspace.makeUser("ada")
        let second = try await TestDaemon(stage.workspace)
        for attempt in 0..<5 {
            let port = attempt.isMultiple(of: 2) ? stage.daemon.port : second.port
            let answer = try await HTTPClient(port: port).post("/auth/login", Stage.credentials("ada", "Wrong123!"))
            expectProblem(answer, 401)
        }
        for port in [stage.daemon.port, second.port] {
            let answer = try await HTTPClient(port: port).post("/api/auth/login", Stage.credentials("ada"))
            expectProblem(answer, 429)
            let wait = try #require(answer.header("Retry-After").flatMap { Int($0) })
            #expect((1...60).contains(wait))
        }
        // Only logging in is limited.
        #expect(try await stage.http.get("/healthz").status == 200)
        try await second.stop()
    }

    @Test("Of twelve log-ins at once at two daemons five are tried, exactly")
    func loginLimitAtOnce() async throws {
        let stage = try await Stage(environment: ["RATE_LIMIT_ENABLED": "true"])
        try await stage.workspace.makeUser("ada")
        let second = try await TestDaemon(stage.workspace)
        let ports = [stage.daemon.port, second.port]
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for attempt in 0..<12 {
                group.addTask {
                    try await HTTPClient(port: ports[attempt % 2]).post("/auth/login", Stage.credentials("ada", "Wrong123!")).status
                }
            }
            var statuses: [Int] = []
            for try await status in group { statuses.append(status) }
            return statuses
        }
        #expect(statuses.filter { $0 == 401 }.count == 5)
        #expect(statuses.filter { $0 == 429 }.count == 7)
        try await second.stop()
    }

    // MARK: Bad tokens

    enum BadToken: String, CaseIterable, Sendable {
        case claimsOfAnother, changedSignature, noSignature, algorithmNone, algorithmNoneInCapitals, anotherAlgorithm, anotherKey
        case twoParts, garbage, tooLong

        func made(from token: String, and other: String, signedByAnotherKey: String) -> String {
            let parts = token.split(separator: ".").map(String.init)
            let others = other.split(separator: ".").map(String.init)
            guard parts.count == 3, others.count == 3 else { return "" }
            let (header, claims, signature) = (parts[0], parts[1], parts[2])
            return switch self {
            case .claimsOfAnother: "\(header).\(others[1]).\(signature)"
            case .changedSignature: "\(header).\(claims).\(signature.hasPrefix("A") ? "B" : "A")\(signature.dropFirst())"
            case .noSignature: "\(header).\(claims)."
            case .algorithmNone: "\(Self.header("none")).\(claims)."
            case .algorithmNoneInCapitals: "\(Self.header("NONE")).\(claims)."
            case .anotherAlgorithm: "\(Self.header("HS512")).\(claims).\(signature)"
            case .anotherKey: signedByAnotherKey
            case .twoParts: "\(header).\(claims)"
            case .garbage: "garbage"
            case .tooLong: "\(header).\(String(repeating: "A", count: 8000)).\(signature)"
            }
        }

        /// A header in base64url.
        private static func header(_ algorithm: String) -> String {
            Data("{\"alg\":\"\(algorithm)\",\"typ\":\"JWT\"}".utf8).base64EncodedString()
                .replacingOccurrences(of: "=", with: "").replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
        }
    }

    @Test("A token that is not ours is refused with 401, a problem document and WWW-Authenticate", arguments: BadToken.allCases)
    func badToken(_ example: BadToken) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let issued = try await stage.workspace.ems(
            "token", "issue", "--user", "ada", environment: ["SECRET_KEY": "another-key-another-key-another-key-another-key"])
        #expect(issued.status == 0, "\(issued.errors)")
        let token = example.made(from: ada.token, and: bob.token, signedByAnotherKey: issued.output.trimmingNewline)
        #expect(!token.isEmpty)
        let answer = try await HTTPClient(port: stage.daemon.port, token: token).get("/auth/me")
        expectProblem(answer, 401)
        #expect(answer.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
    }

    @Test("Without a token the answer is 401 with WWW-Authenticate", arguments: ["", "Basic YWRhOkV4YW1wbGUxMjMh", "Bearer", "Bearer "])
    func noToken(authorization: String) async throws {
        let stage = try await Stage()
        let headers: [String: String] = authorization.isEmpty ? [:] : ["Authorization": authorization]
        let answer = try await stage.http.get("/auth/me", headers: headers)
        expectProblem(answer, 401)
        #expect(answer.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
    }

    @Test("A token works until it expires, and then says so")
    func expired() async throws {
        let stage = try await Stage()
        try await stage.workspace.makeUser("ada")
        let client = HTTPClient(port: stage.daemon.port, token: try await stage.workspace.token(of: "ada", ttl: "1s"))
        try await eventually("the token expires") { try await client.get("/auth/me").status == 401 }
        let answer = try await client.get("/auth/me")
        expectProblem(answer, 401)
        #expect(answer.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
        #expect(answer.text.contains("expired"))
    }

    @Test("Neither password nor token is logged")
    func nothingSecretIsLogged() async throws {
        let stage = try await Stage(["--verbose"])
        let ada = try await stage.person("ada")
        _ = try await stage.login("ada", "Wrong123!")
        _ = try await ada.http.get("/auth/me")
        let client = try await ada.connected()
        try await client.disconnect()
        let status = try await stage.daemon.stop()
        #expect(status == 0)
        for secret in [Workspace.password, "Wrong123!", ada.token, ada.refreshToken] {
            #expect(!stage.daemon.logText.contains(secret))
        }
    }
}
