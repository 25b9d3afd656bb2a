import Crypto
import Foundation
import Synchronization
import Testing

@testable import EMSCore

@Suite("Access tokens")
struct AccessTokensTests {
    static let secret = "0123456789abcdef0123456789abcdef"
    static let issuedAt = Timestamp(milliseconds: 1_767_225_600_000)
    static let expiresAt = issuedAt.adding(seconds: 1800)

    private func claims(role: Role = .user) throws -> AccessTokens.Claims {
        AccessTokens.Claims(
            tokenID: "t1", userID: try #require(UserID("0195d0a0b0c07000800000000000000a")),
            sessionID: try #require(SessionID("0195d0a0b0c07000800000000000000b")), role: role, issuedAt: Self.issuedAt,
            expiresAt: Self.expiresAt)
    }

    private func refusal(of token: String, at now: Timestamp = issuedAt) async throws -> ErrorCode {
        let tokens = try await AccessTokens(secret: Self.secret)
        return try await #require(throws: EMSError.self) { try await tokens.verify(token, at: now) }.code
    }

    @Test("A signed token verifies, and says what was signed", arguments: Role.allCases)
    func roundTrip(role: Role) async throws {
        let tokens = try await AccessTokens(secret: Self.secret)
        let claims = try claims(role: role)
        #expect(try await tokens.verify(tokens.sign(claims), at: Self.issuedAt) == claims)
    }

    @Test("A token carries the claims of the contract, under HS256")
    func contents() async throws {
        let token = try await AccessTokens(secret: Self.secret).sign(claims())
        let (header, body) = try AccessTokens.inspect(token)
        #expect(header["alg"] == .string("HS256"))
        #expect(body["sub"] == .string("0195d0a0b0c07000800000000000000a"))
        #expect(body["role"] == .string("user"))
        #expect(body["jti"] == .string("t1"))
        #expect(body["iat"] == .integer(1_767_225_600))
        #expect(body["exp"] == .integer(1_767_227_400))
        #expect(body["iss"] == .string("ems"))
        #expect(body["aud"] == .string("ems"))
    }

    @Test("A token is good until the moment it expires")
    func expiry() async throws {
        let tokens = try await AccessTokens(secret: Self.secret)
        let token = try await tokens.sign(claims())
        let last = Timestamp(milliseconds: Self.expiresAt.milliseconds - 1)
        #expect(try await tokens.verify(token, at: last) == claims())
        #expect(try await refusal(of: token, at: Self.expiresAt) == .tokenExpired)
        #expect(try await refusal(of: token, at: Self.expiresAt.adding(seconds: 1_000_000)) == .tokenExpired)
    }

    @Test("A token from the future is refused, unless clocks differ by a few seconds only")
    func future() async throws {
        let tokens = try await AccessTokens(secret: Self.secret)
        let token = try await tokens.sign(claims())
        #expect(try await tokens.verify(token, at: Self.issuedAt.adding(seconds: -AccessTokens.leewaySeconds)) == claims())
        #expect(try await refusal(of: token, at: Self.issuedAt.adding(seconds: -AccessTokens.leewaySeconds - 1)) == .unauthenticated)
    }

    @Test("A token under another secret is refused")
    func otherSecret() async throws {
        let token = try await AccessTokens(secret: Self.secret + "x").sign(claims())
        #expect(try await refusal(of: token) == .unauthenticated)
    }

    @Test("The signature of one token does not serve another")
    func borrowedSignature() async throws {
        let tokens = try await AccessTokens(secret: Self.secret)
        let user = try await tokens.sign(claims()).split(separator: ".")
        let admin = try await tokens.sign(claims(role: .admin)).split(separator: ".")
        try #require(user.count == 3 && admin.count == 3)
        #expect(try await refusal(of: [admin[0], admin[1], user[2]].joined(separator: ".")) == .unauthenticated)
    }

    @Test("A token with one character changed is refused")
    func tampering() async throws {
        let token = Array(try await AccessTokens(secret: Self.secret).sign(claims()))
        // The very last character holds bits that mean nothing.
        for index in stride(from: 0, to: token.count - 1, by: 7) where token[index] != "." {
            var changed = token
            changed[index] = token[index] == "A" ? "B" : "A"
            #expect(try await refusal(of: String(changed)) == .unauthenticated, "character \(index)")
        }
    }

