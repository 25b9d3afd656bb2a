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
        let email = TextRules.trimmed(fields.requiredString("email"))
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

    /// Stores accounts, or says what storing them would do. An account is known by its username, in any letter case.
    /// - Parameters:
    ///   - isUpdating: whether accounts that are there already get the record's address, name, role and state. Passwords stay.
    /// - Returns: what became of each.
    public func importBatch(_ rows: [UserImportRow], updating isUpdating: Bool, dryRun: Bool) async throws -> [ImportOutcome] {
        var outcomes = [ImportOutcome](repeating: .skipped, count: rows.count)
        var known: [String: User] = [:]
        for user in try await users.users(usernames: rows.map(\.user.username)) { known[UserRules.caseFolded(user.username)] = user }
        var first: Set<String> = []
        var fresh: [Int] = []
        for (index, row) in rows.enumerated() {
            let name = UserRules.caseFolded(row.user.username)
            if let current = known[name] {
                guard isUpdating else { continue }
                outcomes[index] = try await revise(current, as: row.user, dryRun: dryRun)
            } else if case .absent = row.secret {
                outcomes[index] = .failed(.invalid("password", "is required, or password_hash, for a new account", type: "missing"))
            } else if first.insert(name).inserted {
                fresh.append(index)
            }
        }
        if dryRun {
            for index in fresh {
                let email = rows[index].user.email
                outcomes[index] = try await users.user(login: email) == nil ? .created : .failed(.emailTaken(email))
            }
            return outcomes
        }
        let hashes = try await hashes(fresh.map { rows[$0].secret })
        let refused = try await users.insert(zip(fresh, hashes).map { (user: rows[$0].user, passwordHash: $1) })
        for (place, index) in fresh.enumerated() {
            // A name that was taken meanwhile is that of an account which is there.
            if let error = refused[place] {
                outcomes[index] = error.code == .usernameTaken ? .skipped : .failed(error)
            } else {
                outcomes[index] = .created
            }
        }
        return outcomes
    }

    private func revise(_ current: User, as record: User, dryRun: Bool) async throws -> ImportOutcome {
        var change = UserChange()
        if record.email != current.email { change.email = record.email }
        if record.fullName != current.fullName { change.fullName = .some(record.fullName) }
        if record.role != current.role { change.role = record.role }
        if record.isActive != current.isActive { change.isActive = record.isActive }
        if change.isEmpty { return .skipped }
        do {
            if dryRun {
                if let email = change.email, let holder = try await users.user(login: email), holder.id != current.id {
                    throw EMSError.emailTaken(email)
                }
            } else {
                _ = try await users.change(current.id, change, at: now())
                if change.isActive == false { _ = try await tokens.endAll(of: current.id, except: nil, at: now()) }
            }
            return .updated
        } catch let error as EMSError where error.code == .emailTaken {
            return .failed(error)
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
