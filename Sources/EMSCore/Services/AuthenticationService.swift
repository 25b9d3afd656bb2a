import Crypto

/// Log-in, tokens and sessions.
public struct AuthenticationService: Sendable {
    /// How long tokens live and how often a log-in may be tried.
    public struct Policy: Sendable {
        public var accessTokenSeconds: Int64
        public var refreshTokenSeconds: Int64
        /// `nil` switches the limits off.
        public var limits: Limits?

        public init(accessTokenSeconds: Int64, refreshTokenSeconds: Int64, limits: Limits?) {
            self.accessTokenSeconds = accessTokenSeconds
            self.refreshTokenSeconds = refreshTokenSeconds
            self.limits = limits
        }
    }

    /// How often an address may try to log in or to register. All daemons share the counts.
    public struct Limits: Sendable {
        public typealias Rate = (limit: Int, windowSeconds: Int64)

        public var login: Rate
        /// The log-ins of addresses in ``networks``: an office has one address for many people.
        public var networkLogin: Rate
        public var networks: [NetworkRange]
        public var registration: Rate

        public init(login: Rate, networkLogin: Rate, networks: [NetworkRange], registration: Rate) {
            self.login = login
            self.networkLogin = networkLogin
            self.networks = networks
            self.registration = registration
        }

        func login(from address: NetworkAddress) -> Rate {
            networks.contains { $0.contains(address) } ? networkLogin : login
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
    }

    private let users: any UserStore
    private let tokens: any TokenStore
    private let limits: any RateLimitStore
    private let logins: any LoginStore
    private let journal: any JournalStore
    private let hasher: PasswordHasher
    private let accessTokens: AccessTokens
    private let known: IdentityCache?
    private let policy: Policy
    private let now: @Sendable () -> Timestamp

    public init(
        stores: Stores, hasher: PasswordHasher, accessTokens: AccessTokens, policy: Policy,
        now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        users = stores.users
        tokens = stores.tokens
        limits = stores.rateLimits
        logins = stores.logins
        journal = stores.journal
        self.hasher = hasher
        self.accessTokens = accessTokens
        known = stores.watch.map { IdentityCache($0) }
        self.policy = policy
        self.now = now
    }

    /// Checks name and password. Unknown names and wrong passwords take the same time and read the same.
    /// - Parameter address: where the attempt comes from. There is a limit for each address; and an account is locked for ever longer
    ///   after failures from addresses that it never logged in from.
    /// - Returns: the tokens, and what is left of the attempts, where they are limited.
    /// - Throws: ``EMSError`` with ``ErrorCode/rateLimited``, ``ErrorCode/invalidCredentials`` or ``ErrorCode/busy``.
    public func login(
        _ name: String, password: String, address: NetworkAddress, via source: ChangeSource
    ) async throws -> (Grant, RateAllowance?) {
        let allowance = try await countAttempt("login", policy.limits?.login(from: address), address, "log-in attempts")
        let credentials = try await users.credentials(login: name)
        // An account has one count whichever of its names is used; a name that nobody has is counted just so.
        let account =
            credentials.map { LoginFailures.account($0.user.id) } ?? "name:\(hexadecimal(sha256(UserRules.caseFolded(name).utf8)))"
        try await admit(account, from: address)
        let isRight = try await hasher.verify(password, against: credentials?.passwordHash)
        guard isRight, let user = credentials?.user, user.isActive else {
            try await journal.record(.failedLogin(of: credentials?.user.id, via: source, at: now()))
            throw EMSError(.invalidCredentials, "the username, the email or the password is wrong")
        }
        let session = Session(
            userID: user.id, label: "login", createdAt: now(), expiresAt: now().adding(seconds: policy.refreshTokenSeconds))
        let refreshToken = SecureRandom.hex(32)
        let record = RefreshTokenRecord(digest: sha256(refreshToken.utf8), sessionID: session.id, expiresAt: session.expiresAt)
        // The password took time to check: meanwhile it may have been changed, or the account deactivated.
        guard let version = credentials?.version,
            try await tokens.open(session, refreshToken: record, verified: version, by: Author(user, via: source))
        else {
            throw EMSError(.invalidCredentials, "the username, the email or the password is wrong")
        }
        try await users.recordLogin(of: user.id, at: now())
        try await logins.succeed(account, from: address.limitKey, at: now())
        return (try await grant(user, session, refreshToken), allowance)
    }

