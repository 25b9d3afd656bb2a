import JWTKit

/// Signs and verifies access tokens: JWTs (RFC 7519) under HS256, the rules of RFC 8725 kept: the algorithm is ours, not the token's.
public struct AccessTokens: Sendable {
    /// What an access token says.
    public struct Claims: Sendable, Equatable {
        public let tokenID: String
        public let userID: UserID
        public let sessionID: SessionID
        public let role: Role
        public let issuedAt: Timestamp
        public let expiresAt: Timestamp
    }

    public static let issuer = "ems"
    public static let audience = "ems"
    /// Claims may lie this many seconds off, for clocks that disagree.
    public static let leewaySeconds: Int64 = 5

    public static let minimumSecretBytes = 32

    private let keys: JWTKeyCollection

    /// - Parameter secret: at least ``minimumSecretBytes`` (RFC 7518, section 3.2).
    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` where it is shorter.
    public init(secret: String) async throws {
        guard secret.utf8.count >= Self.minimumSecretBytes else {
            throw EMSError(
                .configuration, "SECRET_KEY has \(secret.utf8.count) bytes; HS256 needs at least \(Self.minimumSecretBytes)",
                fix: "make one with: openssl rand -hex 32")
        }
        keys = await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
    }

    public func sign(_ claims: Claims) async throws -> String {
        try await keys.sign(Payload(claims))
    }

    /// Checks signature, algorithm, issuer, audience and times.
    /// - Throws: ``EMSError`` with ``ErrorCode/unauthenticated`` or ``ErrorCode/tokenExpired``.
    public func verify(_ token: String, at now: Timestamp) async throws -> Claims {
        guard token.utf8.count <= 4096, Self.algorithm(of: token) == "HS256" else { throw Self.refused }
        let payload: Payload
        do {
            payload = try await keys.verify(token, as: Payload.self)
        } catch {
            throw Self.refused
        }
        guard let claims = payload.claims, payload.iss == Self.issuer, payload.aud == Self.audience,
            claims.issuedAt <= now.adding(seconds: Self.leewaySeconds)
        else { throw Self.refused }
        guard now < claims.expiresAt else {
            throw EMSError(.tokenExpired, "the token expired at \(claims.expiresAt)", fix: "log in again or refresh it")
        }
        return claims
    }

    /// Reads a token without checking anything: for showing it to a person.
    public static func inspect(_ token: String) throws -> (header: JSONValue, claims: JSONValue) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]), let claims = Base64URL.decode(parts[1]) else {
            throw EMSError(.malformed, "this is no JWT: three parts of base64url, separated by dots, are needed")
        }
        do {
            return (try JSONParser.parse(header), try JSONParser.parse(claims))
        } catch {
            throw EMSError(.malformed, "this is no JWT: \(error)")
        }
    }

    static let refused = EMSError(.unauthenticated, "the token is not valid", fix: "log in again")

    private static func algorithm(of token: String) -> String? {
        guard let header = try? inspect(token).header else { return nil }
        return header["alg"]?.string
    }

    private struct Payload: JWTPayload {
        let sub: String
        let role: String
        let sid: String
        let jti: String
        let iat: Int64
        let exp: Int64
        let iss: String
        let aud: String

        init(_ claims: Claims) {
            sub = claims.userID.description
            role = claims.role.rawValue
            sid = claims.sessionID.description
            jti = claims.tokenID
            iat = claims.issuedAt.secondsSinceEpoch
            exp = claims.expiresAt.secondsSinceEpoch
            iss = AccessTokens.issuer
            aud = AccessTokens.audience
        }

        func verify(using algorithm: some JWTAlgorithm) throws {
            // Issuer, audience and times are checked by the caller, against the caller's clock.
        }

        var claims: Claims? {
            guard let userID = UserID(sub), let sessionID = SessionID(sid), let role = Role(rawValue: role),
                iat >= 0, exp > iat, exp <= Timestamp.latest.secondsSinceEpoch
            else { return nil }
            return Claims(
                tokenID: jti, userID: userID, sessionID: sessionID, role: role, issuedAt: Timestamp(milliseconds: iat * 1000),
                expiresAt: Timestamp(milliseconds: exp * 1000))
        }
    }
}

/// base64url without padding (RFC 4648, section 5).
enum Base64URL {
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.utf8 {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "-"): value = 62
            case UInt8(ascii: "_"): value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return text.utf8.count % 4 == 1 ? nil : bytes
    }
}
