/// One account that is to be brought in, checked but for what only the store knows.
public struct UserImportRow: Sendable {
    let user: User
    let secret: Secret

    enum Secret: Sendable {
        case password(String)
        /// A bcrypt hash made elsewhere.
        case hash(String)
        /// Nothing is said: good enough for an account that is there already.
        case absent
    }
}

extension UserService {
    /// Checks a record: what registering takes, with `role` and `is_active`, and a bcrypt hash as `password_hash` in place of a password.
    public func importRow(_ record: JSONValue) throws -> UserImportRow {
        var fields = JSONFields(record)
        let username = fields.requiredString("username")
        let email = UserRules.canonicalEmail(fields.requiredString("email"))
        let fullName = fields.string("full_name").map(TextRules.trimmed).flatMap { $0.isEmpty ? nil : $0 }
        let role = fields.string("role").map { text -> Role in
            if let role = Role(rawValue: text) { return role }
            fields.reject("role", "must be one of \(Role.allCases.map(\.rawValue).joined(separator: ", "))", type: "enum")
            return .user
        }
        let isActive = fields.bool("is_active") ?? true
        let password = fields.string("password")
        let hash = fields.string("password_hash")
        // 0.1.0 called the time of the last log-in otherwise.
        try fields.finish(ignoring: User.readOnlyFields.union(["last_login_at"]))
        var faults = FieldFaults()
        UserRules.check(username: username, &faults)
        UserRules.check(email: email, &faults)
        UserRules.check(fullName: fullName, &faults)
        var secret = UserImportRow.Secret.absent
        if let hash {
            if password != nil { faults.add("password", "and password_hash exclude each other") }
            if !BCrypt.isHash(hash, costs: PasswordHasher.costRange) {
                let (low, high) = (PasswordHasher.costRange.lowerBound, PasswordHasher.costRange.upperBound)
                faults.add("password_hash", "must be a bcrypt hash ($2b$…) of a cost from \(low) to \(high)")
            }
            secret = .hash(hash)
        } else if let password {
            UserRules.check(password: password, &faults)
            secret = .password(password)
        }
        try faults.finish()
        let user = User(username: username, email: email, fullName: fullName, role: role ?? .user, isActive: isActive, createdAt: now())
        return UserImportRow(user: user, secret: secret)
    }

    /// Stores accounts, or says what storing them would do. An account is known by its username, in any letter case; a record with the
    /// username of another person, here or earlier in the file, fails.
    /// - Parameters:
    ///   - isUpdating: whether accounts that are there already get the record's address, name, role and state. Passwords stay.
    ///   - memory: what the file has said so far.
    ///   - log: where is noted what is stored, if it may have to be undone.
    /// - Returns: what became of each.
    public func importBatch(
        _ rows: [UserImportRow], updating isUpdating: Bool, dryRun: Bool, by principal: Principal, memory: ImportMemory = ImportMemory(),
        log: ImportLog? = nil
    ) async throws -> [ImportOutcome] {
        let author = principal.via(.import).author
        var outcomes = [ImportOutcome](repeating: .skipped, count: rows.count)
        var known: [String: User] = [:]
        for user in try await users.users(usernames: rows.map(\.user.username)) { known[UserRules.caseFolded(user.username)] = user }
        var first: Set<String> = []
        var fresh: [Int] = []
        var repeated: [Int] = []
        for (index, row) in rows.enumerated() {
            let name = UserRules.caseFolded(row.user.username)
            if let fault = Self.contradiction(row.user, known[name], memory) {
                outcomes[index] = .failed(fault)
            } else if known[name] != nil || first.contains(name) {
                repeated.append(index)
            } else if case .absent = row.secret {
                outcomes[index] = .failed(.invalid("password", "is required, or password_hash, for a new account", type: "missing"))
            } else {
                first.insert(name)
                fresh.append(index)
            }
        }
        let refused = try await refusals(of: fresh, of: rows, dryRun, author, memory)
        for (index, error) in zip(fresh, refused) {
            // A name that was taken meanwhile is that of an account which is there.
            outcomes[index] = error.map { $0.code == .usernameTaken ? .skipped : .failed($0) } ?? .created
            if error == nil, !dryRun { log?.append(.createdUser(rows[index].user.id)) }
        }
        guard isUpdating else { return outcomes }
        if !dryRun {
            let unknown = repeated.map { rows[$0].user.username }.filter { known[UserRules.caseFolded($0)] == nil }
            if !unknown.isEmpty {
                for user in try await users.users(usernames: unknown) { known[UserRules.caseFolded(user.username)] = user }
            }
        }
        // In the order of the file: of two records of one account, the last one counts.
        for index in repeated {
            let name = UserRules.caseFolded(rows[index].user.username)
            guard let current = known[name] ?? rows.first(where: { UserRules.caseFolded($0.user.username) == name })?.user else { continue }
            let (outcome, user) = try await revise(current, as: rows[index].user, dryRun: dryRun, author, log)
            outcomes[index] = outcome
            known[name] = user
        }
        return outcomes
    }

