import EMSCore

/// Users, each with the state of the inbox in the same document: both begin and end together.
struct MongoUserStore: UserStore {
    let database: MongoDatabase

    func insert(_ user: User, passwordHash: String, by author: Author) async throws {
        try await database.run { connection in
            // The inbox begins here: what everyone got before is not this user's.
            let start = try NotificationStream.end(in: connection)
            let change = Change.created(user, by: author, at: user.createdAt)
            let document = Self.document(user, passwordHash: passwordHash, inbox: InboxState(from: start), change: change)
            try Self.insert(document, of: user, connection)
        }
    }

    /// A name that only a deleted account has, whose removal was cut short, is free.
    private static func insert(_ document: BSONDocument, of user: User, _ connection: MongoConnection) throws {
        try withFreeNames(of: user, connection) { try connection.insert(.users, document) }
    }

    private static func withFreeNames<Value>(of user: User, _ connection: MongoConnection, _ body: () throws -> Value) throws -> Value {
        do {
            return try refusingDuplicates(of: user, body)
        } catch let error as EMSError where [.usernameTaken, .emailTaken].contains(error.code) {
            guard try finishDeletions(in: connection) > 0 else { throw error }
            return try refusingDuplicates(of: user, body)
        }
    }

    func insert(_ batch: [(user: User, passwordHash: String)], by author: Author) async throws -> [Int: EMSError] {
        try await database.run { connection in
            let start = try NotificationStream.end(in: connection)
            let documents = batch.map { user, passwordHash in
                let change = Change.created(user, by: author, at: user.createdAt)
                return Self.document(user, passwordHash: passwordHash, inbox: InboxState(from: start), change: change)
            }
            var refused: [Int: EMSError] = [:]
            do {
                try connection.insert(.users, documents, ordered: false)
            } catch let duplicates as DuplicateKey {
                // Once more by itself, to hear what of it is taken.
                for place in duplicates.documents where batch.indices.contains(place) {
                    do {
                        try Self.insert(documents[place], of: batch[place].user, connection)
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
                .users, where: { $0.document("username_key") { $0.array("$in", keys) } }, options: Self.withoutInbox, Self.living)
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
        try await database.run { try $0.first(.users, where: { $0.member("_id", id) }, options: Self.withoutInbox, Self.living) }
    }

    func user(login: String) async throws -> User? {
        try await database.run { connection in
            try connection.first(.users, where: { Self.filter(login: login, &$0) }, options: Self.withoutInbox, Self.living)
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

    func change(_ id: UserID, _ change: UserChange, by author: Author, at now: Timestamp) async throws -> User {
        try await database.run { connection in
            while true {
                let current = try connection.first(.users, where: { $0.member("_id", id) }, options: Self.withoutInbox, Self.living)
                guard let current else { throw EMSError.notFound("user", id) }
                guard let user = current.applying(change, at: now) else { return current }
                let isDone = try Self.withFreeNames(of: user, connection) {
                    try Self.write(id, connection) { filter in
                        Self.hasVersion(current.version, &filter)
                    } _: { update in
                        update.document("$set") { Self.fields(of: change, at: now, to: &$0) }
                        if case .some(nil) = change.fullName { update.document("$unset") { $0.member("full_name", "") } }
                        Self.raise(credentials: change.isActive == false, from: current.version, &update)
                        PendingChanges.push(.updated(current, to: user, by: author, at: now), to: &update)
                    }
                }
                if isDone { return user }
            }
        }
    }

    func setPasswordHash(_ hash: String, of id: UserID, expecting version: Int64?, by author: Author, at now: Timestamp) async throws {
        try await database.run { connection in
            while true {
                let current = try connection.first(.users, where: { $0.member("_id", id) }, options: Self.withoutInbox) { reader in
                    try Self.living(&reader).map { ($0, credentials: try reader.optionalInteger("credential_version") ?? 0) }
                }
                guard let current else { throw EMSError.notFound("user", id) }
                if let version, version != current.credentials { throw Credentials.changed }
                var (user, old) = (current.0, current.0.version)
                (user.updatedAt, user.version) = (now, old + 1)
                let isDone = try Self.write(id, connection) { filter in
                    Self.hasVersion(old, &filter)
                    Self.credentials(haveVersion: current.credentials, &filter)
                } _: { update in
                    update.document("$set") {
                        $0.member("password_hash", hash)
                        $0.member("updated_at", now)
                    }
                    Self.raise(credentials: true, from: old, &update)
                    PendingChanges.push(.passwordChanged(user, by: author, at: now), to: &update)
                }
                if isDone { return }
            }
        }
    }

    /// - Returns: `false` if the account is not any more what the condition says.
    private static func write(
        _ id: UserID, _ connection: MongoConnection, where condition: (inout BSONWriter) -> Void, _ update: (inout BSONWriter) -> Void
    ) throws -> Bool {
        func matches(_ filter: inout BSONWriter) {
            filter.member("_id", id)
            condition(&filter)
        }
        return try PendingChanges.writing(id.description, in: .users, connection) {
            try connection.updateOne(
                .users,
                where: {
                    matches(&$0)
                    PendingChanges.hasRoom(&$0)
                }, update
            ).matched > 0
        } while: {
            try connection.exists(.users, where: matches)
        }
    }

    /// An account of an earlier version has no such field: it counts as version 1.
    static func hasVersion(_ version: Int, _ filter: inout BSONWriter) {
        guard version == 1 else { return filter.member("version", version) }
        filter.document("version") {
            $0.array("$in") {
                $0.null()
                $0.element(Int64(1))
            }
        }
    }

    private static func raise(credentials: Bool, from version: Int, _ update: inout BSONWriter) {
        update.document("$max") { $0.member("version", version + 1) }
        if credentials { update.document("$inc") { $0.member("credential_version", 1) } }
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

    /// With the first write there is no such account any more, to nobody; what is left of it goes after that. Where that is cut short,
    /// ``finishDeletions(in:)`` goes on.
    func delete(id: UserID, erasing: Bool, by author: Author, at now: Timestamp) async throws -> Bool {
        try await database.run { connection in
            while true {
                let current = try connection.first(.users, where: { $0.member("_id", id) }, options: Self.withoutInbox, Self.living)
                guard let current else { return false }
                let isDone = try Self.write(id, connection) { filter in
                    Self.hasVersion(current.version, &filter)
                } _: { update in
                    update.document("$set") {
                        $0.member("is_active", false)
                        $0.member("is_deleted", true)
                        $0.member("is_erased", erasing)
                        $0.member("updated_at", now)
                    }
                    Self.raise(credentials: true, from: current.version, &update)
                    PendingChanges.push(.deleted(current, by: author, at: now, erasing: erasing), to: &update)
                }
                guard isDone else { continue }
                try Self.finishDeletion(of: id, erasing: erasing, by: author, at: now, in: connection)
                return true
            }
        }
    }

    private static func finishDeletion(
        of id: UserID, erasing: Bool, by author: Author, at now: Timestamp, in connection: MongoConnection
    ) throws {
        // The sessions stay, ended, until they are purged: daemons that hold connections of theirs must see the end.
        try MongoTokenStore.endAll(of: id, except: nil, by: author, at: now, in: connection)
        FaultPoint.reached(.betweenDeletionSteps)
        try MongoSubscriptionStore.settle(id, in: connection) { pairs(of: id, "event_id", &$0) }
        FaultPoint.reached(.betweenDeletionSteps)
        try connection.deleteMany(.subscriptions) { pairs(of: id, "event_id", &$0) }
        try connection.deleteMany(.inboxEntries) { pairs(of: id, "position", &$0) }
        try connection.deleteMany(.inboxReads) { pairs(of: id, "position", &$0) }
        FaultPoint.reached(.betweenDeletionSteps)
        try connection.deleteMany(.logins) { $0.member("_id", LoginFailures.account(id)) }
        FaultPoint.reached(.betweenDeletionSteps)
        try PendingChanges.settle(id.description, in: .users, connection)
        FaultPoint.reached(.betweenDeletionSteps)
        if erasing { try MongoJournal.erase(id.description, in: connection) }
        FaultPoint.reached(.betweenDeletionSteps)
        try connection.deleteMany(.users) { $0.member("_id", id) }
    }

    func finishDeletions() async throws {
        try await database.run { connection in _ = try Self.finishDeletions(in: connection) }
    }

    /// Finishes the deletions that were cut short.
    /// - Returns: how many there were.
    @discardableResult
    static func finishDeletions(in connection: MongoConnection) throws -> Int {
        let left = try connection.find(
            .users, where: { $0.member("is_deleted", true) },
            options: {
                withoutInbox(&$0)
                $0.member("hint", "users_tombstones")
            }
        ) { (id: try $0.id("_id") as UserID, isErased: try $0.flag("is_erased"), at: try $0.date("updated_at")) }
        for user in left {
            try finishDeletion(
                of: user.id, erasing: user.isErased, by: Author(.system, via: ChangeSource(.cli)), at: .now(), in: connection)
        }
        return left.count
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
            let (offset, after) = query.page.start
            let isBySeen = query.unseenSince != nil
            let index =
                isBySeen ? "users_seen" : query.role != nil ? "users_role" : query.isActive != nil ? "users_active" : "_id_"
            let found = try connection.find(
                .users,
                where: { filter in
                    Self.filter(query, &filter)
                    // Otherwise a page that has one would be taken for the last.
                    filter.null("is_deleted")
                    guard let after else { return }
                    isBySeen ? Self.beyond(after, &filter) : filter.document("_id") { $0.member("$gt", after.id) }
                },
                options: { options in
                    Self.withoutInbox(&options)
                    options.document("sort") {
                        if isBySeen { $0.member("seen_at", 1) }
                        $0.member("_id", 1)
                    }
                    options.member("limit", query.page.limit)
                    options.member("skip", offset)
                    options.member("hint", index)
                }, from: .url, Self.living)
            let total = try query.page.total(ifAllOf: found.count) ?? Self.total(query, index: index, in: connection)
            return UserPage(found, of: query, total: total)
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
    private static func beyond(_ place: (value: Int64, id: String), _ filter: inout BSONWriter) {
        let moment = Timestamp(milliseconds: place.value)
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
        options.document("projection") {
            $0.member("inbox", 0)
            $0.member("pending", 0)
        }
    }

    /// - Parameter change: what becomes pending with it; `nil` for a user who is copied from another store.
    static func document(_ user: User, passwordHash: String, inbox: InboxState, change: Change? = nil) -> BSONDocument {
        BSONDocument {
            $0.member("_id", user.id)
            fields(of: user, to: &$0)
            $0.member("version", user.version)
            if let change { PendingChanges.begin(with: change, to: &$0) }
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

    /// - Returns: `nil` for an account that is just being deleted.
    static func living(_ reader: inout BSONReader) throws -> User? {
        try reader.flag("is_deleted") ? nil : user(&reader)
    }

    private static func user(_ reader: inout BSONReader) throws -> User {
        User(
            id: try reader.id("_id"), username: try reader.text("username"), email: try reader.text("email"),
            fullName: try reader.optionalText("full_name"), role: try reader.word("role"), isActive: try reader.bool("is_active"),
            isVerified: try reader.flag("is_verified"),
            createdAt: try reader.date("created_at"), updatedAt: try reader.date("updated_at"),
            lastLoginAt: try reader.optionalDate("last_login_at"),
            version: try reader.find("version") == nil ? 1 : Int(reader.counter("version")))
    }

    private static func credentials(_ reader: inout BSONReader) throws -> Credentials? {
        guard let user = try living(&reader) else { return nil }
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
