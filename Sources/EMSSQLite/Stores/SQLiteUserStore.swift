import EMSCore
import GRDB

struct SQLiteUserStore: UserStore {
    let database: SQLiteDatabase

    /// Of the table, which may have been given the name `u`.
    static func columns(of table: String = "users") -> String {
        [
            "id", "username", "email", "full_name", "role", "is_active", "is_verified", "created_at", "updated_at", "last_login_at",
            "version",
        ].map { "\(table).\($0)" }.joined(separator: ", ")
    }

    private static let columns = columns()

    func insert(_ user: User, passwordHash: String, by author: Author) async throws {
        try await database.write { db in
            try Self.insert(user, passwordHash, in: db)
            try SQLiteJournal.append(.created(user, by: author, at: user.createdAt), in: db)
        }
    }

    func insert(_ batch: [(user: User, passwordHash: String)], by author: Author) async throws -> [Int: EMSError] {
        try await database.write { db in
            var refused: [Int: EMSError] = [:]
            var changes: [Change] = []
            for (place, (user, passwordHash)) in batch.enumerated() {
                do {
                    try Self.insert(user, passwordHash, in: db)
                    changes.append(.created(user, by: author, at: user.createdAt))
                } catch let error as EMSError where [.usernameTaken, .emailTaken].contains(error.code) {
                    refused[place] = error
                }
            }
            try SQLiteJournal.append(changes, in: db)
            return refused
        }
    }

    private static func insert(_ user: User, _ passwordHash: String, in db: Database) throws {
        try refusingDuplicates(of: user) { try insertRow(of: user, passwordHash: passwordHash, in: db) }
        // The inbox begins here: what everyone got before is not this user's.
        try db.run(
            """
            INSERT INTO inboxes (user_id, from_position, from_ordinal, read_position, read_ordinal, read_singly, unread_own)
            SELECT ?, last_position, everyone_count, last_position, everyone_count, 0, 0 FROM stream
            """, [user.id.description])
    }

