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

    @Sendable private func ready(_ request: APIRequest) async throws -> Response {
        do {
            let health = try await runtime.health()
            return .json { writer in
                writer.object {
                    $0.member("status", "ready")
                    $0.member("store", "ok")
                    $0.member("pending_changes", health.pending.count)
                    $0.member("oldest_pending_change", health.pending.oldest?.description)
                    $0.member("queued_changes", health.broker.depth)
                    $0.member("dead_letters", health.broker.deadLetters)
                }
            }
        } catch {
            let cause = EMSError(error)
            runtime.logger.warning("not ready: \(cause)")
            return .problem(EMSError(.unreachable, "not ready: \(cause.message)", retryAfter: 1), instance: "/readyz")
        }
    }
}
