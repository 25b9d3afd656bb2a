import EMSCore
import EMSRuntime
import HTTPTypes
import Hummingbird
import NIOCore

/// `/healthz` (the process runs), `/readyz` (it can serve) and `/metrics`, for whoever watches over it.
struct HealthRoutes: RouteGroup {
    private let runtime: Runtime
    private let health: HealthMonitor
    private let metrics: ServerMetrics
    private let webSockets: WebSocketHub?

    init(_ services: RouteServices) {
        runtime = services.runtime
        metrics = services.metrics
        health = services.health
        webSockets = services.webSockets?.hub
    }

    static let routes: [Route<HealthRoutes>] = [
        .get(
            "/healthz",
            Operation(
                id: "health", tag: .operations, summary: "Whether the process runs", access: .anyone,
                answers: [.json(200, "It does.", .reference("Health"))]), HealthRoutes.healthy),
        .get(
            "/readyz",
            Operation(
                id: "readiness", tag: .operations, summary: "Whether requests can be served",
                details: """
                    503 without the store. Without the broker, or where its messages cannot be recorded, everything is served, and changes
                    wait.
                    """, access: .anyone,
                answers: [.json(200, "They can.", .reference("Readiness"))]), HealthRoutes.ready),
        .get(
            "/metrics",
            Operation(
                id: "metrics", tag: .operations, summary: "Counters for monitoring",
                details: "In the text format of Prometheus; for the networks of `monitoring_from`.", access: .anyone,
                answers: [.text("The counters.", "text/plain")], errors: [.forbidden]), HealthRoutes.counters),
    ]

    @Sendable private func healthy(_ request: APIRequest) async throws -> Response {
        .json { $0.object { $0.member("status", "ok") } }
    }

    /// 200 as long as requests can be served: without the broker they can, and their changes wait.
    @Sendable private func ready(_ request: APIRequest) async throws -> Response {
        do {
            let health = try health.current().get()
            return .json { writer in
                writer.object {
                    switch health.broker {
                    case .success(let broker):
                        $0.member("status", health.isConsumerStuck ? "degraded" : "ready")
                        $0.member("store", "ok")
                        $0.member("broker", "ok")
                        $0.member("queued_changes", broker.depth)
                        $0.member("unacknowledged_changes", broker.unacknowledged)
                        $0.member("dead_letters", broker.deadLetters)
                    case .failure(let error):
                        $0.member("status", "degraded")
                        $0.member("store", "ok")
                        // The message names the server.
                        $0.member("broker", isMonitored(request) ? error.message : error.code.rawValue)
                    }
                    // The message may name a server or a file.
                    let failure = health.consumer.failure.map { isMonitored(request) ? $0.message : $0.code.rawValue }
                    $0.member("consumer", failure ?? "ok")
                    $0.member("consumer_failing_since", health.consumer.failingSince?.description)
                    $0.member("pending_changes", health.pending.count)
                    $0.member("oldest_pending_change", health.pending.oldest?.description)
                }
            }
        } catch {
            let cause = EMSError(error)
            // The message names the server.
            let reason = isMonitored(request) ? "not ready: \(cause.message)" : "not ready"
            return .problem(EMSError(.busy, reason, retryAfter: 1), instance: "/readyz")
        }
    }

    @Sendable private func counters(_ request: APIRequest) async throws -> Response {
        guard !request.clientAddress.isLoopback || LocalName.isLocal(request.request.head.authority) else {
            throw EMSError(
                .forbidden, "the counters are not for pages of \(Printable.quoted(request.request.head.authority ?? ""))",
                fix: "ask for them under localhost, or an address of this machine")
        }
        guard isMonitored(request) else {
            throw EMSError(.forbidden, "the counters are not for \(request.clientAddress)", fix: "see the setting monitoring_from")
        }
        let text = metrics.text(health: try? health.current().get(), webSocketSessions: webSockets?.sessions)
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    /// Whether the client may see details. A request from this machine under a foreign host name may come from a web page (DNS rebinding).
    private func isMonitored(_ request: APIRequest) -> Bool {
        let address = request.clientAddress
        if address.isLoopback, !LocalName.isLocal(request.request.head.authority) { return false }
        return address == .local || runtime.settings.server.monitoringFrom.contains { $0.contains(address) }
    }
}
