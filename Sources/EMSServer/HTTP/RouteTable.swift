import EMSCore
import HTTPTypes
import Hummingbird
import Logging

/// All routes, each with and without the prefix; a known path answers another method with 405 and says which it knows.
struct RouteTable {
    typealias Handler = @Sendable (APIRequest) async throws -> Response

    private let prefix: String
    private let authentication: AuthenticationService
    private let executor: (any TaskExecutor)?
    private let logger: Logger
    private var routes: [(method: HTTPRequest.Method, path: String, handler: Handler)] = []

    /// - Parameters:
    ///   - executor: where requests are handled: see ``Runtime/executor``.
    ///   - logger: told of the errors that are not the client's.
    init(prefix: String, authentication: AuthenticationService, executor: (any TaskExecutor)?, logger: Logger) {
        self.prefix = prefix
        self.authentication = authentication
        self.executor = executor
        self.logger = logger
    }

    mutating func get(_ path: String, _ handler: @escaping Handler) { routes.append((.get, path, handler)) }
    mutating func post(_ path: String, _ handler: @escaping Handler) { routes.append((.post, path, handler)) }
    mutating func put(_ path: String, _ handler: @escaping Handler) { routes.append((.put, path, handler)) }
    mutating func patch(_ path: String, _ handler: @escaping Handler) { routes.append((.patch, path, handler)) }
    mutating func delete(_ path: String, _ handler: @escaping Handler) { routes.append((.delete, path, handler)) }

    func makeResponder() -> RouterResponder<APIContext> {
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ErrorMiddleware(logger: logger))
        for prefix in prefix.isEmpty ? [""] : ["", prefix] {
            for (method, path, handler) in routes {
                router.on(RouterPath(prefix + path), method: method) { [authentication, executor] request, context in
                    let request = APIRequest(request: request, context: context, authentication: authentication)
                    return try await withTaskExecutorPreference(executor) { try await handler(request) }
                }
            }
            for (path, known) in Dictionary(grouping: routes, by: \.path).mapValues({ Set($0.map(\.method)) }) {
                refuseOthers(than: known, at: prefix + path, on: router)
            }
        }
        return router.buildResponder()
    }

    private func refuseOthers(than known: Set<HTTPRequest.Method>, at path: String, on router: Router<APIContext>) {
        var allowed = Set(known.map(\.rawValue))
        if known.contains(.get) { allowed.insert("HEAD") }
        let allow = allowed.sorted().joined(separator: ", ")
        for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete, .options, .trace] where !known.contains(method) {
            router.on(RouterPath(path), method: method) { request, _ in
                let error = EMSError(.methodNotAllowed, "\(method.rawValue) is not possible here", fix: "use \(allow)")
                var response = Response.problem(error, instance: request.uri.path)
                response.headers[.allow] = allow
                return response
            }
        }
    }
}
