import EMSCore
import HTTPTypes
import Hummingbird

/// All routes, each with and without the prefix; a known path answers another method with 405 and says which it knows.
struct RouteTable {
    private let services: RouteServices
    private var routes: [(route: DescribedRoute, endpoint: Endpoint)] = []

    init(_ groups: [any RouteGroup.Type], _ services: RouteServices) {
        self.services = services
        for group in groups { add(group) }
    }

    private mutating func add<Group: RouteGroup>(_ group: Group.Type) {
        let instance = Group(services)
        for (route, described) in zip(Group.routes, Group.described) {
            routes.append((described, Endpoint(operation: route.operation, services: services, handler: route.handler(instance))))
        }
    }

    func makeResponder() -> RouterResponder<APIContext> {
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ErrorMiddleware(problems: services.problems))
        router.add(middleware: CompressionMiddleware())
        if let middleware = CrossOriginMiddleware(services.server.origins) { router.add(middleware: middleware) }
        let executor = services.executor
        for prefix in services.prefixes {
            for (route, endpoint) in routes {
                router.on(RouterPath(prefix + route.path), method: route.method) { request, context in
                    try await withTaskExecutorPreference(executor) { try await endpoint.answer(request, context) }
                }
            }
            for (path, known) in Dictionary(grouping: routes, by: \.route.path).mapValues({ Set($0.map(\.route.method)) }) {
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