    @Test("Tokens of other programs with the same secret verify")
    func foreign() async throws {
        let tokens = try await AccessTokens(secret: Self.secret)
        #expect(try await tokens.verify(Forge.token(alg: "HS256", Forge.claims()), at: Self.issuedAt) == claims())
    }

    @Test("Only HS256 is accepted, though the signature be right for the algorithm the token names", arguments: ["HS384", "HS512"])
    func otherAlgorithm(alg: String) async throws {
        #expect(try await refusal(of: Forge.token(alg: alg, Forge.claims())) == .unauthenticated)
    }

    @Test(
        "A token does not choose its algorithm by a name",
        arguments: ["none", "None", "NONE", "", "hs256", "HS256 ", "RS256", "ES256", "EdDSA"])
    func algorithmNames(alg: String) async throws {
        #expect(try await refusal(of: Forge.token(alg: alg, Forge.claims())) == .unauthenticated)
        #expect(try await refusal(of: Forge.token(alg: alg, Forge.claims(), isSigned: false)) == .unauthenticated)
    }

    @Test("A token under HS256 without a signature is refused")
    func unsigned() async throws {
        #expect(try await refusal(of: Forge.token(alg: "HS256", Forge.claims(), isSigned: false)) == .unauthenticated)
    }

    @Test(
        "Well signed claims that are not ours are refused",
        arguments: [
            ("iss", "\"other\""), ("aud", "\"other\""), ("sub", "\"nobody\""), ("sid", "\"nothing\""), ("role", "\"root\""),
            ("exp", "1767225600"), ("exp", "1767225599"), ("exp", "-1"), ("exp", "9223372036854775807"), ("iat", "-1"),
            ("iat", "\"now\""), ("exp", "null"), ("sub", "7"),
        ])
    func foreignClaims(name: String, value: String) async throws {
        #expect(try await refusal(of: Forge.token(alg: "HS256", Forge.claims([name: value]))) == .unauthenticated)
    }

    @Test("A token without one of the claims is refused", arguments: ["sub", "role", "sid", "jti", "iat", "exp", "iss", "aud"])
    func missingClaims(name: String) async throws {
        #expect(try await refusal(of: Forge.token(alg: "HS256", Forge.claims([name: nil]))) == .unauthenticated)
    }

    @Test(
        "What is no token is refused, and is no crash",
        arguments: [
            "", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "e30.e30.", "e30.e30.e30", "💥.💥.💥", "\u{0}",
            String(repeating: "a", count: 100_000),
        ])
    func garbage(token: String) async throws {
        #expect(try await refusal(of: token) == .unauthenticated)
    }

