import EMSCore
import HTTPTypes
import Hummingbird

/// What a WebSocket path answers to a request that did not become a session: why not.
struct WebSocketRoutes: RouteGroup {
    private let endpoint: WebSocketEndpoint?

    init(_ services: RouteServices) {
        endpoint = services.webSockets
    }

    static let routes: [Route<WebSocketRoutes>] = WebSocketEndpoint.paths.map { path in
        Route(
            method: .get, path: path, operation: connect, isHidden: path != WebSocketEndpoint.paths[0],
            handler: { group in { try await group.refuse($0) } })
    }

    private static let connect = Operation(
        id: "connect", tag: .notifications, summary: "Connect a WebSocket",
        details: """
            Live notifications. The token stands in `Authorization`, in `Sec-WebSocket-Protocol: bearer, <token>`, or in `token`. Also at \
            `/ws/ws`.
            """, access: .anyone, parameters: [token, since],
        answers: [.empty(101, "It is a WebSocket from here on.")],
        errors: [.unauthenticated, .tokenExpired, .tokenRevoked, .forbidden, .upgradeRequired])

    private static let token = ParameterDescription(
        name: "token", place: .query, summary: "The access token, for clients that cannot send headers.", schema: .string())
    private static let since = ParameterDescription(
        name: "since", place: .query, summary: "The last notification one has seen: what was missed is replayed.", schema: .string())

    private func refuse(_ request: APIRequest) async throws -> Response {
        guard let endpoint else { throw EMSError(.notFound, "there is no WebSocket here") }
        let identity = try await endpoint.identity(of: WebSocketRequest(request.request))
        try endpoint.limits.check(identity.user.id, request.clientAddress)
        var response = Response.problem(
            EMSError(.upgradeRequired, "this is a WebSocket", fix: "connect with ws://, version 13"), instance: request.request.uri.path)
        response.headers[.upgrade] = "websocket"
        response.headers[.connection] = "Upgrade, close"
        response.headers[.secWebSocketVersion] = "13"
        return response
    }
}
