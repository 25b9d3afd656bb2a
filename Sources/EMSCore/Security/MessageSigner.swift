import Crypto
import Synchronization

/// Signs messages for the broker and verifies them on receipt, so that write access to the broker is not enough to forge one.
///
/// A signature is `v1,` and, in hexadecimal, the HMAC-SHA-256 (RFC 2104) of purpose, message id and body, a zero byte after each of the
/// first two. Its key is derived (HKDF, RFC 5869) from the key that signs access tokens, which all daemons share. After a rotation, earlier
/// keys go on verifying as they do for tokens.
public final class MessageSigner: Sendable {
    /// What a message is for, so that one of one kind is never taken for the other.
    public enum Purpose: String, Sendable {
        case change
        case live
    }

    /// For how long messages without a signature are accepted where version 0.1.0 had the store.
    public static let transitionSeconds: Int64 = 7 * 86_400

    private static let version = "v1,"
    /// How long keys are used before they are read again.
    private static let keyLifetime: Duration = .seconds(60)
    /// The shortest interval between two reloads of the keys because of an unknown one.
    private static let lookInterval: Duration = .seconds(1)

    private struct Ring {
        var keys: [SymmetricKey] = []
        var readAt: ContinuousClock.Instant?
    }

    private let load: @Sendable () throws -> [[UInt8]]
    private let ring = Mutex(Ring())

    /// - Parameter load: reads the secrets, the one that signs first; called again from time to time.
    public init(load: @escaping @Sendable () throws -> [[UInt8]]) {
        self.load = load
    }

    /// - Parameter id: the message's id; empty, or without zero bytes.
    /// - Throws: what reading the keys throws; ``EMSError`` with ``ErrorCode/configuration`` where there is none.
    public func sign(_ body: [UInt8], id: String, for purpose: Purpose) throws -> String {
        guard let key = try keys(readWithin: Self.keyLifetime).first else {
            throw EMSError(.configuration, "no key to sign messages with", fix: "set secret_key")
        }
        return Self.version + hexadecimal(Self.code(of: body, id: id, for: purpose, key: key))
    }

    /// What a message's signature says of it; see ``sign(_:id:for:)``.
    public func check(_ signature: String?, of body: [UInt8], id: String, for purpose: Purpose) throws -> MessageSignature {
        guard let signature else { return .absent }
        guard signature.hasPrefix(Self.version), let code = bytes(ofSHA256: signature.utf8.dropFirst(Self.version.utf8.count)) else {
            return .invalid
        }
        func isValid(_ keys: [SymmetricKey]) -> Bool {
            let message = Self.message(body, id: id, for: purpose)
            return keys.contains { HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: message, using: $0) }
        }
        if isValid(try keys(readWithin: Self.keyLifetime)) { return .valid }
        // Another process may have rotated the key a moment ago.
        return isValid(try keys(readWithin: Self.lookInterval)) ? .valid : .invalid
    }

    private static func message(_ body: [UInt8], id: String, for purpose: Purpose) -> [UInt8] {
        Array(purpose.rawValue.utf8) + [0] + Array(id.utf8) + [0] + body
    }

    private static func code(of body: [UInt8], id: String, for purpose: Purpose, key: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: message(body, id: id, for: purpose), using: key)
    }

    /// - Parameter age: how old the keys may be; where reading them again fails, those known go on.
    private func keys(readWithin age: Duration) throws -> [SymmetricKey] {
        try ring.withLock { ring in
            let now = ContinuousClock.now
            if let readAt = ring.readAt, now - readAt < age { return ring.keys }
            do {
                ring.keys = try load().map(Self.derived)
            } catch {
                guard !ring.keys.isEmpty else { throw error }
            }
            ring.readAt = now
            return ring.keys
        }
    }

    private static func derived(_ secret: [UInt8]) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), info: Array("ems broker messages".utf8), outputByteCount: SHA256.byteCount)
    }
}

/// Whether this installation signed a message.
public enum MessageSignature: Sendable, Equatable {
    case valid
    /// There is none: version 0.1.0 wrote none.
    case absent
    case invalid
}
