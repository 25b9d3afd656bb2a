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
        for text in forwardedFor.flatMap({ $0.split(separator: ",") }).reversed() {
            guard isTrusted(client), let previous = NetworkAddress(text.filter { $0 != " " }) else { return client }
            client = previous
        }
        return client
    }

    private func isTrusted(_ address: NetworkAddress) -> Bool {
        ranges.contains { $0.contains(address) }
    }
}
