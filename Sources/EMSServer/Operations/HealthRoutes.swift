import EMSCore
import EMSRuntime
import Hummingbird

/// `/healthz` (the process runs) and `/readyz` (it can serve), for whoever watches over it.
struct HealthRoutes {
    let runtime: Runtime

    func add(to table: inout RouteTable) {
        table.get("/healthz") { _ in
            .json { $0.object { $0.member("status", "ok") } }
        }
        table.get("/readyz", ready)
    }

    /// 200 as long as requests can be served: without the broker they can, and their changes wait.
    @Sendable private func ready(_ request: APIRequest) async throws -> Response {
        do {
            let health = try await runtime.health()
            return .json { writer in
                writer.object {
                    switch health.broker {
                    case .success(let broker):
                        $0.member("status", "ready")
                        $0.member("store", "ok")
                        $0.member("broker", "ok")
                        $0.member("queued_changes", broker.depth)
                        $0.member("dead_letters", broker.deadLetters)
                    case .failure(let error):
                        $0.member("status", "degraded")
                        $0.member("store", "ok")
                        $0.member("broker", error.message)
                    }
                    $0.member("pending_changes", health.pending.count)
                    $0.member("oldest_pending_change", health.pending.oldest?.description)
                }
            }
        } catch {
            let cause = EMSError(error)
            runtime.logger.warning("not ready: \(cause)")
            return .problem(EMSError(.unreachable, "not ready: \(cause.message)", retryAfter: 1), instance: "/readyz")
        }
    }
}
