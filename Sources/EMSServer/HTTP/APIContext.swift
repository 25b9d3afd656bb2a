import EMSCore
import Hummingbird
import NIOCore

/// What the router keeps of a request: where it came from, besides the usual.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The other end of the connection: the client, or a proxy.
    let peerAddress: NetworkAddress

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peerAddress =
            (source.channel.remoteAddress ?? source.channel.parent?.remoteAddress)?.ipAddress.flatMap { NetworkAddress($0) } ?? .local
    }
}
