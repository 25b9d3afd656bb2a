/// Accounts: who exists, what they are called, what they may do.
public struct UserService: Sendable {
    let users: any UserStore
    let tokens: any TokenStore
    private let logins: any LoginStore
    let hasher: PasswordHasher
    /// Registrations have hashing threads of their own, so that they cannot delay log-ins.
    private let registrationHasher: PasswordHasher
    private let permissions: Permissions
    let now: @Sendable () -> Timestamp

    public init(
        stores: Stores, hasher: PasswordHasher, registrationHasher: PasswordHasher, permissions: Permissions = Permissions(),
        now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        users = stores.users
        tokens = stores.tokens
        logins = stores.logins
        self.hasher = hasher
        self.registrationHasher = registrationHasher
        self.permissions = permissions
        self.now = now
    }

    /// Whether a new account could be made of the draft.
    /// - Throws: what ``create(_:role:)`` would throw.
    public func check(_ draft: UserDraft) async throws {
        let draft = try accepted(draft)
        try await checkFree(username: draft.username, email: draft.email, for: nil)
    }

    /// Whether the account could be changed so.
    /// - Throws: what ``update(_:with:)`` would throw.
    public func check(_ patch: UserPatch, of user: User) async throws {
        let change = try accepted(patch)
        try await checkFree(username: change.username ?? user.username, email: change.email ?? user.email, for: user.id)
    }

    private func checkFree(username: String, email: String, for owner: UserID?) async throws {
        if let holder = try await users.user(login: username), holder.id != owner { throw EMSError.usernameTaken(username) }
        if let holder = try await users.user(login: email), holder.id != owner { throw EMSError.emailTaken(email) }
    }

    /// What a draft becomes, without storing it: white space around it gone, everything checked.
    func accepted(_ draft: UserDraft) throws -> UserDraft {
        var draft = draft
        draft.email = UserRules.canonicalEmail(draft.email)
        draft.fullName = draft.fullName.map(TextRules.trimmed)
        var faults = FieldFaults()
        UserRules.check(username: draft.username, &faults)
        UserRules.check(email: draft.email, &faults)
        UserRules.check(fullName: draft.fullName, &faults)
        UserRules.check(password: draft.password, &faults)
        try faults.finish()
        return draft
    }

    /// Creates an account for a person who registers.
    /// - Throws: as ``create(_:role:by:)``.
    public func register(_ draft: UserDraft, via source: ChangeSource) async throws -> User {
        try await create(draft, role: .user) { Author($0, via: source) }
    }

    /// Makes an account.
    /// - Throws: ``EMSError`` with ``ErrorCode/invalid``, ``ErrorCode/usernameTaken`` or ``ErrorCode/emailTaken``.
    public func create(_ draft: UserDraft, role: Role = .user, by principal: Principal) async throws -> User {
        try await create(draft, role: role) { _ in principal.author }
    }

    private func create(_ draft: UserDraft, role: Role, by author: (User) -> Author) async throws -> User {
        let draft = try accepted(draft)
        // Before the work of hashing; whether it is still free then, the store decides.
        try await checkFree(username: draft.username, email: draft.email, for: nil)
        let user = User(
            username: draft.username, email: draft.email, fullName: draft.fullName.flatMap { $0.isEmpty ? nil : $0 }, role: role,
            createdAt: now())
        try await users.insert(user, passwordHash: registrationHasher.hash(draft.password), by: author(user))
        return user
    }

    public func user(id: UserID) async throws -> User {
        guard let user = try await users.user(id: id) else { throw EMSError.notFound("user", id) }
        return user
    }

    /// Finds by id, username or email (the latter two in any letter case). What looks like an id is one: it never names a user who
    /// chose another's id as the username.
    public func user(named name: String) async throws -> User {
        let found = if let id = UserID(name) { try await users.user(id: id) } else { try await users.user(login: name) }
        guard let found else { throw EMSError.notFound("user", name) }
        return found
    }

