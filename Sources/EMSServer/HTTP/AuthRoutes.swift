import EMSCore
import Hummingbird

/// `/auth`: registration, log-in, tokens, and one's own account.
struct AuthRoutes {
    let users: UserService
    let authentication: AuthenticationService
    let prefix: String

    func add(to table: inout RouteTable) {
        table.post("/auth/register", register)
        table.post("/auth/login", login)
        table.post("/auth/refresh", refresh)
        table.post("/auth/logout", logout)
        table.post("/auth/password", changePassword)
        table.get("/auth/me", me)
        table.patch("/auth/me", updateMe)
    }

    @Sendable private func register(_ request: APIRequest) async throws -> Response {
        let user = try await users.create(UserDraft(try await request.json()))
        return .json(.created, headers: [.location: "\(request.prefix(prefix))/users/\(user.id)"], of: user)
    }

    @Sendable private func login(_ request: APIRequest) async throws -> Response {
        var fields = JSONFields(try await request.json())
        let name = fields.requiredString("username_or_email")
        let password = fields.requiredString("password")
        try fields.finish()
        return .json(
            headers: [.cacheControl: "no-store"],
            of: try await authentication.login(name, password: password, address: request.context.clientAddress))
    }

    @Sendable private func refresh(_ request: APIRequest) async throws -> Response {
        var fields = JSONFields(try await request.json())
        let token = fields.requiredString("refresh_token")
        try fields.finish()
        return .json(headers: [.cacheControl: "no-store"], of: try await authentication.refresh(token))
    }

    @Sendable private func logout(_ request: APIRequest) async throws -> Response {
        try await authentication.logout(try await request.identity().sessionID)
        return Response(status: .noContent)
    }

    @Sendable private func changePassword(_ request: APIRequest) async throws -> Response {
        let identity = try await request.identity()
        var fields = JSONFields(try await request.json())
        let current = fields.requiredString("current_password")
        let new = fields.requiredString("new_password")
        try fields.finish()
        try await users.changePassword(of: identity.user.id, from: current, to: new, keeping: identity.sessionID)
        return Response(status: .noContent)
    }

    @Sendable private func me(_ request: APIRequest) async throws -> Response {
        .json(of: try await request.identity().user)
    }

    @Sendable private func updateMe(_ request: APIRequest) async throws -> Response {
        let identity = try await request.identity()
        return .json(of: try await users.update(identity.user.id, with: UserPatch(try await request.json())))
    }
}
