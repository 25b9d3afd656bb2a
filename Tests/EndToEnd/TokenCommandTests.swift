import EMSCore
import Foundation
import Testing

/// `ems token`: sessions and keys at the command line.
@Suite(.gated)
struct TokenCommandTests {
    private static let sessionFields = ["session_id", "user_id", "label", "created_at", "expires_at", "ended_at"]

    @Test("A token is printed alone, speaks for its user, and opens the daemon")
    func issued() async throws {
        let workspace = try Workspace()
        let id = try await workspace.makeUser("ada", role: "organizer")
        let result = try await workspace.ems("token", "issue", "--user", "ada", "--ttl", "12h", "--label", "nightly import")
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
        #expect(result.outputLines.count == 1)
        let verified = try await workspace.ems("token", "verify", "-o", "json", input: result.output).jsonDocument()
        #expect(verified["user_id"] == .string(id))
        #expect(verified["username"] == .string("ada"))
        #expect(verified["role"] == .string("organizer"))
        #expect(verified["valid"] == .bool(true))
        let daemon = try await TestDaemon(workspace)
        let me = try await HTTPClient(port: daemon.port, token: result.output.trimmingNewline).get("/auth/me")
        #expect(me.status == 200)
        #expect(me.json["user_id"] == .string(id))
        #expect(try await daemon.stop() == 0)
    }

