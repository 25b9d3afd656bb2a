import EMSCore
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Makes a WebSocket session of a handshake that the ``UpgradeGate`` has admitted.
final class WebSocketUpgrader<Connection: Sendable>: NIOTypedHTTPServerProtocolUpgrader {
    typealias UpgradeResult = Connection

    let supportedProtocol = "websocket"
    let requiredUpgradeHeaders: [String] = []
    private let endpoint: WebSocketEndpoint
    private let admitted: NIOLockedValueBox<WebSocketAdmission?>
    private let connection: @Sendable (any Channel) -> Connection

    /// One upgrader serves one connection.
    init(
        endpoint: WebSocketEndpoint, admitted: NIOLockedValueBox<WebSocketAdmission?>,
        connection: @escaping @Sendable (any Channel) -> Connection
    ) {
        self.endpoint = endpoint
        self.admitted = admitted
        self.connection = connection
    }

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        WebSocketHandshake.responseHeaders(channel, upgradeRequest, initialResponseHeaders)
    }

    func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            // Only an admitted handshake reaches the upgrader; were it otherwise, nobody would come in.
            guard let admission = admitted.withLockedValue({ $0 }) else { throw ChannelError.operationUnsupported }
            try endpoint.addSession(admission, upgradeRequest, to: channel, position: .last)
            return connection(channel)
        }
    }
}

/// Whose handshake was admitted, and the place that its connection takes.
struct WebSocketAdmission: Sendable {
    let identity: AuthenticationService.Identity
    /// How what the session changes comes in.
    let source: ChangeSource
    let place: WebSocketLimits.Place
}

enum WebSocketHandshake {
    /// The headers of the answer that makes a connection a WebSocket (RFC 6455, section 4.2.2).
    static func responseHeaders(
        _ channel: any Channel, _ request: HTTPRequestHead, _ initial: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        let handshake = NIOTypedWebSocketServerUpgrader<Void>(
            shouldUpgrade: { channel, head in
                // Named only where the client offered it (RFC 6455, section 4.2.2).
                let offersBearer = WebSocketRequest(head).offersBearerProtocol
                return channel.eventLoop.makeSucceededFuture(offersBearer ? ["Sec-WebSocket-Protocol": "bearer"] : [:])
            },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
        return handshake.buildUpgradeResponse(channel: channel, upgradeRequest: request, initialResponseHeaders: initial)
    }
}

/// Where WebSockets are served, and for whom.
struct WebSocketEndpoint: Sendable {
    static let paths = ["/ws", "/ws/ws"]

    let authentication: AuthenticationService
    let hub: WebSocketHub
    let services: WebSocketSession.Services
    /// The paths with and without the prefix.
    let paths: Set<String>
    /// The origins whose pages may connect from a browser, besides our own.
    let origins: Set<String>
    let logger: Logger
    /// Counts handshakes and messages like requests; `nil` if requests are not limited.
    let limiter: RequestLimiter?
    let limits: WebSocketLimits
    let clients: ClientAddresses

    /// Whether a request may become a session.
    /// - Throws: ``EMSError`` where it may not.
    func admission(of head: HTTPRequestHead, from peer: SocketAddress?) async throws -> WebSocketAdmission {
        let peer = peer?.ipAddress.flatMap { NetworkAddress($0) } ?? .local
        let address = clients.address(of: peer, forwardedFor: head.headers["X-Forwarded-For"])
        let identity = try await identity(of: WebSocketRequest(head))
        if let allowance = limiter?.count(identity.user.id.description), !allowance.isGranted {
            throw EMSError.rateLimited("too many requests", allowance)
        }
        let source = ChangeSource(
            .ws, address: address.description, traceparent: head.headers.first(name: "traceparent").flatMap { TraceParent($0) })
        return WebSocketAdmission(identity: identity, source: source, place: try limits.enter(identity.user.id, address))
    }

