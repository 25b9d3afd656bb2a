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
        router.add(middleware: ErrorMiddleware(problems: services.problems, paths: knownPaths))
        router.add(middleware: CompressionMiddleware())
        if let middleware = CrossOriginMiddleware(services.server.origins) { router.add(middleware: middleware) }
        // Under a prefix that is a path itself, two routes would be one: the one without the prefix is meant.
        var taken: Set<String> = []
        for prefix in services.prefixes {
            for (route, endpoint) in routes where taken.insert("\(route.method) \(prefix + route.path)").inserted {
                router.on(RouterPath(prefix + route.path), method: route.method) { request, context in
                    try await endpoint.answer(request, context)
                }
            }
        }
        return router.buildResponder()
    }

    /// Which methods each path knows.
    private var knownPaths: KnownPaths {
        KnownPaths(services.prefixes.flatMap { prefix in routes.map { (prefix + $0.route.path, $0.route.method) } })
    }
}
