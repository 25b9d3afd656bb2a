/// Accounts: who exists, what they are called, what they may do.
public struct UserService: Sendable {
    let users: any UserStore
    let tokens: any TokenStore
    let hasher: PasswordHasher
    private let permissions: Permissions
    let now: @Sendable () -> Timestamp

    public init(
        stores: Stores, hasher: PasswordHasher, permissions: Permissions = Permissions(),
        now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        users = stores.users
        tokens = stores.tokens
        self.hasher = hasher
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
        let changed = try patched(user, with: patch)
        try await checkFree(username: changed.username, email: changed.email, for: user.id)
    }

    private func checkFree(username: String, email: String, for owner: UserID?) async throws {
        if let holder = try await users.user(login: username), holder.id != owner { throw EMSError.usernameTaken(username) }
        if let holder = try await users.user(login: email), holder.id != owner { throw EMSError.emailTaken(email) }
    }

    /// What a draft becomes, without storing it: white space around it gone, everything checked.
    func accepted(_ draft: UserDraft) throws -> UserDraft {
        var draft = draft
        draft.email = TextRules.trimmed(draft.email)
        draft.fullName = draft.fullName.map(TextRules.trimmed)
        var faults = FieldFaults()
        UserRules.check(username: draft.username, &faults)
        UserRules.check(email: draft.email, &faults)
        UserRules.check(fullName: draft.fullName, &faults)
        UserRules.check(password: draft.password, &faults)
        try faults.finish()
        return draft
    }

    /// Makes an account.
    /// - Throws: ``EMSError`` with ``ErrorCode/invalid``, ``ErrorCode/usernameTaken`` or ``ErrorCode/emailTaken``.
    public func create(_ draft: UserDraft, role: Role = .user) async throws -> User {
        let draft = try accepted(draft)
        let user = User(
            username: draft.username, email: draft.email, fullName: draft.fullName.flatMap { $0.isEmpty ? nil : $0 }, role: role,
            createdAt: now())
        try await users.insert(user, passwordHash: hasher.hash(draft.password))
        return user
    }

    public func user(id: UserID) async throws -> User {
        guard let user = try await users.user(id: id) else { throw EMSError.notFound("user", id) }
        return user
    }

    /// Finds by username, email (in any letter case) or id.
    public func user(named name: String) async throws -> User {
        if let user = try await users.user(login: name) { return user }
        if let id = UserID(name), let user = try await users.user(id: id) { return user }
        throw EMSError.notFound("user", name)
    }

    /// The bcrypt hash of the password: for an operator's copy, and nobody else.
    public func passwordHash(of id: UserID, for principal: Principal) async throws -> String? {
        guard case .operator = principal else { throw EMSError(.forbidden, "only operators see hashes") }
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

    /// What a patch makes of a user, without storing it.
    func patched(_ user: User, with patch: UserPatch) throws -> User {
        var user = user
        if let username = patch.username { user.username = username }
        if let email = patch.email { user.email = TextRules.trimmed(email) }
        if let fullName = patch.fullName { user.fullName = fullName.map(TextRules.trimmed).flatMap { $0.isEmpty ? nil : $0 } }
        var faults = FieldFaults()
        if patch.username != nil { UserRules.check(username: user.username, &faults) }
        if patch.email != nil { UserRules.check(email: user.email, &faults) }
        UserRules.check(fullName: user.fullName, &faults)
        try faults.finish()
        user.updatedAt = now()
        return user
    }

    public func update(_ id: UserID, with patch: UserPatch) async throws -> User {
        let current = try await user(id: id)
        if patch.isEmpty { return current }
        let changed = try patched(current, with: patch)
        try await users.update(changed)
        return changed
    }

    public func setRole(_ role: Role, of id: UserID) async throws -> User {
        try await change(id) { $0.role = role }
    }

    /// Lets the user log in again, or keeps the user out and ends all sessions.
    public func setActive(_ isActive: Bool, of id: UserID) async throws -> User {
        let user = try await change(id) { $0.isActive = isActive }
        if !isActive { _ = try await tokens.endAll(of: id, except: nil, at: now()) }
        return user
    }

    /// Checks a new password against the rules.
    public func check(newPassword: String, as field: String = "password") throws {
        var faults = FieldFaults()
        UserRules.check(password: newPassword, as: field, &faults)
        try faults.finish()
    }

    /// Sets a password, and ends the user's sessions, except the one the user is asking from.
    public func setPassword(_ password: String, of id: UserID, keeping session: SessionID? = nil, as field: String = "password")
        async throws
    {
        try check(newPassword: password, as: field)
        let hash = try await hasher.hash(password)
        try await users.setPasswordHash(hash, of: id, at: now())
        _ = try await tokens.endAll(of: id, except: session, at: now())
    }

    /// Removes the account with its sessions, subscriptions and inbox. Events the user created stay.
    public func delete(_ id: UserID) async throws {
        guard try await users.delete(id: id, at: now()) else { throw EMSError.notFound("user", id) }
    }

    private func change(_ id: UserID, _ body: (inout User) -> Void) async throws -> User {
        var user = try await user(id: id)
        body(&user)
        user.updatedAt = now()
        try await users.update(user)
        return user
    }
}
