import EMSCore
import HTTPTypes
import Hummingbird

/// What a WebSocket path answers to a request that did not become a session: why not.
struct WebSocketRoutes {
    let endpoint: WebSocketEndpoint

    func add(to table: inout RouteTable) {
        for path in WebSocketEndpoint.paths { table.get(path, refuse) }
    }

    @Sendable private func refuse(_ request: APIRequest) async throws -> Response {
        let headers = request.request.headers
        _ = try await endpoint.identity(
            of: WebSocketRequest(
                uri: request.request.head.path ?? "/", authorization: headers[.authorization],
                protocols: headers[.secWebSocketProtocol].map { [$0] } ?? []))
        var response = Response.problem(
            EMSError(.upgradeRequired, "this is a WebSocket", fix: "connect with ws://, version 13"), instance: request.request.uri.path)
        response.headers[.upgrade] = "websocket"
        response.headers[.connection] = "Upgrade"
        return response
    }
}
