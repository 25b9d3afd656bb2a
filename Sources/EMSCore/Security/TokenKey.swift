import CryptoExtras
import JWTKit

/// How access tokens are signed (RFC 7518, section 3.1, and RFC 8037). Which one is the configuration's to say, never a token's.
public enum TokenAlgorithm: String, CaseIterable, Sendable {
    /// One secret that signs and verifies.
    case hs256 = "HS256"
    case rs256 = "RS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"

    /// Whether others can verify tokens with a key that cannot sign any.
    public var isAsymmetric: Bool { self != .hs256 }
}

/// A key that signs and verifies access tokens.
public struct TokenKey: Sendable {
    public static let minimumSecretBytes = 32
    /// NIST SP 800-131A: less is not acceptable.
    public static let minimumModulusBits = 2048

    private enum Material {
        case secret(String)
        case rsa(JWTKit.Insecure.RSA.PrivateKey)
        case ecdsa(ES256PrivateKey)
        case edwards(EdDSA.PrivateKey)
    }

    /// The `kid` of the tokens it signs.
    public let id: String
    public let algorithm: TokenAlgorithm
    private let material: Material

    /// A key of HS256. It is called by its fingerprint.
    /// - Parameter secret: at least ``minimumSecretBytes`` (RFC 7518, section 3.2).
    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` where it is shorter.
    public init(secret: String) throws {
        guard secret.utf8.count >= Self.minimumSecretBytes else {
            throw EMSError(
                .configuration, "SECRET_KEY has \(secret.utf8.count) bytes; HS256 needs at least \(Self.minimumSecretBytes)",
                fix: "make one with: openssl rand -hex 32")
        }
        id = SecureRandom.fingerprint(of: secret)
        algorithm = .hs256
        material = .secret(secret)
    }

    /// A private key in PEM (RFC 7468).
    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` where it is none of this algorithm.
    public init(id: String, pem: String, algorithm: TokenAlgorithm) throws {
        self.id = id
        self.algorithm = algorithm
        do {
            switch algorithm {
            case .hs256: material = .secret(pem)
            case .rs256:
                guard try _RSA.Signing.PrivateKey(pemRepresentation: pem).keySizeInBits >= Self.minimumModulusBits else {
                    throw EMSError(.configuration, "the key \(id) has less than \(Self.minimumModulusBits) bits")
                }
                material = .rsa(try JWTKit.Insecure.RSA.PrivateKey(pem: pem))
            case .es256: material = .ecdsa(try ES256PrivateKey(pem: pem))
            case .edDSA: material = .edwards(try EdDSA.PrivateKey(pem: pem))
            }
        } catch let error as EMSError {
            throw error
        } catch {
            // Without what the parser says, which may quote from the key.
            throw EMSError(
                .configuration, "the key \(id) is no private key of \(algorithm.rawValue) in PEM",
                fix: "make one with: ems token keys rotate")
        }
    }

    /// A new private key, in PEM.
    public static func makePEM(_ algorithm: TokenAlgorithm) throws -> String {
        switch algorithm {
        case .hs256: SecureRandom.hex(32)
        case .rs256: try _RSA.Signing.PrivateKey(keySize: .bits3072).pemRepresentation
        case .es256: ES256PrivateKey().pemRepresentation
        case .edDSA: try EdDSA.PrivateKey().pemRepresentation
        }
    }

    /// The public key as a JSON Web Key (RFC 7517); `nil` where all of it is secret.
    public var publicKey: JSONValue? {
        var members: [(String, String)]
        switch material {
        case .secret: return nil
        case .rsa(let key):
            guard let (modulus, exponent) = try? key.publicKey.getKeyPrimitives() else { return nil }
            members = [("kty", "RSA"), ("n", Base64URL.encode(modulus)), ("e", Base64URL.encode(exponent))]
        case .ecdsa(let key):
            guard let point = key.publicKey.parameters else { return nil }
            members = [("kty", "EC"), ("crv", "P-256"), ("x", Base64URL.urlSafe(point.x)), ("y", Base64URL.urlSafe(point.y))]
        case .edwards(let key):
            members = [("kty", "OKP"), ("crv", "Ed25519"), ("x", Base64URL.encode(key.publicKey.rawRepresentation))]
        }
        members += [("kid", id), ("alg", algorithm.rawValue), ("use", "sig")]
        return .object(members.map { .init(name: $0.0, value: .string($0.1)) })
    }

    /// - Parameter isDefault: whether it is the key of tokens that name none.
    func add(to keys: JWTKeyCollection, isDefault: Bool = false) async {
        let id = isDefault ? nil : JWKIdentifier(string: id)
        switch material {
        case .secret(let secret): await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256, kid: id)
        case .rsa(let key): await keys.add(rsa: key, digestAlgorithm: .sha256, kid: id)
        case .ecdsa(let key): await keys.add(ecdsa: key, kid: id)
        case .edwards(let key): await keys.add(eddsa: key, kid: id)
        }
    }
}