    @Test("Asked for in another form, a token comes as log-in gives it")
    func issuedAsJSON() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let grant = try await workspace.ems("token", "issue", "--user", "ada@example.com", "-o", "json").jsonDocument()
        #expect(grant["token_type"] == .string("bearer"))
        let token = try #require(grant["access_token"]?.string)
        let verified = try await workspace.ems("token", "verify", "-o", "json", input: token).jsonDocument()
        #expect(verified["session_id"] == grant["session_id"])
    }

    @Test("The claims are those of the contract, with the time to live that was asked for")
    func inspected() async throws {
        let workspace = try Workspace()
        let id = try await workspace.makeUser("ada", role: "admin")
        let file = try workspace.file("token.txt", try await workspace.token(of: "ada", ttl: "12h") + "\n")
        let result = try await workspace.ems("token", "inspect", "--token-file", file)
        #expect(result.status == 0)
        let shown = try result.jsonDocument()
        #expect(shown["header"]?["alg"] == .string("HS256"))
        let claims = try #require(shown["claims"])
        for name in ["sub", "role", "jti", "iat", "exp", "iss", "aud"] { #expect(claims[name] != nil, "\(name) is missing") }
        #expect(claims["sub"] == .string(id))
        #expect(claims["role"] == .string("admin"))
        let issued = try #require(claims["iat"]?.integer)
        let expires = try #require(claims["exp"]?.integer)
        #expect(expires - issued == 12 * 3600)
        let usual = try await workspace.ems("token", "inspect", input: try await workspace.output("token", "issue", "--user", "ada"))
            .jsonDocument()
        let (from, to) = (usual["claims"]?["iat"]?.integer ?? 0, usual["claims"]?["exp"]?.integer ?? 0)
        #expect(to - from == 30 * 60)
    }

    @Test("A token that is expired, of another key, without a signature or none at all is not valid: 77")
    func invalid() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let good = try await workspace.token(of: "ada")
        let parts = good.split(separator: ".").map(String.init)
        try #require(parts.count == 3)
        let unsigned = "eyJhbGciOiJub25lIn0." + parts[1] + "."
        let foreign = Workspace.unknownID + Workspace.unknownID
        let wronglySigned = parts[0] + "." + parts[1] + "." + String(parts[2].reversed())
        let bad: [String] = [unsigned, wronglySigned, "nonsense", "a.b.c"]
        for token in bad {
            let result = try await workspace.ems("token", "verify", input: token)
            result.expectFailure(77)
            #expect(!result.errors.contains(token))
        }
        try await workspace.ems("token", "verify", input: good, environment: ["SECRET_KEY": foreign]).expectFailure(77)
        let short = try await workspace.token(of: "ada", ttl: "1s")
        try await eventually("the token expires") {
            try await workspace.ems("token", "verify", input: short).status == 77
        }
        #expect(try await workspace.ems("token", "verify", input: good).status == 0)
    }

    @Test("No token at all is 65, a missing file 66, a token among the arguments 64, what is no JWT cannot be inspected: 65")
    func inputs() async throws {
        let workspace = try Workspace()
        for verb in ["verify", "inspect"] {
            try await workspace.ems("token", verb).expectFailure(65)
            try await workspace.ems("token", verb, "--token-file", workspace.path("none")).expectFailure(66, saying: "none")
            try await workspace.ems("token", verb, "a.b.c").expectFailure(64)
        }
        try await workspace.ems("token", "inspect", input: "nonsense").expectFailure(65)
        try await workspace.ems("token", "issue", "--user", "nobody").expectFailure(66, saying: "nobody")
        try await workspace.ems("token", "issue").expectFailure(64, saying: "--user")
        for ttl in ["5", "0s", "1y", "soon"] {
            try await workspace.ems("token", "issue", "--user", "nobody", "--ttl", ttl).expectFailure(64, saying: "--ttl")
        }
    }

    @Test("Sessions are listed the newest first, in every form; those that ended only with --ended")
    func listed() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.makeUser("bob")
        var ids: [String] = []
        for name in ["ada", "bob", "ada"] {
            let grant = try await workspace.ems("token", "issue", "--user", name, "--label", "for \(name)", "-o", "json").jsonDocument()
            ids.insert(try #require(grant["session_id"]?.string), at: 0)
        }
        try await OutputForms.expectList(
            workspace, ["token", "list"], fields: Self.sessionFields, columns: ["session_id", "label", "user_id", "expires_at"], ids: ids)
        #expect(try await workspace.ems("token", "list", "--user", "ada", "-o", "id").outputLines == [ids[0], ids[2]])
        #expect(try await workspace.ems("token", "list", "--limit", "2", "-o", "id").outputLines == [ids[0], ids[1]])
        try await workspace.output("token", "revoke", ids[1])
        #expect(try await workspace.ems("token", "list", "-o", "id").outputLines == [ids[0], ids[2]])
        #expect(try await workspace.ems("token", "list", "--ended", "-o", "id").outputLines == ids)
        #expect(try await workspace.ems("token", "list", "--ended", "-o", "json").jsonDocument().strings("ended_at").count == 1)
        try await workspace.ems("token", "list", "--user", "nobody").expectFailure(66)
        try await OutputForms.expectNothing(workspace, ["token", "list", "--user", "bob"])
    }

    @Test("A revoked session's token is dead at once in the daemon, too; again is no error")
    func revoked() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let token = try await workspace.token(of: "ada")
        let other = try await workspace.token(of: "ada")
        let daemon = try await TestDaemon(workspace)
        let client = HTTPClient(port: daemon.port, token: token)
        #expect(try await client.get("/auth/me").status == 200)
        let session = try await workspace.ems("token", "verify", "-o", "json", input: token).jsonDocument()["session_id"]?.string
        let id = try #require(session)
        try await workspace.ems("token", "revoke", id, "--dry-run").expectDone()
        #expect(try await client.get("/auth/me").status == 200)
        try await workspace.ems("token", "revoke", id).expectDone()
        #expect(try await client.get("/auth/me").status == 401)
        try await workspace.ems("token", "revoke", id).expectDone()
        #expect(try await HTTPClient(port: daemon.port, token: other).get("/auth/me").status == 200)
        try await workspace.ems("token", "revoke", "--token-file", "-", input: other).expectDone()
        #expect(try await HTTPClient(port: daemon.port, token: other).get("/auth/me").status == 401)
        #expect(try await daemon.stop() == 0)
    }

    @Test("All sessions of a user are revoked, nobody else's")
    func revokedByUser() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.makeUser("bob")
        let tokens = [try await workspace.token(of: "ada"), try await workspace.token(of: "ada")]
        let bobs = try await workspace.token(of: "bob")
        try await workspace.ems("token", "revoke", "--user", "ada", "--dry-run").expectDone()
        #expect(try await workspace.ems("token", "list", "--user", "ada", "-o", "id").outputLines.count == 2)
        try await workspace.ems("token", "revoke", "--user", "ada").expectDone()
        for token in tokens { try await workspace.ems("token", "verify", input: token).expectFailure(77) }
        #expect(try await workspace.ems("token", "verify", input: bobs).status == 0)
    }

    @Test("What cannot be revoked: an unknown session or user is 66, a malformed id or two things at once 64")
    func badRevoke() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.ems("token", "revoke", Workspace.unknownID).expectFailure(66, saying: Workspace.unknownID)
        try await workspace.ems("token", "revoke", "--user", "nobody").expectFailure(66, saying: "nobody")
        try await workspace.ems("token", "revoke").expectFailure(64)
        try await workspace.ems("token", "revoke", "42").expectFailure(64)
        try await workspace.ems("token", "revoke", Workspace.unknownID, "--user", "ada").expectFailure(64)
    }

    @Test("A dry run issues no token")
    func dryIssue() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let result = try await workspace.ems("token", "issue", "--user", "ada", "--dry-run")
        result.expectDone()
        #expect(!result.errors.isEmpty)
        #expect(try await workspace.output("token", "list", "-o", "id").isEmpty)
        try await workspace.ems("token", "issue", "--user", "nobody", "--dry-run").expectFailure(66)
    }

    @Test("The key is shown by its fingerprint, which changes with the key")
    func keys() async throws {
        let workspace = try Workspace()
        func key(_ environment: [String: String] = [:]) async throws -> JSONValue {
            let keys = try await workspace.ems("token", "keys", "-o", "json", environment: environment).jsonDocument()
            return try #require(keys.arrayItems.first)
        }
        let own = try await key()
        #expect(own["algorithm"] == .string("HS256"))
        #expect(own["source"]?.string?.hasSuffix("/secret.key") == true)
        #expect(own["signs"] == .bool(true))
        #expect(try await key() == own)
        let secret = String(repeating: "k", count: 32)
        let named = try await key(["SECRET_KEY": secret])
        #expect(named["source"] == .string("SECRET_KEY"))
        #expect(named["key_id"] != own["key_id"])
        #expect(!String(decoding: named.json(), as: UTF8.self).contains(secret))
    }

    @Test(
        "After a rotation new tokens have the new key, and the old ones live on until the old key is removed",
        arguments: TokenAlgorithm.allCases)
    func rotation(algorithm: TokenAlgorithm) async throws {
        let workspace = try Workspace(["ALGORITHM": algorithm.rawValue])
        try await workspace.makeUser("ada")
        func keyID(of token: String) async throws -> String? {
            try await workspace.ems("token", "inspect", input: token).jsonDocument()["header"]?["kid"]?.string
        }
        let before = try await workspace.token(of: "ada")
        let old = try #require(try await keyID(of: before))
        let dry = try await workspace.ems("token", "keys", "rotate", "--dry-run")
        #expect(dry.status == 0 && dry.output.isEmpty)
        let new = try await workspace.output("token", "keys", "rotate", "-o", "id").trimmingNewline
        #expect(new != old)
        let after = try await workspace.token(of: "ada")
        #expect(try await keyID(of: after) == new)
        #expect(try await workspace.output("token", "keys", "-o", "id") == "\(new)\n\(old)\n")
        for token in [before, after] { #expect(try await workspace.ems("token", "verify", input: token).status == 0) }

        try await workspace.ems("token", "keys", "remove", new, "--yes").expectFailure(64, saying: "rotate")
        try await workspace.ems("token", "keys", "remove", "nothing", "--yes").expectFailure(66)
        try await workspace.ems("token", "keys", "remove", old).expectFailure(64, saying: "--yes")
        #expect(try await workspace.ems("token", "keys", "remove", old, "--yes").status == 0)
        #expect(try await workspace.ems("token", "verify", input: before).status == 77)
        #expect(try await workspace.ems("token", "verify", input: after).status == 0)
    }

    @Test("A key that comes from SECRET_KEY is not ours to change; the one before verifies as long as it is named")
    func configuredKey() async throws {
        let (first, second) = (String(repeating: "1", count: 32), String(repeating: "2", count: 32))
        let workspace = try Workspace(["SECRET_KEY": first])
        try await workspace.makeUser("ada")
        let token = try await workspace.token(of: "ada")
        try await workspace.ems("token", "keys", "rotate").expectFailure(78, saying: "SECRET_KEY_PREVIOUS")
        let changed = ["SECRET_KEY": second, "SECRET_KEY_PREVIOUS": first]
        #expect(try await workspace.ems("token", "verify", input: token, environment: changed).status == 0)
        #expect(try await workspace.ems("token", "verify", input: token, environment: ["SECRET_KEY": second]).status == 77)
    }

    @Test("Private keys lie in files that only their owner reads, and one that others read is refused")
    func keyFiles() async throws {
        let workspace = try Workspace(["ALGORITHM": "EdDSA"])
        let id = try await workspace.output("token", "keys", "-o", "id").trimmingNewline
        let path = workspace.dataDirectory + "/keys/\(id).pem"
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        try await workspace.ems("token", "keys").expectFailure(78, saying: "chmod 600")
        try FileManager.default.removeItem(atPath: path)
        _ = try workspace.file("data/keys/broken.pem", "nonsense")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: workspace.dataDirectory + "/keys/broken.pem")
        try await workspace.ems("token", "keys").expectFailure(78, saying: "broken", "EdDSA")
    }

    @Test("Neither key nor token is in anything but the issued token, not even with --verbose")
    func secretsStayHidden() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let token = try await workspace.token(of: "ada")
        let signature = try #require(token.split(separator: ".").last.map(String.init))
        let key = try String(contentsOfFile: workspace.dataDirectory + "/secret.key", encoding: .utf8).trimmingNewline
        #expect(key.utf8.count >= 32)
        let commands = [
            ["token", "verify"], ["token", "verify", "-o", "json"], ["token", "inspect"], ["token", "list", "-o", "json"],
            ["token", "list", "-o", "csv"],
            ["token", "keys"], ["token", "keys", "-o", "json"], ["config", "list", "-o", "json"], ["config", "show", "secret_key"],
            ["user", "show", "ada", "-o", "json"], ["user", "export"], ["token", "revoke", "--token-file", "-"], ["token", "verify"],
        ]
        for command in commands {
            let result = try await workspace.runEMS(command + ["--verbose"], input: token)
            for secret in [key, signature, token] {
                #expect(!result.output.contains(secret), "\(command)")
                #expect(!result.errors.contains(secret), "\(command)")
            }
        }
    }
}