    static func insertRow(of user: User, passwordHash: String, in db: Database) throws {
        try db.run(
            """
            INSERT INTO users (id, username, username_key, email, email_key, full_name, role, is_active, is_verified, password_hash,
                created_at, updated_at, last_login_at, version)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                user.id.description, user.username, UserRules.caseFolded(user.username), user.email, UserRules.caseFolded(user.email),
                user.fullName, user.role.rawValue, user.isActive, user.isVerified, passwordHash, user.createdAt.milliseconds,
                user.updatedAt.milliseconds, user.lastLoginAt?.milliseconds, user.version,
            ])
    }

    func user(id: UserID) async throws -> User? {
        try await database.read { db in
            try db.first("SELECT \(Self.columns) FROM users WHERE id = ?", [id.description]) { try Self.user($0) }
        }
    }

    func users(usernames: [String]) async throws -> [User] {
        try await database.read { db in
            let keys = usernames.map { JSONValue.string(UserRules.caseFolded($0)) }
            return try db.all(
                "SELECT \(Self.columns) FROM users WHERE username_key IN (SELECT value FROM json_each(?))",
                [String(decoding: JSONValue.array(keys).json(), as: UTF8.self)]
            ) { try Self.user($0) }
        }
    }

    func usernames(beginningWith text: String, limit: Int) async throws -> [String] {
        let key = UserRules.caseFolded(text)
        return try await database.read { db in
            try db.all(
                "SELECT username FROM users WHERE username_key >= ? AND username_key < ? ORDER BY username_key LIMIT ?",
                [key, key + SQLiteEventStore.beyond, limit]
            ) { try $0.text(0) }
        }
    }

    func user(login: String) async throws -> User? {
        try await database.read { db in try Self.find(login, in: db, "\(Self.columns)") { try Self.user($0) } }
    }

    func credentials(login: String) async throws -> Credentials? {
        try await database.read { db in
            try Self.find(login, in: db, Self.credentialColumns, Self.credentials)
        }
    }

    func credentials(id: UserID) async throws -> Credentials? {
        try await database.read { db in
            try db.first("SELECT \(Self.credentialColumns) FROM users WHERE id = ?", [id.description], Self.credentials)
        }
    }

    func change(_ id: UserID, _ change: UserChange, by author: Author, at now: Timestamp) async throws -> User {
        try await database.write { db in
            guard let current = try Self.user(id, in: db) else { throw EMSError.notFound("user", id) }
            guard let user = current.applying(change, at: now) else { return current }
            try Self.refusingDuplicates(username: user.username, email: user.email) {
                _ = try db.run(
                    """
                    UPDATE users SET username = ?, username_key = ?, email = ?, email_key = ?, full_name = ?, role = ?, is_active = ?,
                        updated_at = ?, version = ?, credential_version = credential_version + ? WHERE id = ?
                    """,
                    [
                        user.username, UserRules.caseFolded(user.username), user.email, UserRules.caseFolded(user.email), user.fullName,
                        user.role.rawValue, user.isActive, now.milliseconds, user.version, change.isActive == false ? 1 : 0, id.description,
                    ])
            }
            try SQLiteJournal.append(.updated(current, to: user, by: author, at: now), in: db)
            return user
        }
    }

    static func user(_ id: UserID, in db: Database) throws -> User? {
        try db.first("SELECT \(columns) FROM users WHERE id = ?", [id.description]) { try user($0) }
    }

    func setPasswordHash(_ hash: String, of id: UserID, expecting version: Int64?, by author: Author, at now: Timestamp) async throws {
        try await database.write { db in
            let changed = try db.run(
                """
                UPDATE users SET password_hash = ?1, updated_at = ?2, version = version + 1, credential_version = credential_version + 1
                WHERE id = ?3 AND credential_version = coalesce(?4, credential_version)
                """, [hash, now.milliseconds, id.description, version])
            guard let user = try Self.user(id, in: db) else { throw EMSError.notFound("user", id) }
            guard changed > 0 else { throw Credentials.changed }
            try SQLiteJournal.append(.passwordChanged(user, by: author, at: now), in: db)
        }
    }

    func recordLogin(of id: UserID, at now: Timestamp) async throws {
        try await database.write { db in
            _ = try db.run(
                "UPDATE users SET last_login_at = max(coalesce(last_login_at, ?1), ?1) WHERE id = ?2", [now.milliseconds, id.description])
        }
    }

    func delete(id: UserID, erasing: Bool, by author: Author, at now: Timestamp) async throws -> Bool {
        try await database.write { db in
            let key = id.description
            guard let user = try Self.user(id, in: db) else { return false }
            try db.run("DELETE FROM users WHERE id = ?", [key])
            try db.run("DELETE FROM refresh_tokens WHERE session_id IN (SELECT id FROM sessions WHERE user_id = ?)", [key])
            // The sessions stay, ended, until they are purged: daemons that hold connections of theirs must see the end.
            _ = try SQLiteTokenStore.endAll(of: id, except: nil, by: author, at: now, in: db)
            for table in ["login_accounts", "login_addresses"] {
                try db.run("DELETE FROM \(table) WHERE account = ?", [LoginFailures.account(id)])
            }
            for table in ["subscriptions", "inbox_entries", "everyone_reads", "inboxes"] {
                try db.run("DELETE FROM \(table) WHERE user_id = ?", [key])
            }
            try SQLiteJournal.append(.deleted(user, by: author, at: now, erasing: erasing), in: db)
            if erasing { try SQLiteJournal.erase(key, in: db) }
            return true
        }
    }

    /// A deletion is one transaction.
    func finishDeletions() async throws {}

    func users(_ query: UserQuery) async throws -> UserPage {
        try await database.read { db in
            var conditions: [String] = []
            var arguments = StatementArguments()
            // One filter is served by its index; a second one is looked up in the rows the first finds.
            if let role = query.role {
                conditions.append("role = ?")
                arguments += [role.rawValue]
            }
            if let isActive = query.isActive {
                conditions.append(query.role == nil || query.unseenSince != nil ? "is_active = ?" : "+is_active = ?")
                arguments += [isActive]
            }
            if let moment = query.unseenSince {
                conditions = conditions.map { "+" + $0 }
                conditions.append("\(Self.seen) < ?")
                arguments += [moment.milliseconds]
            }
            let total = try Self.total(query, in: db, conditions: conditions, arguments: arguments)
            let (offset, after) = query.page.start
            let order = query.unseenSince == nil ? "id" : "\(Self.seen), id"
            if let (value, id) = after {
                conditions.append(query.unseenSince == nil ? "id > ?" : "(\(Self.seen), id) > (?, ?)")
                arguments += query.unseenSince == nil ? [id] : [value, id]
            }
            let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
            let users = try db.all(
                "SELECT \(Self.columns) FROM users \(filter) ORDER BY \(order) LIMIT ? OFFSET ?",
                arguments + [query.page.limit, offset]
            ) { try Self.user($0) }
            return UserPage(users, of: query, total: total)
        }
    }

    /// When a user was there last: the expression of the index `users_seen`.
    private static let seen = "coalesce(last_login_at, created_at)"

    private static func total(
        _ query: UserQuery, in db: Database, conditions: [String], arguments: StatementArguments
    ) throws -> Total {
        if query.unseenSince != nil {
            return try db.boundedCount("SELECT 1 FROM users WHERE \(conditions.joined(separator: " AND "))", arguments)
        }
        switch (query.role, query.isActive) {
        case (nil, nil): return Total(count: try db.rowCount("users"))
        case (let role?, nil): return Total(count: try db.rowCount("users.role", role.rawValue))
        case (nil, let isActive?): return Total(count: try db.rowCount("users.active", isActive ? "1" : "0"))
        case (_?, _?):
            return try db.boundedCount("SELECT 1 FROM users WHERE \(conditions.joined(separator: " AND "))", arguments)
        }
    }

    private static let credentialColumns = "\(columns), password_hash, credential_version"

    private static func credentials(_ row: Row) throws -> Credentials {
        Credentials(user: try user(row), passwordHash: try row.text(11), version: try row.integer(12))
    }

    private static func find<Value>(_ login: String, in db: Database, _ columns: String, _ convert: (Row) throws -> Value) throws -> Value?
    {
        // SQLite would read no further than a NUL, and find who is called what stands before it.
        if login.utf8.contains(0) { return nil }
        // A username holds no @, an email always one: there is one index to look at.
        let key = login.contains("@") ? "email_key" : "username_key"
        return try db.first("SELECT \(columns) FROM users WHERE \(key) = ?", [UserRules.caseFolded(login)], convert)
    }

    static func user(_ row: Row, from start: Int = 0) throws -> User {
        User(
            id: try row.id(start), username: try row.text(start + 1), email: try row.text(start + 2),
            fullName: try row.optionalText(start + 3), role: try row.word(start + 4), isActive: try row.flag(start + 5),
            isVerified: try row.flag(start + 6), createdAt: try row.timestamp(start + 7), updatedAt: try row.timestamp(start + 8),
            lastLoginAt: try row.optionalTimestamp(start + 9), version: Int(try row.counter(start + 10)))
    }

    static func refusingDuplicates<Value>(of user: User, _ body: () throws -> Value) throws -> Value {
        try refusingDuplicates(username: user.username, email: user.email, body)
    }

    private static func refusingDuplicates<Value>(username: String, email: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            let message = error.message ?? ""
            if message.contains("username_key") { throw EMSError.usernameTaken(username) }
            if message.contains("email_key") { throw EMSError.emailTaken(email) }
            throw error
        }
    }
}

extension Database {
    /// Counts the rows of a query, up to the bound beyond which an exact number would cost too much.
    func boundedCount(_ sql: String, _ arguments: StatementArguments) throws -> Total {
        let bound = PageRequest.countLimit
        let count = try integer("SELECT count(*) FROM (\(sql) LIMIT \(bound + 1))", arguments) ?? 0
        return Total(count: min(count, bound), isExact: count <= bound)
    }
}
