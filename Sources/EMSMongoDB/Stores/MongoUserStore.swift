import EMSCore

/// Users, each with the state of the inbox in the same document: both begin and end together.
struct MongoUserStore: UserStore {
    let database: MongoDatabase

    func insert(_ user: User, passwordHash: String) async throws {
        try await database.run { connection in
            // The inbox begins here: what everyone got before is not this user's.
            let start = try NotificationStream.end(in: connection)
            let document = Self.document(user, passwordHash: passwordHash, inbox: InboxState(from: start))
            try Self.refusingDuplicates(of: user) { try connection.insert(.users, document) }
        }
    }

    func insert(_ batch: [(user: User, passwordHash: String)]) async throws -> [Int: EMSError] {
        try await database.run { connection in
            let start = try NotificationStream.end(in: connection)
            let documents = batch.map { Self.document($0.user, passwordHash: $0.passwordHash, inbox: InboxState(from: start)) }
            var refused: [Int: EMSError] = [:]
            do {
                try connection.insert(.users, documents, ordered: false)
            } catch let duplicates as DuplicateKey {
                // Once more by itself, to hear what of it is taken.
                for place in duplicates.documents where batch.indices.contains(place) {
                    do {
                        try Self.refusingDuplicates(of: batch[place].user) { try connection.insert(.users, documents[place]) }
                    } catch let error as EMSError where [.usernameTaken, .emailTaken].contains(error.code) {
                        refused[place] = error
                    }
                }
            }
            return refused
        }
    }

    func users(usernames: [String]) async throws -> [User] {
        let keys = usernames.map(UserRules.caseFolded)
        return try await database.run { connection in
            try connection.find(
                .users, where: { $0.document("username_key") { $0.array("$in", keys) } }, options: Self.withoutInbox, Self.user)
        }
    }

    func usernames(beginningWith text: String, limit: Int) async throws -> [String] {
        let key = UserRules.caseFolded(text)
        return try await database.run { connection in
            try connection.find(
                .users, where: { $0.document("username_key") { MongoEventStore.beginning(key, &$0) } },
                options: {
                    $0.document("sort") { $0.member("username_key", 1) }
                    $0.document("projection") { $0.member("username", 1) }
                    $0.member("limit", limit)
                    $0.member("hint", "users_username")
                }, from: .url
            ) { try $0.text("username") }
        }
    }

    func user(id: UserID) async throws -> User? {
        try await database.run { try $0.first(.users, where: { $0.member("_id", id) }, options: Self.withoutInbox, Self.user) }
    }

    func user(login: String) async throws -> User? {
        try await database.run { connection in
            try connection.first(.users, where: { Self.filter(login: login, &$0) }, options: Self.withoutInbox, Self.user)
        }
    }

    func credentials(login: String) async throws -> Credentials? {
        try await database.run { connection in
            try connection.first(.users, where: { Self.filter(login: login, &$0) }, options: Self.withoutInbox, Self.credentials)
        }
    }

    func credentials(id: UserID) async throws -> Credentials? {
        try await database.run { try $0.first(.users, where: { $0.member("_id", id) }, options: Self.withoutInbox, Self.credentials) }
    }

    func change(_ id: UserID, _ change: UserChange, at now: Timestamp) async throws -> User {
        try await database.run { connection in
            let changed = try Self.refusingDuplicates(username: change.username ?? "", email: change.email ?? "", id: id) {
                try connection.updated(
                    .users, where: { $0.member("_id", id) },
                    { update in
                        update.document("$set") { Self.fields(of: change, at: now, to: &$0) }
                        if case .some(nil) = change.fullName { update.document("$unset") { $0.member("full_name", "") } }
                        if change.isActive == false { update.document("$inc") { $0.member("credential_version", 1) } }
                    }, Self.user)
            }
            guard let changed else { throw EMSError.notFound("user", id) }
            return changed
        }
    }

    func setPasswordHash(_ hash: String, of id: UserID, expecting version: Int64?, at now: Timestamp) async throws {
        try await database.run { connection in
            let result = try connection.updateOne(
                .users,
                where: {
                    $0.member("_id", id)
                    if let version { Self.credentials(haveVersion: version, &$0) }
                },
                {
                    $0.document("$set") {
                        $0.member("password_hash", hash)
                        $0.member("updated_at", now)
                    }
                    $0.document("$inc") { $0.member("credential_version", 1) }
                })
            if result.matched > 0 { return }
            guard try connection.exists(.users, where: { $0.member("_id", id) }) else { throw EMSError.notFound("user", id) }
            throw Credentials.changed
        }
    }

