import EMSCore
import Hummingbird

/// `/users`: what others may see of a user, and the list for admins.
struct UserRoutes {
    let users: UserService

    func add(to table: inout RouteTable) {
        table.get("/users", list)
        table.get("/users/{id}", show)
    }

    @Sendable private func list(_ request: APIRequest) async throws -> Response {
        let principal = try await request.identity().principal
        let query = UserQuery(
            role: try request.query.word("role"), isActive: try request.query.boolean("is_active"), page: try request.query.page())
        let page = try await users.users(query, for: principal)
        return .json { writer in
            writer.object {
                $0.member("users", page.users)
                $0.member("total", page.total.count)
                $0.member("page", query.page.number)
                $0.member("page_size", query.page.size)
                $0.member("next", page.next?.text)
            }
        }
    }

    @Sendable private func show(_ request: APIRequest) async throws -> Response {
        let principal = try await request.identity().principal
        let user = try await users.user(id: request.id("id", "user"))
        return .json { user.encode(to: &$0, withPrivateFields: Permissions.maySeePrivateFields(of: user, principal)) }
    }
}