    /// Why a record is not of the account that has its username.
    private static func contradiction(_ user: User, _ current: User?, _ memory: ImportMemory) -> EMSError? {
        let email = UserRules.caseFolded(user.email)
        let name = ImportedName.username(UserRules.caseFolded(user.username))
        defer { if memory.content(of: name) == nil { memory.note(name, email) } }
        if let earlier = memory.content(of: name), earlier != email.hashValue {
            return EMSError(
                .usernameTaken, "the username \(Printable.quoted(user.username)) is that of an earlier record with another email",
                fix: "give one of them another username")
        }
        guard let current, current.username != user.username, UserRules.caseFolded(current.email) != email else { return nil }
        return EMSError(
            .usernameTaken, "the username \(Printable.quoted(user.username)) is taken by \(Printable.quoted(current.username))",
            fix: "give it another username")
    }

    private enum ImportedName: Hashable {
        case username(String)
        case email(String)
    }

    /// Stores new accounts, or finds out what of them the store would refuse.
    /// - Returns: for each why it was refused; `nil` for what was stored.
    private func refusals(
        of fresh: [Int], of rows: [UserImportRow], _ dryRun: Bool, _ author: Author, _ memory: ImportMemory
    ) async throws -> [EMSError?] {
        guard dryRun else {
            let hashes = try await hashes(fresh.map { rows[$0].secret })
            let refused = try await users.insert(zip(fresh, hashes).map { (user: rows[$0].user, passwordHash: $1) }, by: author)
            return fresh.indices.map { refused[$0] }
        }
        var refused: [EMSError?] = []
        for index in fresh {
            let email = rows[index].user.email
            let name = ImportedName.email(UserRules.caseFolded(email))
            let isTaken = if memory.content(of: name) != nil { true } else { try await users.user(login: email) != nil }
            refused.append(isTaken ? .emailTaken(email) : nil)
            if !isTaken { memory.note(name, email) }
        }
        return refused
    }

    /// Takes back what an import has stored, the last first.
    /// - Returns: how many writes could not be taken back.
    public func undo(_ log: ImportLog, by principal: Principal) async -> Int {
        let author = principal.via(.import).author
        var left = 0
        for entry in log.takeAll() {
            do {
                switch entry {
                case .createdUser(let id): _ = try await users.delete(id: id, erasing: false, by: author, at: now())
                case .changedUser(let id, let back): _ = try await users.change(id, back, by: author, at: now())
                case .createdEvent, .changedEvent: preconditionFailure("an import of accounts stores no events")
                }
            } catch {
                left += 1
            }
        }
        return left
    }

    /// - Returns: what became of the record, and the account as it is then.
    private func revise(
        _ current: User, as record: User, dryRun: Bool, _ author: Author, _ log: ImportLog?
    ) async throws -> (ImportOutcome, User) {
        var (change, back) = (UserChange(), UserChange())
        if record.email != current.email { (change.email, back.email) = (record.email, current.email) }
        if record.fullName != current.fullName { (change.fullName, back.fullName) = (.some(record.fullName), .some(current.fullName)) }
        if record.role != current.role { (change.role, back.role) = (record.role, current.role) }
        if record.isActive != current.isActive { (change.isActive, back.isActive) = (record.isActive, current.isActive) }
        if change.isEmpty { return (.skipped, current) }
        do {
            if dryRun {
                if let email = change.email, let holder = try await users.user(login: email), holder.id != current.id {
                    throw EMSError.emailTaken(email)
                }
                var user = current
                (user.email, user.fullName, user.role, user.isActive) = (record.email, record.fullName, record.role, record.isActive)
                return (.updated, user)
            }
            let user = try await users.change(current.id, change, by: author, at: now())
            log?.append(.changedUser(current.id, back: back))
            if change.isActive == false { _ = try await tokens.endAll(of: current.id, except: nil, by: author, at: now()) }
            return (.updated, user)
        } catch let error as EMSError where error.code == .emailTaken || error.code == .notFound {
            return (.failed(error), current)
        }
    }

    /// As many at once as the pool takes; in the order of the secrets.
    private func hashes(_ secrets: [UserImportRow.Secret]) async throws -> [String] {
        var hashes = [String](repeating: "", count: secrets.count)
        for start in stride(from: 0, to: secrets.count, by: PasswordHasher.usualCapacity) {
            let places = start..<min(start + PasswordHasher.usualCapacity, secrets.count)
            try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for place in places {
                    switch secrets[place] {
                    case .hash(let hash): hashes[place] = hash
                    case .password(let password): group.addTask { (place, try await hasher.hash(password)) }
                    case .absent: preconditionFailure("a new account has a secret")
                    }
                }
                for try await (place, hash) in group { hashes[place] = hash }
            }
        }
        return hashes
    }
}