    /// An account of an earlier version has no such field: its credentials count as version 0.
    static func credentials(haveVersion version: Int64, _ filter: inout BSONWriter) {
        if version == 0 {
            filter.document("credential_version") {
                $0.array("$in") {
                    $0.null(); $0.element(Int64(0))
                }
            }
        } else {
            filter.member("credential_version", version)
        }
    }

    func recordLogin(of id: UserID, at now: Timestamp) async throws {
        try await database.run { connection in
            _ = try connection.updateOne(
                .users,
                where: { filter in
                    filter.member("_id", id)
                    // Both fields change together, so that the order of `users_seen` is that of what is shown.
                    filter.array("$or") { either in
                        either.document { $0.null("last_login_at") }
                        either.document { $0.document("last_login_at") { $0.member("$lt", now) } }
                    }
                },
                {
                    $0.document("$set") {
                        $0.member("last_login_at", now)
                        $0.member("seen_at", now)
                    }
                })
        }
    }

    /// The account itself goes last: where this is cut short, it is still there, locked, to be deleted again.
    func delete(id: UserID, at now: Timestamp) async throws -> Bool {
        try await database.run { connection in
            let locked = try connection.updateOne(
                .users, where: { $0.member("_id", id) },
                { update in
                    update.document("$set") { $0.member("is_active", false) }
                    update.document("$inc") { $0.member("credential_version", 1) }
                })
            guard locked.matched > 0 else { return false }
            // The sessions stay, ended, until they are purged: daemons that hold connections of theirs must see the end.
            try MongoTokenStore.endAll(of: id, except: nil, at: now, in: connection)
            try connection.deleteMany(.subscriptions) { Self.pairs(of: id, "event_id", &$0) }
            try connection.deleteMany(.inboxEntries) { Self.pairs(of: id, "position", &$0) }
            try connection.deleteMany(.inboxReads) { Self.pairs(of: id, "position", &$0) }
            try connection.deleteMany(.logins) { $0.member("_id", LoginFailures.account(id)) }
            try connection.deleteMany(.users) { $0.member("_id", id) }
            return true
        }
    }

    /// All documents whose `_id` is a pair that begins with this user.
    private static func pairs(of id: UserID, _ second: String, _ filter: inout BSONWriter) {
        filter.document("_id") { range in
            range.document("$gte") {
                $0.member("user_id", id)
                $0.minKey(second)
            }
            range.document("$lte") {
                $0.member("user_id", id)
                $0.maxKey(second)
            }
        }
    }

    func users(_ query: UserQuery) async throws -> UserPage {
        try await database.run { connection in
            var offset: Int? = query.page.offset
            var after: (seen: Int64, id: String)?
            if case .key(let value, let id) = query.page.after { (after, offset) = ((value, id), nil) }
            let isBySeen = query.unseenSince != nil
            let index =
                isBySeen ? "users_seen" : query.role != nil ? "users_role" : query.isActive != nil ? "users_active" : "_id_"
            let found = try connection.find(
                .users,
                where: { filter in
                    Self.filter(query, &filter)
                    guard let after else { return }
                    isBySeen ? Self.beyond(after, &filter) : filter.document("_id") { $0.member("$gt", after.id) }
                },
                options: { options in
                    Self.withoutInbox(&options)
                    options.document("sort") {
                        if isBySeen { $0.member("seen_at", 1) }
                        $0.member("_id", 1)
                    }
                    options.member("limit", query.page.size + 1)
                    if let offset { options.member("skip", offset) }
                    options.member("hint", index)
                }, from: .url, Self.user)
            let page = Array(found.prefix(query.page.size))
            let next =
                found.count > page.count
                ? page.last.map { user in
                    PageCursor.key(value: isBySeen ? (user.lastLoginAt ?? user.createdAt).milliseconds : 0, id: user.id.description)
                } : nil
            let isWhole = after == nil && next == nil && (!page.isEmpty || offset == 0)
            let total =
                isWhole ? Total(count: query.page.offset + page.count) : try Self.total(query, index: index, in: connection)
            return UserPage(users: page, total: total, next: next)
        }
    }