    /// The bcrypt hash of the password: for an operator's copy, and nobody else.
    public func passwordHash(of id: UserID, for principal: Principal) async throws -> String? {
        guard case .operator = principal.who else { throw EMSError(.forbidden, "only operators see hashes") }
        return try await users.credentials(id: id)?.passwordHash
    }

    public func users(_ query: UserQuery, for principal: Principal) async throws -> UserPage {
        try permissions.require(.listUsers, of: principal, "only admins list users")
        try query.page.validate()
        return try await users.users(query)
    }

    /// Whether email and log-in times of a user are for these eyes.
    public func maySeePrivateFields(of user: User, _ principal: Principal) -> Bool {
        permissions.maySeePrivateFields(of: user, principal)
    }

    /// What a patch changes, without storing it: white space around it removed, everything checked.
    private func accepted(_ patch: UserPatch) throws -> UserChange {
        let change = UserChange(
            username: patch.username, email: patch.email.map(UserRules.canonicalEmail),
            fullName: patch.fullName.map { $0.map(TextRules.trimmed).flatMap { $0.isEmpty ? nil : $0 } })
        var faults = FieldFaults()
        if let username = change.username { UserRules.check(username: username, &faults) }
        if let email = change.email { UserRules.check(email: email, &faults) }
        if let fullName = change.fullName { UserRules.check(fullName: fullName, &faults) }
        try faults.finish()
        return change
    }

    public func update(_ id: UserID, with patch: UserPatch, by principal: Principal) async throws -> User {
        let change = try accepted(patch)
        if change.isEmpty { return try await user(id: id) }
        return try await users.change(id, change, by: principal.author, at: now())
    }

    public func setRole(_ role: Role, of id: UserID, by principal: Principal) async throws -> User {
        try await users.change(id, UserChange(role: role), by: principal.author, at: now())
    }

    /// Lets the user log in again, or keeps the user out and ends all sessions.
    public func setActive(_ isActive: Bool, of id: UserID, by principal: Principal) async throws -> User {
        let user = try await users.change(id, UserChange(isActive: isActive), by: principal.author, at: now())
        if !isActive { _ = try await tokens.endAll(of: id, except: nil, by: principal.author, at: now()) }
        return user
    }

    /// The recent failures to log in to an account; `nil` if there were none.
    public func loginFailures(of user: UserID) async throws -> LoginFailures? {
        try await logins.failures(of: LoginFailures.account(user), at: now())
    }

    /// Forgets the failed log-ins of an account, and ends its lock.
    /// - Returns: whether there were any.
    public func unlock(_ user: UserID) async throws -> Bool {
        try await logins.clear(LoginFailures.account(user))
    }

    /// Checks a new password against the rules.
    public func check(newPassword: String, as field: String = "password") throws {
        var faults = FieldFaults()
        UserRules.check(password: newPassword, as: field, &faults)
        try faults.finish()
    }

    /// Sets a password, and ends the user's sessions, except the one the user is asking from.
    /// - Parameter version: the version of the credentials that the current password was verified against; `nil` for an operator.
    /// - Throws: ``EMSError`` with ``ErrorCode/versionConflict`` if the credentials changed since then.
    public func setPassword(
        _ password: String, of id: UserID, by principal: Principal, verified version: Int64? = nil, keeping session: SessionID? = nil,
        as field: String = "password"
    ) async throws {
        try check(newPassword: password, as: field)
        let hash = try await hasher.hash(password)
        try await users.setPasswordHash(hash, of: id, expecting: version, by: principal.author, at: now())
        _ = try await tokens.endAll(of: id, except: session, by: principal.author, at: now())
    }

    /// Removes what is left of accounts whose deletion was cut short.
    public func finishDeletions() async throws { try await users.finishDeletions() }

    /// Removes the account with its sessions, subscriptions and inbox. Events the user created stay.
    /// - Parameter erasing: whether the names and addresses of the user are erased from the journal.
    public func delete(_ id: UserID, erasing: Bool = false, by principal: Principal) async throws {
        guard try await users.delete(id: id, erasing: erasing, by: principal.author, at: now()) else { throw EMSError.notFound("user", id) }
    }
}
