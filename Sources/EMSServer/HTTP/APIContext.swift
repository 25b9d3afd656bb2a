import Hummingbird
import Logging
import NIOCore

/// What the router keeps of a request: where it came from, besides the usual.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress
    }

    /// The peer's IP address, without the port.
    var clientAddress: String { remoteAddress?.ipAddress ?? "local" }
}
