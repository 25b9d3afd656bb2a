import JWTKit
import Synchronization

/// Signs and verifies access tokens: JWTs (RFC 7519), by the rules of RFC 8725: the algorithm is ours, not the token's.
///
/// There may be several keys of that algorithm. The first signs; all verify, so that keys can change while tokens live.
public final class AccessTokens: Sendable {
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
    /// How long to wait between two looks for keys that are not known yet.
    private static let patienceSeconds: Int64 = 1
    private static let lengthLimit = 4096

    private struct Ring: Sendable {
        let collection: JWTKeyCollection
        let keys: [TokenKey]

        var signing: TokenKey { keys[0] }

        func knows(_ id: String) -> Bool { keys.contains { $0.id == id } }
    }

    private let algorithm: TokenAlgorithm
    private let load: @Sendable () throws -> [TokenKey]
    private let ring: Mutex<Ring>
    private let lookedAt = Mutex(Timestamp(milliseconds: 0))
    private let reloads = Atomic<Int>(0)

    /// - Parameters:
    ///   - algorithm: the only one there is.
    ///   - load: reads the keys, the one that signs first; called again when a token names an unknown one.
    /// - Throws: what `load` throws; ``EMSError`` with ``ErrorCode/configuration`` where there is no key.
    public init(algorithm: TokenAlgorithm, load: @escaping @Sendable () throws -> [TokenKey]) async throws {
        self.algorithm = algorithm
        self.load = load
        ring = Mutex(try await Self.makeRing(algorithm, load()))
    }

    private static func makeRing(_ algorithm: TokenAlgorithm, _ keys: [TokenKey]) async throws -> Ring {
        guard !keys.isEmpty else { throw EMSError(.configuration, "there is no key of \(algorithm.rawValue) to sign tokens with") }
        let collection = JWTKeyCollection()
        for key in keys { await key.add(to: collection) }
        if algorithm == .hs256 { await keys[0].add(to: collection, isDefault: true) }
        return Ring(collection: collection, keys: keys)
    }

    /// Reads the keys anew. Where that fails, those known go on.
    public func reload() async throws {
        let fresh = try await Self.makeRing(algorithm, load())
        ring.withLock { $0 = fresh }
        reloads.add(1, ordering: .sequentiallyConsistent)
    }

    /// Another number whenever the keys may be others.
    var generation: Int { reloads.load(ordering: .sequentiallyConsistent) }

    /// The public keys as a set of JSON Web Keys (RFC 7517, section 5), for others who verify our tokens.
    public var publicKeys: JSONValue {
        ["keys": .array(ring.withLock { $0 }.keys.compactMap(\.publicKey))]
    }

    public func sign(_ claims: Claims) async throws -> String {
        let ring = ring.withLock { $0 }
        return try await ring.collection.sign(Payload(claims), kid: JWKIdentifier(string: ring.signing.id))
    }

    /// Checks signature, algorithm, issuer, audience and times.
    /// - Throws: ``EMSError`` with ``ErrorCode/unauthenticated`` or ``ErrorCode/tokenExpired``.
    public func verify(_ token: String, at now: Timestamp) async throws -> Claims {
        guard token.utf8.count <= Self.lengthLimit, let ring = try await ring(for: token, at: now) else { throw Self.refused }
        let payload: Payload
        do {
            payload = try await ring.collection.verify(token, as: Payload.self)
        } catch {
            throw Self.refused
        }
        let latest = now.adding(seconds: Self.leewaySeconds)
        guard let claims = payload.claims, payload.iss == Self.issuer, payload.aud == Self.audience, claims.issuedAt <= latest,
            payload.nbf.map({ Timestamp(milliseconds: $0 * 1000) <= latest }) ?? true
        else { throw Self.refused }
        guard now < claims.expiresAt else {
            throw EMSError(.tokenExpired, "the token expired at \(claims.expiresAt)", fix: "log in again or refresh it")
        }
        return claims
    }

    /// The keys that the token's header asks for; `nil` where the header asks for anything that is not ours to give.
    private func ring(for token: String, at now: Timestamp) async throws -> Ring? {
        guard let header = try? Self.inspect(token).header, header["alg"]?.string == algorithm.rawValue, header["crit"] == nil else {
            return nil
        }
        let known = ring.withLock { $0 }
        guard let id = header["kid"] else {
            // Only of one key it is certain which is meant.
            return algorithm == .hs256 ? known : nil
        }
        guard let id = id.string else { return nil }
        if known.knows(id) { return known }
        // A key made by another process since. Whoever makes up names must not have us read files all the time.
        let mayLook = lookedAt.withLock { last in
            guard now >= last.adding(seconds: Self.patienceSeconds) || now < last else { return false }
            last = now
            return true
        }
        guard mayLook, (try? await reload()) != nil else { return nil }
        let fresh = ring.withLock { $0 }
        return fresh.knows(id) ? fresh : nil
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

    private struct Payload: JWTPayload {
        let sub: String
        let role: String
        let sid: String
        let jti: String
        let iat: Int64
        let nbf: Int64?
        let exp: Int64
        let iss: String
        let aud: String

        init(_ claims: Claims) {
            sub = claims.userID.description
            role = claims.role.rawValue
            sid = claims.sessionID.description
            jti = claims.tokenID
            iat = claims.issuedAt.secondsSinceEpoch
            nbf = nil
            exp = claims.expiresAt.secondsSinceEpoch
            iss = AccessTokens.issuer
            aud = AccessTokens.audience
        }

        func verify(using algorithm: some JWTAlgorithm) throws {
            // Issuer, audience and times are checked by the caller, against the caller's clock.
        }

        var claims: Claims? {
            let latest = Timestamp.latest.secondsSinceEpoch
            guard let userID = UserID(sub), let sessionID = SessionID(sid), let role = Role(rawValue: role),
                iat >= 0, exp > iat, exp <= latest, nbf.map({ $0 >= 0 && $0 <= latest }) ?? true
            else { return nil }
            return Claims(
                tokenID: jti, userID: userID, sessionID: sessionID, role: role, issuedAt: Timestamp(milliseconds: iat * 1000),
                expiresAt: Timestamp(milliseconds: exp * 1000))
        }
    }
}