    private static func total(_ query: UserQuery, index: String, in connection: MongoConnection) throws -> Total {
        if query.role == nil, query.isActive == nil, query.unseenSince == nil {
            return Total(count: try connection.recordedCount(.users, from: .url))
        }
        let bound = PageRequest.countLimit
        let count = try connection.count(.users, where: { filter(query, &$0) }, hint: index, upTo: bound + 1, from: .url)
        return Total(count: min(count, bound), isExact: count <= bound)
    }

    private static func filter(_ query: UserQuery, _ filter: inout BSONWriter) {
        if let role = query.role { filter.member("role", role.rawValue) }
        if let isActive = query.isActive { filter.member("is_active", isActive) }
        if let moment = query.unseenSince { filter.document("seen_at") { $0.member("$lt", moment) } }
    }

    /// Behind this place of the order of `users_seen`.
    private static func beyond(_ place: (seen: Int64, id: String), _ filter: inout BSONWriter) {
        let moment = Timestamp(milliseconds: place.seen)
        filter.array("$or") { either in
            either.document { $0.document("seen_at") { $0.member("$gt", moment) } }
            either.document {
                $0.member("seen_at", moment)
                $0.document("_id") { $0.member("$gt", place.id) }
            }
        }
    }

    /// A username holds no @, an email always one: there is one index to look at.
    private static func filter(login: String, _ filter: inout BSONWriter) {
        filter.member(login.contains("@") ? "email_key" : "username_key", UserRules.caseFolded(login))
    }

    static func withoutInbox(_ options: inout BSONWriter) {
        options.document("projection") { $0.member("inbox", 0) }
    }

    static func document(_ user: User, passwordHash: String, inbox: InboxState) -> BSONDocument {
        BSONDocument {
            $0.member("_id", user.id)
            fields(of: user, to: &$0)
            $0.member("password_hash", passwordHash)
            $0.member("created_at", user.createdAt)
            $0.optional("last_login_at", user.lastLoginAt)
            // What users_seen is ordered by.
            $0.member("seen_at", user.lastLoginAt ?? user.createdAt)
            $0.document("inbox", inbox.encode)
        }
    }

    private static func fields(of user: User, to writer: inout BSONWriter) {
        let change = UserChange(
            username: user.username, email: user.email, fullName: .some(user.fullName), role: user.role, isActive: user.isActive)
        fields(of: change, at: user.updatedAt, to: &writer)
        writer.member("is_verified", user.isVerified)
    }

    private static func fields(of change: UserChange, at now: Timestamp, to writer: inout BSONWriter) {
        if let username = change.username {
            writer.member("username", username)
            writer.member("username_key", UserRules.caseFolded(username))
        }
        if let email = change.email {
            writer.member("email", email)
            writer.member("email_key", UserRules.caseFolded(email))
        }
        if case .some(let name?) = change.fullName { writer.member("full_name", name) }
        if let role = change.role { writer.member("role", role.rawValue) }
        if let isActive = change.isActive { writer.member("is_active", isActive) }
        writer.member("updated_at", now)
    }

    static func user(_ reader: inout BSONReader) throws -> User {
        User(
            id: try reader.id("_id"), username: try reader.text("username"), email: try reader.text("email"),
            fullName: try reader.optionalText("full_name"), role: try reader.word("role"), isActive: try reader.bool("is_active"),
            isVerified: try reader.flag("is_verified"),
            createdAt: try reader.date("created_at"), updatedAt: try reader.date("updated_at"),
            lastLoginAt: try reader.optionalDate("last_login_at"))
    }

    private static func credentials(_ reader: inout BSONReader) throws -> Credentials {
        let user = try user(&reader)
        return Credentials(
            user: user, passwordHash: try reader.text("password_hash"), version: try reader.optionalInteger("credential_version") ?? 0)
    }

    static func refusingDuplicates<Value>(of user: User, _ body: () throws -> Value) throws -> Value {
        try refusingDuplicates(username: user.username, email: user.email, id: user.id, body)
    }

    private static func refusingDuplicates<Value>(
        username: String, email: String, id: UserID, _ body: () throws -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch let refused as DuplicateKey {
            switch refused.index {
            case "users_username": throw EMSError.usernameTaken(username)
            case "users_email": throw EMSError.emailTaken(email)
            default: throw EMSError(.exists, "user \(id) already exists")
            }
        }
    }
}
