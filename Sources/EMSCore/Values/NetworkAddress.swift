#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// An IP address: who is at the other end.
public struct NetworkAddress: Sendable, Hashable {
    /// 4 bytes of IPv4 or 16 of IPv6, the most significant first; none where the peer has no IP address.
    public let bytes: [UInt8]
    /// What a proxy said that is not an address: such a client is unknown, and told apart from others by this.
    private let unknown: String

    /// A peer of this machine without an IP address.
    public static let local = NetworkAddress(bytes: [])

    private init(bytes: [UInt8], unknown: String = "") {
        self.bytes = bytes
        self.unknown = unknown
    }

    /// A client of whom a proxy said something that cannot be read.
    static func unknown(_ text: String) -> NetworkAddress {
        NetworkAddress(bytes: [], unknown: "unknown:\(Printable.stripped(String(text.prefix(64))))")
    }

    /// Whether nobody knows where it is: it is in no network, this machine included.
    public var isUnknown: Bool { !unknown.isEmpty }

    /// Whether it is this machine, by an address that only this machine has.
    public var isLoopback: Bool {
        switch bytes.count {
        case 4: bytes[0] == 127
        case 16: bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
        default: false
        }
    }

    /// Reads the usual forms. An IPv4 address in IPv6's clothes (`::ffff:192.0.2.1`) is an IPv4 address.
    public init?(_ text: some StringProtocol) {
        unknown = ""
        let text = String(text)
        // For the functions of C the text would end there.
        guard !text.utf8.contains(0) else { return nil }
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            let all = withUnsafeBytes(of: six) { Array($0) }
            let mapped: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF]
            bytes = all.starts(with: mapped) ? Array(all.suffix(4)) : all
        } else {
            return nil
        }
    }

    /// Whom a limit counts together: an IPv4 address by itself; of an IPv6 address the first 64 bits, since one customer has all the rest
    /// (RFC 6177).
    public var limitKey: String {
        guard bytes.count == 16 else { return description }
        return NetworkAddress(bytes: Array(bytes.prefix(8)) + Array(repeating: 0, count: 8)).description + "/64"
    }
}

extension NetworkAddress: CustomStringConvertible {
    public var description: String {
        switch bytes.count {
        case 4: return bytes.map { String($0) }.joined(separator: ".")
        case 16:
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            return bytes.withUnsafeBytes { source in
                guard inet_ntop(AF_INET6, source.baseAddress, &text, socklen_t(text.count)) != nil else { return "?" }
                return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
        default: return isUnknown ? unknown : "local"
        }
    }
}

/// A block of addresses in CIDR notation (RFC 4632): `10.0.0.0/8`, `2001:db8::/32`, or one address.
public struct NetworkRange: Sendable, Equatable {
    private let base: [UInt8]
    private let prefixLength: Int

    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ NetworkAddress($0) }) else { return nil }
        let bits = address.bytes.count * 8
        guard let length = parts.count == 1 ? bits : Int(parts[1]), (0...bits).contains(length) else { return nil }
        base = address.bytes
        prefixLength = length
    }

    public func contains(_ address: NetworkAddress) -> Bool {
        guard address.bytes.count == base.count else { return false }
        let whole = prefixLength / 8
        guard address.bytes.prefix(whole) == base.prefix(whole) else { return false }
        let rest = prefixLength % 8
        if rest == 0 { return true }
        let mask = UInt8.max << UInt8(8 - rest)
        return address.bytes[whole] & mask == base[whole] & mask
    }
}
