/// Log-in, tokens and sessions.
public struct AuthenticationService: Sendable {
    /// How long tokens live and how often a log-in may be tried.
    public struct Policy: Sendable {
        public var accessTokenSeconds: Int64
        public var refreshTokenSeconds: Int64
        /// `nil` switches the limit off.
        public var loginAttempts: (limit: Int, windowSeconds: Int64)?

        public init(accessTokenSeconds: Int64, refreshTokenSeconds: Int64, loginAttempts: (limit: Int, windowSeconds: Int64)?) {
            self.accessTokenSeconds = accessTokenSeconds
            self.refreshTokenSeconds = refreshTokenSeconds
            self.loginAttempts = loginAttempts
        }
    }

    /// What a successful log-in or refresh hands out.
    public struct Grant: Sendable, JSONEncodable {
        public let accessToken: String
        public let expiresIn: Int64
        public let refreshToken: String

        public func encode(to writer: inout JSONWriter) {
            writer.object {
                $0.member("access_token", accessToken)
                $0.member("token_type", "bearer")
                $0.member("expires_in", expiresIn)
                $0.member("refresh_token", refreshToken)
            }
        }
    }

    /// Whom a token speaks for.
    public struct Identity: Sendable {
        public let user: User
        public let sessionID: SessionID
        public let tokenExpiresAt: Timestamp

        public var principal: Principal { .user(user) }
    }

    private let users: any UserStore
    private let tokens: any TokenStore
    private let limits: any RateLimitStore
    private let hasher: PasswordHasher
    private let accessTokens: AccessTokens
    private let policy: Policy
    private let now: @Sendable () -> Timestamp

    public init(
        stores: Stores, hasher: PasswordHasher, accessTokens: AccessTokens, policy: Policy,
        now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        users = stores.users
        tokens = stores.tokens
        limits = stores.rateLimits
        self.hasher = hasher
        self.accessTokens = accessTokens
        self.policy = policy
        self.now = now
    }

    /// Checks name and password. Unknown names and wrong passwords take the same time and read the same.
    /// - Parameter address: where the attempt comes from: there is a limit for an address, and one for an account.
    /// - Returns: the tokens, and what is left of the attempts, where they are limited.
    /// - Throws: ``EMSError`` with ``ErrorCode/rateLimited``, ``ErrorCode/invalidCredentials`` or ``ErrorCode/busy``.
    public func login(_ name: String, password: String, address: NetworkAddress) async throws -> (Grant, RateAllowance?) {
        let byAddress = try await countAttempt("address:\(address.limitKey)", "too many log-in attempts from this address")
        let credentials = try await users.credentials(login: name)
        // An account has one count whichever of its names is used; a name that nobody has is counted just so.
        let account = credentials.map { "user:\($0.user.id)" } ?? "name:\(hexadecimal(sha256(UserRules.caseFolded(name).utf8)))"
        let byAccount = try await countAttempt(account, "too many log-in attempts for this account")
        let isRight = try await hasher.verify(password, against: credentials?.passwordHash)
        guard isRight, let user = credentials?.user, user.isActive else {
            throw EMSError(.invalidCredentials, "the username, the email or the password is wrong")
        }
        let session = Session(
            userID: user.id, label: "login", createdAt: now(), expiresAt: now().adding(seconds: policy.refreshTokenSeconds))
        let (refreshToken, record) = makeRefreshToken(session.id, expiresAt: session.expiresAt)
        try await tokens.open(session, refreshToken: record)
        try await users.noteLogin(of: user.id, at: now())
        let allowance = [byAddress, byAccount].compactMap { $0 }.min { $0.remaining < $1.remaining }
        return (try await grant(user, session, refreshToken), allowance)
    }

    /// Checks the password of somebody who is logged in, within the limits of log-ins: a stolen token must not serve to find it out.
    /// - Throws: ``EMSError`` with ``ErrorCode/rateLimited``, ``ErrorCode/invalidCredentials`` or ``ErrorCode/busy``.
    public func confirm(_ password: String, of user: UserID, address: NetworkAddress) async throws {
        _ = try await countAttempt("address:\(address.limitKey)", "too many attempts from this address")
        _ = try await countAttempt("user:\(user)", "too many attempts for this account")
        let credentials = try await users.credentials(id: user)
        guard try await hasher.verify(password, against: credentials?.passwordHash) else {
            throw EMSError(.invalidCredentials, "the current password is wrong")
        }
    }

    /// - Returns: `nil` where attempts are not limited.
    private func countAttempt(_ key: String, _ refusal: String) async throws -> RateAllowance? {
        guard let (limit, window) = policy.loginAttempts else { return nil }
        let allowance = try await limits.attempt("login:\(key)", limit: limit, window: window, at: now())
        guard allowance.isGranted else { throw EMSError.rateLimited(refusal, allowance) }
        return allowance
    }

