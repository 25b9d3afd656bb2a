import EMSCore
import Hummingbird
import NIOCore

/// What the router keeps of a request: where it came from, besides the usual.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The other end of the connection: the client, or a proxy.
    let peerAddress: NetworkAddress
    /// Tells connections apart that are open at the same time.
    let connectionName: String

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        // The streams of an HTTP/2 connection have no address of their own.
        connectionName = (source.channel.remoteAddress ?? source.channel.parent?.remoteAddress).map { "\($0)" } ?? "local"
        peerAddress =
            (source.channel.remoteAddress ?? source.channel.parent?.remoteAddress)?.ipAddress.flatMap { NetworkAddress($0) } ?? .local
    }
}