    @Test("A secret of fewer than 32 bytes is refused as a wrong configuration, and is not told", arguments: [0, 1, 31])
    func shortSecret(count: Int) async throws {
        let secret = String("q7Zk2MvX9pLw4RtY8sBn6JhF3dGc1QaE".prefix(count))
        let error = try await #require(throws: EMSError.self) { _ = try await AccessTokens(secret: secret) }
        #expect(error.code == .configuration)
        if count > 1 { #expect(!error.description.contains(secret)) }
    }

    @Test("A refusal does not repeat the token")
    func discretion() async throws {
        let token = try await AccessTokens(secret: Self.secret + "x").sign(claims())
        let tokens = try await AccessTokens(secret: Self.secret)
        let error = try await #require(throws: EMSError.self) { try await tokens.verify(token, at: Self.issuedAt) }
        #expect(!error.description.contains(token))
    }

    @Test("Inspecting needs no secret, and reads an expired or unsigned token too")
    func inspection() throws {
        let (header, claims) = try AccessTokens.inspect(Forge.token(alg: "none", Forge.claims(["exp": "1"]), isSigned: false))
        #expect(header["alg"] == .string("none"))
        #expect(claims["exp"] == .integer(1))
    }

    @Test("What is no JWT is malformed", arguments: ["", "a", "a.b", "a.b.c", "e30.e30", "e30.!!.e30", "e30=.e30.e30"])
    func inspectingGarbage(text: String) throws {
        let error = try #require(throws: EMSError.self) { _ = try AccessTokens.inspect(text) }
        #expect(error.code == .malformed)
    }

    // MARK: Keys

    private static func key(_ algorithm: TokenAlgorithm, id: String) throws -> TokenKey {
        try TokenKey(id: id, pem: TokenKey.makePEM(algorithm), algorithm: algorithm)
    }

    @Test("Every algorithm signs and verifies, and names its key", arguments: TokenAlgorithm.allCases)
    func algorithms(algorithm: TokenAlgorithm) async throws {
        let key = try Self.key(algorithm, id: "k1")
        let tokens = try await AccessTokens(algorithm: algorithm) { [key] }
        let token = try await tokens.sign(claims())
        #expect(try await tokens.verify(token, at: Self.issuedAt) == claims())
        let header = try AccessTokens.inspect(token).header
        #expect(header["alg"] == .string(algorithm.rawValue))
        #expect(header["kid"] == .string("k1"))
    }

    @Test("The public keys are published, and nothing secret with them", arguments: TokenAlgorithm.allCases)
    func publicKeys(algorithm: TokenAlgorithm) async throws {
        let key = try Self.key(algorithm, id: "k1")
        let set = try await AccessTokens(algorithm: algorithm) { [key] }.publicKeys
        guard case .array(let keys)? = set["keys"] else {
            Issue.record("there are no keys")
            return
        }
        #expect(keys.count == (algorithm.isAsymmetric ? 1 : 0))
        for key in keys {
            #expect(key["kid"] == .string("k1"))
            #expect(key["alg"] == .string(algorithm.rawValue))
            for secret in ["d", "p", "q", "dp", "dq", "qi", "k"] { #expect(key[secret] == nil) }
        }
    }

    @Test(
        "A public key does not serve as a secret (key confusion), whichever way it is written",
        arguments: [TokenAlgorithm.rs256, .es256, .edDSA])
    func keyConfusion(algorithm: TokenAlgorithm) async throws {
        let key = try Self.key(algorithm, id: "k1")
        let tokens = try await AccessTokens(algorithm: algorithm) { [key] }
        let published = try #require(key.publicKey)
        for secret in [String(decoding: published.json(), as: UTF8.self), published["x"]?.string ?? published["n"]?.string ?? ""] {
            let forged = Forge.token(alg: "HS256", Forge.claims(), secret: secret, more: ", \"kid\": \"k1\"")
            await #expect(throws: EMSError.self) { try await tokens.verify(forged, at: Self.issuedAt) }
            let disguised = Forge.token(alg: algorithm.rawValue, Forge.claims(), secret: secret, more: ", \"kid\": \"k1\"")
            await #expect(throws: EMSError.self) { try await tokens.verify(disguised, at: Self.issuedAt) }
        }
    }

    @Test("A token of another algorithm is refused, though its key be one of ours")
    func pinnedAlgorithm() async throws {
        let edwards = try Self.key(.edDSA, id: "k1")
        let token = try await AccessTokens(algorithm: .edDSA) { [edwards] }.sign(claims())
        let tokens = try await AccessTokens(algorithm: .es256) { [try Self.key(.es256, id: "k1"), edwards] }
        await #expect(throws: EMSError.self) { try await tokens.verify(token, at: Self.issuedAt) }
    }

    @Test("A key made meanwhile is found when a token names it; a name that stays unknown is not looked for all the time")
    func newKeys() async throws {
        let keys = Keys([try Self.key(.edDSA, id: "old")])
        let tokens = try await AccessTokens(algorithm: .edDSA) { keys.load() }
        let old = try await tokens.sign(claims())
        let fresh = try Self.key(.edDSA, id: "new")
        let new = try await AccessTokens(algorithm: .edDSA) { [fresh] }.sign(claims())
        await #expect(throws: EMSError.self) { try await tokens.verify(new, at: Self.issuedAt) }
        let looked = keys.loads
        for _ in 0..<10 { await #expect(throws: EMSError.self) { try await tokens.verify(new, at: Self.issuedAt) } }
        #expect(keys.loads == looked)
        keys.add(fresh)
        #expect(try await tokens.verify(new, at: Self.issuedAt.adding(seconds: 2)) == claims())
        #expect(try await tokens.verify(old, at: Self.issuedAt.adding(seconds: 2)) == claims())
        #expect(try AccessTokens.inspect(try await tokens.sign(claims())).header["kid"] == .string("new"))
    }

    @Test("Keys that cannot be read anew leave the known ones in their place")
    func brokenReload() async throws {
        let keys = Keys([try Self.key(.edDSA, id: "old")])
        let tokens = try await AccessTokens(algorithm: .edDSA) {
            guard keys.loads == 0 else { throw EMSError(.configuration, "unreadable") }
            return keys.load()
        }
        let token = try await tokens.sign(claims())
        await #expect(throws: EMSError.self) { try await tokens.reload() }
        #expect(try await tokens.verify(token, at: Self.issuedAt) == claims())
    }

    @Test("A token that is not to be used yet is refused; nor are headers that must be understood")
    func notBefore() async throws {
        let tokens = try await AccessTokens(secret: Self.secret)
        let leeway = AccessTokens.leewaySeconds
        let early = Forge.token(alg: "HS256", Forge.claims(["nbf": "\(1_767_225_600 + leeway + 1)"]))
        await #expect(throws: EMSError.self) { try await tokens.verify(early, at: Self.issuedAt) }
        let timely = Forge.token(alg: "HS256", Forge.claims(["nbf": "\(1_767_225_600 + leeway)"]))
        #expect(try await tokens.verify(timely, at: Self.issuedAt) == claims())
        let critical = Forge.token(alg: "HS256", Forge.claims(), more: ", \"crit\": [\"b64\"], \"b64\": false")
        await #expect(throws: EMSError.self) { try await tokens.verify(critical, at: Self.issuedAt) }
    }

    /// Keys as a directory that others write to would hold them.
    private final class Keys: Sendable {
        private let state: Mutex<(keys: [TokenKey], loads: Int)>

        init(_ keys: [TokenKey]) {
            state = Mutex((keys, 0))
        }

        var loads: Int { state.withLock { $0.loads } }

        func add(_ key: TokenKey) { state.withLock { $0.keys.insert(key, at: 0) } }

        func load() -> [TokenKey] {
            state.withLock {
                $0.loads += 1
                return $0.keys
            }
        }
    }

    /// Makes tokens as another program would: without the code under test.
    private enum Forge {
        static func claims(_ changes: [String: String?] = [:]) -> String {
            var members: [String: String] = [
                "sub": "\"0195d0a0b0c07000800000000000000a\"", "role": "\"user\"", "sid": "\"0195d0a0b0c07000800000000000000b\"",
                "jti": "\"t1\"", "iat": "1767225600", "exp": "1767227400", "iss": "\"ems\"", "aud": "\"ems\"",
            ]
            for (name, value) in changes { members[name] = value }
            return "{" + members.map { "\"\($0.key)\":\($0.value)" }.sorted().joined(separator: ",") + "}"
        }

        /// - Parameter more: further members of the header, after a comma.
        static func token(
            alg: String, _ claims: String, isSigned: Bool = true, secret: String = AccessTokensTests.secret, more: String = ""
        ) -> String {
            let text = base64URL(Data("{\"alg\":\"\(alg)\",\"typ\":\"JWT\"\(more)}".utf8)) + "." + base64URL(Data(claims.utf8))
            guard isSigned else { return text + "." }
            let key = SymmetricKey(data: Data(secret.utf8))
            let signature =
                switch alg {
                case "HS384": Data(HMAC<SHA384>.authenticationCode(for: Data(text.utf8), using: key))
                case "HS512": Data(HMAC<SHA512>.authenticationCode(for: Data(text.utf8), using: key))
                default: Data(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
                }
            return text + "." + base64URL(signature)
        }

        private static func base64URL(_ data: Data) -> String {
            String(
                data.base64EncodedString().compactMap { character -> Character? in
                    switch character {
                    case "+": "-"
                    case "/": "_"
                    case "=": nil
                    default: character
                    }
                })
        }
    }
}