    /// Checks the password of somebody who is logged in, within the limits of log-ins: a stolen token must not serve to find it out.
    /// - Throws: ``EMSError`` with ``ErrorCode/rateLimited``, ``ErrorCode/invalidCredentials`` or ``ErrorCode/busy``.
    /// - Returns: the version of the credentials that were verified.
    public func confirm(
        _ password: String, of user: UserID, address: NetworkAddress, via source: ChangeSource
    ) async throws -> Int64 {
        _ = try await countAttempt("login", policy.limits?.login(from: address), address, "attempts")
        try await admit(LoginFailures.account(user), from: address)
        let credentials = try await users.credentials(id: user)
        guard try await hasher.verify(password, against: credentials?.passwordHash), let version = credentials?.version else {
            try await journal.record(.failedLogin(of: user, via: source, at: now()))
            throw EMSError(.invalidCredentials, "the current password is wrong")
        }
        try await logins.succeed(LoginFailures.account(user), from: address.limitKey, at: now())
        return version
    }

    /// Counts an attempt to register.
    /// - Throws: ``EMSError`` with ``ErrorCode/rateLimited``.
    public func admitRegistration(from address: NetworkAddress) async throws {
        _ = try await countAttempt("register", policy.limits?.registration, address, "registrations")
    }

    /// - Returns: `nil` if attempts are not limited.
    private func countAttempt(
        _ kind: String, _ rate: Limits.Rate?, _ address: NetworkAddress, _ attempts: String
    ) async throws -> RateAllowance? {
        guard let (limit, window) = rate else { return nil }
        let allowance = try await limits.attempt("\(kind):address:\(address.limitKey)", limit: limit, window: window, at: now())
        guard allowance.isGranted else { throw EMSError.rateLimited("too many \(attempts) from this address", allowance) }
        return allowance
    }

    private func admit(_ account: String, from address: NetworkAddress) async throws {
        guard policy.limits != nil else { return }
        let now = now()
        guard case .locked(let until) = try await logins.begin(account, from: address.limitKey, at: now) else { return }
        let seconds = Int((until.milliseconds - now.milliseconds + 999) / 1000)
        throw EMSError.rateLimited(
            "too many failed log-in attempts for this account from addresses that it never logged in from",
            RateAllowance(limit: LoginDelay.freeAttempts, remaining: 0, resetSeconds: max(1, seconds), isGranted: false))
    }

    /// Exchanges a refresh token for a new pair. One that was used before ends its whole session, unless that was so recently that the
    /// client repeats a request whose answer it did not get: then it gets the same successor.
    public func refresh(_ refreshToken: String, via source: ChangeSource) async throws -> Grant {
        let refused = EMSError(.unauthenticated, "the refresh token is not valid", fix: "log in again")
        let digest = sha256(refreshToken.utf8)
        guard let id = try await tokens.sessionID(ofRefreshToken: digest), let session = try await tokens.session(id: id) else {
            throw refused
        }
        let nonce = SecureRandom.bytes(32)
        let successor = Self.successor(of: refreshToken, nonce)
        let record = RefreshTokenRecord(digest: sha256(successor.utf8), sessionID: id, expiresAt: session.expiresAt)
        let outcome = try await tokens.rotate(digest, to: record, nonce: nonce, via: source, at: now())
        switch outcome {
        case .refused: throw refused
        case .reused:
            throw EMSError(.tokenRevoked, "the refresh token was used before; its session is ended", fix: "log in again")
        case .rotated, .repeated:
            guard let (session, user) = try await tokens.sessionAndUser(id: id), user.isActive else { throw refused }
            if case .repeated(_, let stored) = outcome {
                return try await grant(user, session, Self.successor(of: refreshToken, stored))
            }
            return try await grant(user, session, successor)
        }
    }

    /// Ends the session: its tokens are dead at once, everywhere.
    public func logout(_ session: SessionID, by principal: Principal) async throws {
        _ = try await tokens.end(session, by: principal.author, at: now())
    }