    /// Puts a session into the pipeline of a connection that is no HTTP any more.
    func addSession(
        _ admission: WebSocketAdmission, _ request: HTTPRequestHead, to channel: any Channel,
        position: ChannelPipeline.SynchronousOperations.Position
    ) throws {
        let session = WebSocketSession(
            admission: admission, since: WebSocketRequest(request).parameter("since"), hub: hub, services: services, limiter: limiter,
            logger: logger)
        let decoder = ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: WebSocketSession.Limit.messageBytes))
        try channel.syncOptions?.setOption(
            .writeBufferWaterMark,
            value: .init(low: WebSocketSession.Limit.outboundBytes / 2, high: WebSocketSession.Limit.outboundBytes))
        try channel.pipeline.syncOperations.addHandlers([decoder, session], position: position)
    }

    /// The parameters of a handshake.
    static let parameters = ["token", "since"]

    /// Whom the request speaks for.
    /// - Throws: ``EMSError`` where it is not for us, has no token, or a bad one.
    func identity(of request: WebSocketRequest) async throws -> AuthenticationService.Identity {
        guard paths.contains(request.path) else { throw EMSError(.notFound, "there is no WebSocket here") }
        try QueryReader.refuseUndecodable(request.query)
        try QueryReader.refuseUnknown(request.parameterNames, valid: Self.parameters)
        if let origin = request.origin?.lowercased(), !origins.contains(origin), !request.isSameOrigin {
            throw EMSError(
                .forbidden, "pages of \(Printable.quoted(origin)) may not connect", fix: "allow the origin with the setting frontend_url")
        }
        guard let token = request.token else {
            throw EMSError(
                .unauthenticated, "a token is needed",
                fix: "send it in Authorization, in Sec-WebSocket-Protocol: bearer, <token>, or as ?token=")
        }
        return try await authentication.authenticate(token)
    }
}

/// The parts of an upgrade request that matter, whichever parser read it.
struct WebSocketRequest {
    let path: String
    let query: Substring
    private let authorization: String?
    private let protocols: [String]

    /// Where the page comes from that asks, and where the server is called: browsers say both.
    let origin: String?
    let host: String?

    init(_ head: HTTPRequestHead) {
        self.init(
            uri: head.uri, authorization: head.headers.first(name: "Authorization"), protocols: head.headers["Sec-WebSocket-Protocol"],
            origin: head.headers.first(name: "Origin"), host: head.headers.first(name: "Host"))
    }

    init(_ request: Request) {
        let headers = request.headers
        self.init(
            uri: request.head.path ?? "/", authorization: headers[.authorization], protocols: headers[values: .secWebSocketProtocol],
            origin: headers[.origin], host: request.head.authority)
    }

    init(uri: String, authorization: String?, protocols: [String], origin: String? = nil, host: String? = nil) {
        self.origin = origin
        self.host = host
        let parts = uri.prefix { $0 != "#" }.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        // As the router sees paths: a slash behind one, or a second one within, makes no other.
        path = "/" + (parts.first ?? "").split(separator: "/").joined(separator: "/")
        query = parts.count > 1 ? parts[1] : ""
        self.authorization = authorization
        self.protocols = protocols.flatMap { $0.split(separator: ",").map { $0.filter { !$0.isWhitespace } } }
    }

    /// Whether the page that asks came from the very server it asks.
    var isSameOrigin: Bool {
        guard let origin, let host else { return false }
        return ["http://\(host)", "https://\(host)"].contains { $0.lowercased() == origin.lowercased() }
    }

    var offersBearerProtocol: Bool { protocols.first == "bearer" }

    var token: String? {
        if let token = BearerToken.token(inAuthorization: authorization) { return token }
        if offersBearerProtocol, protocols.count > 1 { return protocols[1] }
        return parameter("token")
    }

    func parameter(_ name: String) -> String? {
        pairs.first { $0.name == name }?.value
    }

    var parameterNames: [String] { pairs.map(\.name) }

    private var pairs: [(name: String, value: String)] {
        QueryReader.parameters(of: query).map { (String($0.key), String($0.value)) }
    }
}
