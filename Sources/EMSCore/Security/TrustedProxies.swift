/// The proxies whose word about the client's address is believed. Nobody else's is: the header can be written by anyone.
public struct TrustedProxies: Sendable, Equatable {
    private let ranges: [NetworkRange]

    public init(_ ranges: [NetworkRange] = []) {
        self.ranges = ranges
    }

    /// Who is behind a connection.
    /// - Parameters:
    ///   - peer: the other end of the connection.
    ///   - forwardedFor: the values of `X-Forwarded-For`, in their order. Each proxy adds at the end whom it was called by, so that they are
    ///     read from the end, for as long as a trusted proxy wrote them.
    public func client(of peer: NetworkAddress, forwardedFor: [String]) -> NetworkAddress {
        var client = peer
        for text in forwardedFor.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }).reversed() {
            guard isTrusted(client) else { return client }
            guard let previous = Self.address(text) else { return .unknown(text.filter { $0 != " " }) }
            client = previous
        }
        return client
    }

    /// An address as proxies write it: by itself, with a port, in quotes, or an IPv6 address in brackets (RFC 7239, section 6).
    private static func address(_ text: Substring) -> NetworkAddress? {
        var text = text.filter { $0 != " " && $0 != "\t" && $0 != "\"" }[...]
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || isPort(rest) else { return nil }
            text = text[text.index(after: text.startIndex)..<end]
        } else if let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon {
            guard isPort(text[colon...]) else { return nil }
            text = text[..<colon]
        }
        return NetworkAddress(text)
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.first == ":" && (1...5).contains(text.dropFirst().utf8.count) && text.dropFirst().utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    private func isTrusted(_ address: NetworkAddress) -> Bool {
        ranges.contains { $0.contains(address) }
    }
}
