import CCrypt

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// bcrypt (N. Provos, D. Mazières, "A Future-Adaptable Password Scheme", USENIX 1999) by libxcrypt, in the `$2b$` form.
///
/// Both calls take as long as the cost says: they belong on a ``WorkerPool``.
enum BCrypt {
    /// Hashes a password of 1 to 72 bytes without NUL.
    /// - Parameter cost: the base-2 logarithm of the number of rounds, 4…31.
    static func hash(_ password: String, cost: Int) throws -> String {
        guard let hash = crypt(password, try setting(cost: cost)) else { throw EMSError(.internal, "bcrypt failed") }
        return hash
    }

    /// The form of a hash at this cost that no password has: its digest is random. To make it costs nothing; to compare with it, as
    /// much as with any other.
    static func decoy(cost: Int) throws -> String {
        let digits = Array("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        let digest = SecureRandom.bytes(31).map { digits[Int($0 & 63)] }
        return String(decoding: try setting(cost: cost).prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) + String(digest)
    }

    /// The prefix of a hash: method, cost and a random salt.
    private static func setting(cost: Int) throws -> [CChar] {
        var random = SystemRandomNumberGenerator()
        let salt = (0..<16).map { _ in CChar(truncatingIfNeeded: random.next()) }
        var setting = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
        guard crypt_gensalt_rn("$2b$", UInt(cost), salt, Int32(salt.count), &setting, Int32(setting.count)) != nil else {
            throw EMSError(.internal, "bcrypt refused the cost \(cost)")
        }
        return setting
    }

    /// Whether the password has this hash, compared in constant time. A hash that is not a bcrypt hash, or whose cost
    /// is too high for log-ins, matches nothing.
    static func verify(_ password: String, hash: String) -> Bool {
        guard isHash(hash, costs: PasswordHasher.costRange), let computed = crypt(password, Array(hash.utf8CString)) else { return false }
        return constantTimeEqual(computed.utf8, hash.utf8)
    }

    /// Whether the text is a hash that ``verify(_:hash:)`` can work with, of a cost that log-ins can afford.
    static func isHash(_ text: String, costs: ClosedRange<Int>) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 60, ["$2a$", "$2b$", "$2y$"].contains(String(decoding: bytes.prefix(4), as: UTF8.self)),
            bytes[6] == UInt8(ascii: "$"),
            let cost = Int(String(decoding: bytes[4..<6], as: UTF8.self)), costs.contains(cost)
        else { return false }
        return bytes[7...].allSatisfy { "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8.contains($0) }
    }

    private static func crypt(_ password: String, _ setting: [CChar]) -> String? {
        withUnsafeTemporaryAllocation(of: crypt_data.self, capacity: 1) { data in
            guard let base = data.baseAddress else { return nil }
            let raw = UnsafeMutableRawPointer(base)
            memset(raw, 0, MemoryLayout<crypt_data>.size)
            defer { memset(raw, 0, MemoryLayout<crypt_data>.size) }
            guard let result = crypt_r(password, setting, base), result[0] == CChar(UInt8(ascii: "$")) else { return nil }
            return String(cString: result)
        }
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
func constantTimeEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
