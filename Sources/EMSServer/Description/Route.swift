import HTTPTypes
import Hummingbird

/// One route: what is said of it, and what answers it.
struct Route<Group: Sendable>: Sendable {
    typealias Handler = @Sendable (APIRequest) async throws -> Response

    let method: HTTPRequest.Method
    let path: String
    let operation: Operation
    /// Whether the document leaves it out.
    var isHidden = false
    let handler: @Sendable (Group) -> Handler

    static func get(_ path: String, _ operation: Operation, _ handler: @escaping @Sendable (Group) -> Handler) -> Self {
        Self(method: .get, path: path, operation: operation, handler: handler)
    }

    static func post(_ path: String, _ operation: Operation, _ handler: @escaping @Sendable (Group) -> Handler) -> Self {
        Self(method: .post, path: path, operation: operation, handler: handler)
    }

    static func put(_ path: String, _ operation: Operation, _ handler: @escaping @Sendable (Group) -> Handler) -> Self {
        Self(method: .put, path: path, operation: operation, handler: handler)
    }

    static func patch(_ path: String, _ operation: Operation, _ handler: @escaping @Sendable (Group) -> Handler) -> Self {
        Self(method: .patch, path: path, operation: operation, handler: handler)
    }

    static func delete(_ path: String, _ operation: Operation, _ handler: @escaping @Sendable (Group) -> Handler) -> Self {
        Self(method: .delete, path: path, operation: operation, handler: handler)
    }
}

/// A route without what answers it.
struct DescribedRoute: Sendable {
    let method: HTTPRequest.Method
    let path: String
    let operation: Operation
    let isHidden: Bool
}

/// The routes of one resource.
protocol RouteGroup: Sendable {
    static var routes: [Route<Self>] { get }

    init(_ services: RouteServices)
}

extension RouteGroup {
    static var described: [DescribedRoute] {
        routes.map { DescribedRoute(method: $0.method, path: $0.path, operation: $0.operation, isHidden: $0.isHidden) }
    }
}

/// Which resources belong to which part of the daemon.
enum RouteGroups {
    static func all(for roles: Set<ServerRole>) -> [any RouteGroup.Type] {
        var groups: [any RouteGroup.Type] = []
        if roles.contains(.auth) { groups += [AuthRoutes.self, UserRoutes.self] }
        if roles.contains(.events) { groups += [EventRoutes.self, SubscriptionRoutes.self, AuditRoutes.self] }
        if roles.contains(.notifications) { groups += [NotificationRoutes.self, WebSocketRoutes.self] }
        return groups + [HealthRoutes.self, DocumentRoutes.self]
    }
}