    /// Exchanges a refresh token for a new pair. One that was used before ends its whole session.
    public func refresh(_ refreshToken: String) async throws -> Grant {
        let refused = EMSError(.unauthenticated, "the refresh token is not valid", fix: "log in again")
        let digest = sha256(refreshToken.utf8)
        guard let id = try await tokens.sessionID(ofRefreshToken: digest), let session = try await tokens.session(id: id) else {
            throw refused
        }
        let (successor, record) = makeRefreshToken(id, expiresAt: session.expiresAt)
        switch try await tokens.rotate(digest, to: record, at: now()) {
        case .refused: throw refused
        case .reused:
            throw EMSError(.tokenRevoked, "the refresh token was used before; its session is ended", fix: "log in again")
        case .rotated:
            guard let (session, user) = try await tokens.sessionAndUser(id: id), user.isActive else { throw refused }
            return try await grant(user, session, successor)
        }
    }

    /// Ends the session: its tokens are dead at once, everywhere.
    public func logout(_ session: SessionID) async throws {
        _ = try await tokens.end(session, at: now())
    }

    /// Whom the access token speaks for, by the state of this moment.
    /// - Throws: ``EMSError`` with ``ErrorCode/unauthenticated``, ``ErrorCode/tokenExpired`` or ``ErrorCode/tokenRevoked``.
    public func authenticate(_ token: String) async throws -> Identity {
        let claims = try await accessTokens.verify(token, at: now())
        return try await identity(claims.userID, claims.sessionID, tokenExpiresAt: claims.expiresAt)
    }

    /// The same identity as it is by now: for connections that outlive a request.
    /// - Throws: ``EMSError`` as ``authenticate(_:)``.
    public func refreshed(_ identity: Identity) async throws -> Identity {
        try await self.identity(identity.user.id, identity.sessionID, tokenExpiresAt: identity.tokenExpiresAt)
    }

    private func identity(_ userID: UserID, _ sessionID: SessionID, tokenExpiresAt: Timestamp) async throws -> Identity {
        guard let (session, user) = try await tokens.sessionAndUser(id: sessionID), user.id == userID else {
            throw AccessTokens.refused
        }
        guard session.isLive(at: now()), user.isActive else {
            throw EMSError(.tokenRevoked, "the token was revoked", fix: "log in again")
        }
        return Identity(user: user, sessionID: session.id, tokenExpiresAt: tokenExpiresAt)
    }

    /// The keys with which others verify our tokens (RFC 7517).
    public var publicKeys: JSONValue { accessTokens.publicKeys }

    /// Reads the signing keys anew; where that fails, those known go on.
    public func reloadKeys() async throws {
        try await accessTokens.reload()
    }

    /// Makes an access token for a user without a password: for operators.
    public func issue(for user: User, seconds: Int64?, label: String) async throws -> (token: String, session: Session) {
        guard user.isActive else {
            throw EMSError(.forbidden, "the user \(user.username) is not active", fix: "ems user activate \(user.username)")
        }
        let seconds = seconds ?? policy.accessTokenSeconds
        let session = Session(userID: user.id, label: label, createdAt: now(), expiresAt: now().adding(seconds: seconds))
        try await tokens.open(session, refreshToken: nil)
        return (try await accessToken(user, session, seconds: seconds), session)
    }

    public func sessions(of user: UserID?, liveOnly: Bool, before: SessionID?, limit: Int) async throws -> [Session] {
        try await tokens.sessions(of: user, liveAt: liveOnly ? now() : nil, before: before, limit: limit)
    }

    public func session(_ id: SessionID) async throws -> Session {
        guard let session = try await tokens.session(id: id) else { throw EMSError.notFound("session", id) }
        return session
    }

    /// - Returns: whether it was live.
    public func revoke(_ id: SessionID) async throws -> Bool {
        try await tokens.end(id, at: now())
    }

    /// - Returns: how many sessions ended.
    public func revokeAll(of user: UserID) async throws -> Int {
        try await tokens.endAll(of: user, except: nil, at: now())
    }

    /// Removes sessions that expired or ended before the given moment, with their refresh tokens.
    /// - Returns: how many were removed; with `dryRun`, would be.
    public func purgeSessions(before moment: Timestamp, dryRun: Bool = false) async throws -> Int {
        dryRun ? try await tokens.purgeable(before: moment) : try await tokens.purge(before: moment)
    }

    /// The sessions ended in the last so many seconds: for closing the connections made with them.
    public func recentlyEndedSessions(seconds: Int64) async throws -> [SessionID] {
        try await tokens.endedSessions(since: now().adding(seconds: -seconds))
    }

    private func grant(_ user: User, _ session: Session, _ refreshToken: String) async throws -> Grant {
        let seconds = policy.accessTokenSeconds
        return Grant(
            accessToken: try await accessToken(user, session, seconds: seconds), expiresIn: seconds, refreshToken: refreshToken)
    }

    private func accessToken(_ user: User, _ session: Session, seconds: Int64) async throws -> String {
        let now = now()
        return try await accessTokens.sign(
            .init(
                tokenID: ID<AccessTokens>().description, userID: user.id, sessionID: session.id, role: user.role, issuedAt: now,
                expiresAt: now.adding(seconds: seconds)))
    }

    private func makeRefreshToken(_ session: SessionID, expiresAt: Timestamp) -> (String, RefreshTokenRecord) {
        let token = SecureRandom.hex(32)
        return (token, RefreshTokenRecord(digest: sha256(token.utf8), sessionID: session, expiresAt: expiresAt))
    }
}
