import EMSCore
import Hummingbird

/// `/auth`: registration, log-in, tokens, and one's own account.
struct AuthRoutes: RouteGroup {
    private let users: UserService
    private let authentication: AuthenticationService
    private let prefix: String

    init(_ services: RouteServices) {
        users = services.runtime.users
        authentication = services.authentication
        prefix = services.settings.apiPrefix
    }

    static let routes: [Route<AuthRoutes>] = [
        .post(
            "/auth/register",
            Operation(
                id: "register", tag: .authentication, summary: "Make an account", access: .anyone,
                body: .init(schema: .reference("Registration"), example: Schemas.registrationExample),
                answers: [
                    .json(
                        201, "The new user.", .reference("User"), headers: [.location],
                        links: [.init(operation: "getUser", parameter: "id", pointer: "/user_id")])
                ], errors: [.usernameTaken, .emailTaken, .rateLimited]),
            AuthRoutes.register),
        .post(
            "/auth/login",
            Operation(
                id: "login", tag: .authentication, summary: "Log in",
                details: """
                    Each address has a few attempts a minute. After several failures, an account accepts attempts from addresses that it \
                    never logged in from only after a delay, which grows. An unknown user and a wrong password take the same time and read \
                    the same.
                    """, access: .anyone, body: .init(schema: .reference("Credentials"), example: Schemas.credentialsExample),
                answers: [.json(200, "The tokens.", .reference("Grant"))], errors: [.invalidCredentials]), AuthRoutes.login),
        .post(
            "/auth/refresh",
            Operation(
                id: "refresh", tag: .authentication, summary: "Exchange a refresh token for a new pair",
                details: """
                    A refresh token is good for one use. One that is used again ends its whole session, since it may have been stolen; only \
                    within 30 seconds is it answered with the same successor, so that a request without an answer can be repeated.
                    """,
                access: .anyone, body: .init(schema: .reference("RefreshRequest"), example: Schemas.refreshExample),
                answers: [.json(200, "The new tokens.", .reference("Grant"))], errors: [.unauthenticated, .tokenRevoked]),
            AuthRoutes.refresh),
        .post(
            "/auth/logout",
            Operation(
                id: "logout", tag: .authentication, summary: "Log out",
                details: "Ends the session: its access and refresh tokens are dead at once, everywhere.",
                parameters: [everywhere.description], answers: [.empty(204, "The session is ended.")]), AuthRoutes.logout),
        .post(
            "/auth/password",
            Operation(
                id: "changePassword", tag: .authentication, summary: "Change the password",
                details: "Ends all other sessions. The limits of log-ins hold for the current password, too.",
                body: .init(schema: .reference("PasswordChange"), example: Schemas.passwordExample),
                answers: [.empty(204, "The password is changed.")], errors: [.invalidCredentials]), AuthRoutes.changePassword),
        .get(
            "/auth/me",
            Operation(
                id: "getMe", tag: .authentication, summary: "One's own account", answers: [.json(200, "The user.", .reference("User"))]),
            AuthRoutes.me),
        .patch(
            "/auth/me",
            Operation(
                id: "updateMe", tag: .authentication, summary: "Change one's own account",
                body: .init(
                    schema: .reference("ProfilePatch"), mediaTypes: ["application/json", "application/merge-patch+json"],
                    example: ["full_name": "Ada Lovelace"]), answers: [.json(200, "The user.", .reference("User"))],
                errors: [.usernameTaken, .emailTaken]), AuthRoutes.updateMe),
        .get(
            "/auth/sessions",
            Operation(
                id: "listSessions", tag: .authentication, summary: "Where one is logged in", details: "The newest first.",
                answers: [
                    .json(
                        200, "The live sessions.", .array(of: .reference("Session")),
                        links: [.init(operation: "endSession", parameter: "id", pointer: "/0/session_id")])
                ]), AuthRoutes.sessions),
        .delete(
            "/auth/sessions/{id}",
            Operation(
                id: "endSession", tag: .authentication, summary: "End one of one's sessions", parameters: [.id("id", of: "session")],
                answers: [.empty(204, "The session is ended.")]), AuthRoutes.endSession),
        .get("/.well-known/jwks.json", keys, AuthRoutes.keySet),
    ]