    /// Whom the access token speaks for, by the state of this moment.
    /// - Throws: ``EMSError`` with ``ErrorCode/unauthenticated``, ``ErrorCode/tokenExpired`` or ``ErrorCode/tokenRevoked``.
    public func authenticate(_ token: String) async throws -> Identity {
        if let identity = knownIdentity(of: token) { return identity }
        // What may change is looked at first: what is found out afterwards holds for as long as this is so.
        let (state, keys) = (known?.state, accessTokens.generation)
        let claims = try await accessTokens.verify(token, at: now())
        let (identity, session) = try await identity(claims.userID, claims.sessionID, tokenExpiresAt: claims.expiresAt)
        let end = min(claims.expiresAt, session.expiresAt)
        if let known, let state, claims.issuedAt < end {
            known.keep(identity, of: token, state: state, keys: keys, times: claims.issuedAt..<end)
        }
        return identity
    }

    /// Whom the access token speaks for, where that is known without asking the store.
    public func knownIdentity(of token: String) -> Identity? {
        known?.identity(of: token, keys: accessTokens.generation, at: now())
    }

    /// The same identity as it is by now: for connections that outlive a request.
    /// - Throws: ``EMSError`` as ``authenticate(_:)``.
    public func refreshed(_ identity: Identity) async throws -> Identity {
        try await self.identity(identity.user.id, identity.sessionID, tokenExpiresAt: identity.tokenExpiresAt).identity
    }

    private func identity(
        _ userID: UserID, _ sessionID: SessionID, tokenExpiresAt: Timestamp
    ) async throws -> (identity: Identity, session: Session) {
        guard let (session, user) = try await tokens.sessionAndUser(id: sessionID), user.id == userID else {
            throw AccessTokens.refused
        }
        guard session.isLive(at: now()), user.isActive else {
            throw EMSError(.tokenRevoked, "the token was revoked", fix: "log in again")
        }
        return (Identity(user: user, sessionID: session.id, tokenExpiresAt: tokenExpiresAt), session)
    }

    /// The keys with which others verify our tokens (RFC 7517).
    public var publicKeys: JSONValue { accessTokens.publicKeys }

    /// Reads the signing keys anew; where that fails, those known go on.
    public func reloadKeys() async throws {
        try await accessTokens.reload()
    }

    /// Makes an access token for a user without a password: for operators.
    public func issue(for user: User, seconds: Int64?, label: String, by principal: Principal) async throws -> (
        token: String, session: Session
    ) {
        guard user.isActive else {
            throw EMSError(.forbidden, "the user \(user.username) is not active", fix: "ems user activate \(user.username)")
        }
        let seconds = seconds ?? policy.accessTokenSeconds
        let session = Session(userID: user.id, label: label, createdAt: now(), expiresAt: now().adding(seconds: seconds))
        guard let version = try await users.credentials(id: user.id)?.version,
            try await tokens.open(session, refreshToken: nil, verified: version, by: principal.author)
        else {
            throw EMSError(
                .failed, "no token was issued: the user \(user.username) was changed in the meantime",
                fix: "try again")
        }
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
    public func revoke(_ id: SessionID, by principal: Principal) async throws -> Bool {
        try await tokens.end(id, by: principal.author, at: now())
    }

    /// - Returns: how many sessions ended.
    public func revokeAll(of user: UserID, by principal: Principal) async throws -> Int {
        try await tokens.endAll(of: user, except: nil, by: principal.author, at: now())
    }

    /// Removes sessions that expired or ended before the given moment, with their refresh tokens.
    /// - Returns: how many were removed; with `dryRun`, would be.
    public func purgeSessions(before moment: Timestamp, dryRun: Bool = false) async throws -> Int {
        dryRun ? try await tokens.purgeable(before: moment) : try await tokens.purge(before: moment)
    }

    /// The sessions that were ended since a moment: for closing the connections made with them.
    public func endedSessions(since moment: Timestamp) async throws -> [SessionID] {
        try await tokens.endedSessions(since: moment)
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

    /// The refresh token that follows one. Both the token, which only its client has, and the nonce, which only the store has, are
    /// needed to compute it (HMAC, RFC 2104, with SHA-256).
    private static func successor(of token: String, _ nonce: [UInt8]) -> String {
        hexadecimal(Array(HMAC<SHA256>.authenticationCode(for: Array(token.utf8), using: SymmetricKey(data: nonce))))
    }
}
