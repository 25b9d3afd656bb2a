import EMSCore
import Logging
import NIOConcurrencyHelpers

/// Who is behind a request, by the connection and by what trusted proxies say.
final class ClientAddresses: Sendable {
    private let proxies: TrustedProxies
    private let logger: Logger
    private let hasWarned = NIOLockedValueBox(false)

    init(_ proxies: TrustedProxies, logger: Logger) {
        self.proxies = proxies
        self.logger = logger
    }

    func address(of peer: NetworkAddress, forwardedFor: [String]) -> NetworkAddress {
        let client = proxies.client(of: peer, forwardedFor: forwardedFor)
        if client.isUnknown {
            let isFirst = hasWarned.withLockedValue { hasWarned in
                defer { hasWarned = true }
                return !hasWarned
            }
            if isFirst {
                logger.warning(
                    """
                    the proxy \(peer) sends an X-Forwarded-For that is not an address: \(Printable.quoted(forwardedFor.joined(separator: ", "))); \
                    such clients count as unknown, and may not read /metrics
                    """)
            }
        }
        return client
    }
}

/// The names under which a program on this machine asks for this machine: what a browser sends for a page of elsewhere is another, though
/// its name may lead here (DNS rebinding).
enum LocalName {
    static func isLocal(_ authority: String?) -> Bool {
        guard let authority, !authority.isEmpty else { return true }
        var host = Substring(authority.lowercased())
        if host.hasPrefix("[") {
            host = host.dropFirst().prefix { $0 != "]" }
        } else if let colon = host.lastIndex(of: ":") {
            host = host[..<colon]
        }
        return host == "localhost" || host.hasSuffix(".localhost") || NetworkAddress(host) != nil
    }
}
