import EMSCore
import Hummingbird

/// `/users`: what others may see of a user, and the list for admins.
struct UserRoutes: RouteGroup {
    private let users: UserService

    init(_ services: RouteServices) {
        users = services.runtime.users
    }

    static let routes: [Route<UserRoutes>] = [
        .get(
            "/users",
            Operation(
                id: "listUsers", tag: .users, summary: "All users", details: "For admins. The oldest first.",
                parameters: [role.description, isActive.description] + PageParameters.descriptions,
                answers: [.json(200, "A page of users.", .reference("UserPage"))], errors: [.forbidden]), UserRoutes.list),
        .get(
            "/users/{id}",
            Operation(
                id: "getUser", tag: .users, summary: "A user", details: "Email and last log-in are shown to the user and to admins only.",
                parameters: [.id("id", of: "user")], answers: [.json(200, "The user.", .reference("User"))]), UserRoutes.show),
    ]

    private static let role = QueryParameter<Role>.word("role", "Only those of this role.")
    private static let isActive = QueryParameter.boolean("is_active", "Only those who may log in, or only those who may not.")

    @Sendable private func list(_ request: APIRequest) async throws -> Response {
        let query = UserQuery(
            role: try request.query(Self.role), isActive: try request.query(Self.isActive), page: try request.query.page())
        let page = try await users.users(query, for: request.principal)
        return .json { writer in
            writer.object {
                $0.member("users", page.users)
                $0.member("total", page.total.count)
                $0.member("total_is_exact", page.total.isExact)
                $0.member("page", query.page.number)
                $0.member("page_size", query.page.size)
                $0.member("next", page.next?.text)
            }
        }
    }

    @Sendable private func show(_ request: APIRequest) async throws -> Response {
        let user = try await users.user(id: request.id("id", "user"))
        let withPrivateFields = users.maySeePrivateFields(of: user, request.principal)
        return .json { user.encode(to: &$0, withPrivateFields: withPrivateFields) }
    }
}
