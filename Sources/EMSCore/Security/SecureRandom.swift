import Crypto

/// Secrets and digests. The system's generator is a cryptographically secure one (`getrandom` on Linux).
public enum SecureRandom {
    public static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }

    /// `count` random bytes as lower-case hex: 32 of them make a key or a token that cannot be guessed.
    public static func hex(_ count: Int) -> String {
        hexadecimal(bytes(count))
    }

    /// Eight bytes of a digest, as hex, by which secrets can be told apart and not be found out.
    public static func fingerprint(of secret: String) -> String {
        hexadecimal(sha256(Array("ems key fingerprint\0".utf8) + Array(secret.utf8)).prefix(8))
    }
}

/// Bytes as lower-case hex.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
}

/// Reads a SHA-256 in hexadecimal; `nil` where the text is none.
func bytes(ofSHA256 digits: some Sequence<UInt8>) -> [UInt8]? {
    var values: [UInt8] = []
    for digit in digits {
        guard values.count < 2 * SHA256.byteCount, let value = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
        values.append(UInt8(value))
    }
    guard values.count == 2 * SHA256.byteCount else { return nil }
    return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
}

/// SHA-256 (FIPS 180-4): 32 bytes.
public func sha256(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    Array(SHA256.hash(data: Array(bytes)))
}
