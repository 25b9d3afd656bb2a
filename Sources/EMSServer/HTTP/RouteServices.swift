import EMSCore
import EMSRuntime

/// What routes are made of.
struct RouteServices: Sendable {
    let runtime: Runtime
    let authentication: AuthenticationService
    let problems: ProblemReporter
    /// `nil` where requests are not limited.
    let limiter: RequestLimiter?
    let metrics: ServerMetrics
    /// `nil` where this process serves no WebSockets.
    let webSockets: WebSocketEndpoint?
    let roles: Set<ServerRole>
    let health: HealthMonitor
    let clients: ClientAddresses
    let budget = ResponseBudget()
    /// A search may look at thousands of candidates.
    let searches = FairShare(width: 2, waitingLimit: 64)

    var settings: Settings { runtime.settings }
    var server: Settings.ServerSettings { runtime.settings.server }
    var executor: (any TaskExecutor)? { runtime.executor }

    /// The prefixes under which every path answers.
    var prefixes: [String] { settings.apiPrefix.isEmpty ? [""] : ["", settings.apiPrefix] }
}