    private static let keys = Operation(
        id: "keySet", tag: .authentication, summary: "The public keys that verify access tokens",
        details: "Empty with HS256, whose key is secret.", access: .anyone,
        answers: [.json(200, "A set of JSON Web Keys (RFC 7517).", .reference("KeySet"))])

    private static let everywhere = QueryParameter.boolean("everywhere", "Whether all of the user's sessions end.")

    @Sendable private func keySet(_ request: APIRequest) async throws -> Response {
        .json(headers: [.cacheControl: "public, max-age=60"], of: authentication.publicKeys)
    }

    @Sendable private func register(_ request: APIRequest) async throws -> Response {
        let draft = try UserDraft(try request.json())
        try await authentication.admitRegistration(from: request.clientAddress)
        let user = try await users.register(draft, via: request.source)
        return .json(.created, headers: [.location: "\(request.prefix(prefix))/users/\(user.id)"], of: user)
    }

    @Sendable private func login(_ request: APIRequest) async throws -> Response {
        var fields = JSONFields(try request.json())
        let name = fields.requiredString("username_or_email")
        let password = fields.requiredString("password")
        try fields.finish(ignoring: [])
        let (grant, allowance) = try await authentication.login(
            name, password: password, address: request.clientAddress, via: request.source)
        var response = Response.json(headers: [.cacheControl: "no-store"], of: grant)
        if let allowance { response.headers.add(allowance) }
        return response
    }

    @Sendable private func refresh(_ request: APIRequest) async throws -> Response {
        var fields = JSONFields(try request.json())
        let token = fields.requiredString("refresh_token")
        try fields.finish(ignoring: [])
        return .json(headers: [.cacheControl: "no-store"], of: try await authentication.refresh(token, via: request.source))
    }

    @Sendable private func logout(_ request: APIRequest) async throws -> Response {
        if try request.query(Self.everywhere) == true {
            _ = try await authentication.revokeAll(of: request.user.id, by: request.principal)
        } else {
            try await authentication.logout(request.identity.sessionID, by: request.principal)
        }
        return Response(status: .noContent)
    }

    @Sendable private func changePassword(_ request: APIRequest) async throws -> Response {
        var fields = JSONFields(try request.json())
        let current = fields.requiredString("current_password")
        let new = fields.requiredString("new_password")
        try fields.finish(ignoring: [])
        try users.check(newPassword: new, as: "new_password")
        let version = try await authentication.confirm(
            current, of: request.user.id, address: request.clientAddress, via: request.source)
        try await users.setPassword(
            new, of: request.user.id, by: request.principal, verified: version, keeping: request.identity.sessionID, as: "new_password")
        return Response(status: .noContent)
    }

    @Sendable private func me(_ request: APIRequest) async throws -> Response {
        .json(of: request.user)
    }

    @Sendable private func updateMe(_ request: APIRequest) async throws -> Response {
        .json(of: try await users.update(request.user.id, with: UserPatch(try request.json()), by: request.principal))
    }

    @Sendable private func sessions(_ request: APIRequest) async throws -> Response {
        let sessions = try await authentication.sessions(of: request.user.id, liveOnly: true, before: nil, limit: 100)
        return .json { $0.array(sessions) }
    }

    @Sendable private func endSession(_ request: APIRequest) async throws -> Response {
        let id: SessionID = try request.id("id", "session")
        guard try await authentication.session(id).userID == request.user.id else { throw EMSError.notFound("session", id) }
        _ = try await authentication.revoke(id, by: request.principal)
        return Response(status: .noContent)
    }
}
