import EMSCore

/// Sessions and refresh tokens. The order of the writes makes up for there being no transaction: a refresh token is stored before its
/// session or the use of its predecessor, and means nothing until then.
struct MongoTokenStore: TokenStore {
    let database: MongoDatabase

    /// The session is stored first and the account checked then: whoever changes the account ends its sessions afterwards, and so finds
    /// this one, or is found here.
    func open(
        _ session: Session, refreshToken: RefreshTokenRecord?, verified version: Int64, by author: Author
    ) async throws -> Bool {
        try await database.run { connection in
            if let refreshToken { try connection.insert(.refreshTokens, Self.document(refreshToken)) }
            try connection.insert(.sessions, Self.document(session, change: .opened(session, by: author)))
            let isUnchanged = try connection.exists(.users) {
                $0.member("_id", session.userID)
                $0.member("is_active", true)
                MongoUserStore.credentials(haveVersion: version, &$0)
            }
            if isUnchanged { return true }
            // It may be in the journal by now: it ends there as well.
            if let refreshToken { try connection.deleteMany(.refreshTokens) { $0.member("_id", binary: refreshToken.digest) } }
            _ = try Self.end(session.id, by: Author(.system, via: author.source), at: session.createdAt, in: connection)
            try PendingChanges.settle(session.id.description, in: .sessions, connection)
            try connection.deleteMany(.sessions) { $0.member("_id", session.id) }
            return false
        }
    }

    func session(id: SessionID) async throws -> Session? {
        try await database.run { try Self.session(id, in: $0) }
    }

    private static func session(_ id: SessionID, in connection: MongoConnection) throws -> Session? {
        try connection.first(
            .sessions, where: { $0.member("_id", id) }, options: { $0.document("projection") { $0.member("pending", 0) } }, session)
    }

    func sessionAndUser(id: SessionID) async throws -> (Session, User)? {
        try await database.run { connection in
            guard let session = try Self.session(id, in: connection) else { return nil }
            let user = try connection.first(
                .users, where: { $0.member("_id", session.userID) }, options: MongoUserStore.withoutInbox, MongoUserStore.living)
            return user.map { (session, $0) }
        }
    }

    func rotate(
        _ digest: [UInt8], to successor: RefreshTokenRecord, nonce: [UInt8], via source: ChangeSource, at now: Timestamp
    ) async throws -> RotationOutcome {
        try await database.run { connection in
            guard let known = try Self.known(digest, in: connection), known.expiresAt > now,
                let session = try Self.session(known.session, in: connection), session.isLive(at: now)
            else { return .refused }
            if let outcome = Self.repetition(of: known, at: now) { return outcome }
            if known.usedAt == nil {
                try connection.insert(.refreshTokens, Self.document(successor))
                let used = try connection.updateOne(
                    .refreshTokens,
                    where: {
                        $0.member("_id", binary: digest)
                        $0.null("used_at")
                    },
                    {
                        $0.document("$set") {
                            $0.member("used_at", now)
                            $0.member("successor_nonce", binary: nonce)
                        }
                    })
                if used.matched > 0 { return .rotated(known.session) }
                try connection.deleteMany(.refreshTokens) { $0.member("_id", binary: successor.digest) }
                // Another request with the same token was faster.
                if let known = try Self.known(digest, in: connection), let outcome = Self.repetition(of: known, at: now) { return outcome }
            }
            // Of several that come too late, one ends the session.
            let isEnded = try Self.end(known.session, by: Author(.system, via: source), at: now, in: connection)
            return isEnded ? .reused(known.session) : .refused
        }
    }

    private struct KnownToken {
        let session: SessionID
        let expiresAt: Timestamp
        let usedAt: Timestamp?
        let nonce: [UInt8]?
    }

    private static func known(_ digest: [UInt8], in connection: MongoConnection) throws -> KnownToken? {
        try connection.first(.refreshTokens, where: { $0.member("_id", binary: digest) }) { reader in
            KnownToken(
                session: try reader.id("session_id"), expiresAt: try reader.date("expires_at"), usedAt: try reader.optionalDate("used_at"),
                nonce: try reader.optionalBinary("successor_nonce"))
        }
    }

    /// What a token that was used only just now is answered with.
    private static func repetition(of known: KnownToken, at now: Timestamp) -> RotationOutcome? {
        guard let usedAt = known.usedAt, let nonce = known.nonce, now <= usedAt.adding(seconds: RefreshTokenRecord.graceSeconds) else {
            return nil
        }
        return .repeated(known.session, nonce: nonce)
    }

    func sessionID(ofRefreshToken digest: [UInt8]) async throws -> SessionID? {
        try await database.run { connection in
            try connection.first(.refreshTokens, where: { $0.member("_id", binary: digest) }) { try $0.id("session_id") }
        }
    }

    func end(_ id: SessionID, by author: Author, at now: Timestamp) async throws -> Bool {
        try await database.run { try Self.end(id, by: author, at: now, in: $0) }
    }

    /// - Returns: whether it was live.
    private static func end(_ id: SessionID, by author: Author, at now: Timestamp, in connection: MongoConnection) throws -> Bool {
        guard var session = try session(id, in: connection), session.isLive(at: now) else { return false }
        session.endedAt = now
        let change = Change.ended(session, by: author, at: now)
        return try PendingChanges.writing(id.description, in: .sessions, connection) {
            try connection.updateOne(
                .sessions,
                where: {
                    $0.member("_id", id)
                    live(at: now, &$0)
                    PendingChanges.hasRoom(&$0)
                },
                { update in
                    update.document("$set") { $0.member("ended_at", now) }
                    PendingChanges.push(change, to: &update)
                }
            ).matched > 0
        } while: {
            try connection.exists(.sessions) {
                $0.member("_id", id)
                live(at: now, &$0)
            }
        }
    }

    func endAll(of user: UserID, except kept: SessionID?, by author: Author, at now: Timestamp) async throws -> Int {
        try await database.run { try Self.endAll(of: user, except: kept, by: author, at: now, in: $0) }
    }

    @discardableResult
    static func endAll(
        of user: UserID, except kept: SessionID?, by author: Author, at now: Timestamp, in connection: MongoConnection
    ) throws -> Int {
        // Before the sessions are ended: a log-in that is under way then either sees the new version, or has its session ended here.
        try connection.updateOne(
            .users, where: { $0.member("_id", user) }, { $0.document("$inc") { $0.member("credential_version", 1) } })
        let found = try connection.find(
            .sessions,
            where: { filter in
                filter.member("user_id", user)
                live(at: now, &filter)
            },
            options: {
                $0.document("projection") { $0.member("_id", 1) }
                $0.member("hint", "sessions_user")
            }
        ) { try $0.id("_id") as SessionID }
        return try found.filter { $0 != kept }.count { try end($0, by: author, at: now, in: connection) }
    }

    func sessions(of user: UserID?, liveAt: Timestamp?, before: SessionID?, limit: Int) async throws -> [Session] {
        try await database.run { connection in
            try connection.find(
                .sessions,
                where: { filter in
                    if let user { filter.member("user_id", user) }
                    if let before { filter.document("_id") { $0.member("$lt", before) } }
                    if let liveAt { Self.live(at: liveAt, &filter) }
                },
                options: {
                    $0.document("sort") { $0.member("_id", -1) }
                    $0.member("limit", limit)
                    $0.document("projection") { $0.member("pending", 0) }
                    $0.member("hint", user == nil ? "_id_" : "sessions_user")
                }, Self.session)
        }
    }

    func endedSessions(since moment: Timestamp) async throws -> [SessionID] {
        try await database.run { connection in
            try connection.find(
                .sessions, where: { $0.document("ended_at") { $0.member("$gte", moment) } },
                options: {
                    $0.document("projection") { $0.member("_id", 1) }
                    $0.member("hint", "sessions_end")
                }
            ) { try $0.id("_id") }
        }
    }

    func purgeable(before moment: Timestamp) async throws -> Int {
        try await database.run { connection in
            try connection.count(
                .sessions,
                where: { filter in
                    filter.array("$or") { either in
                        for field in ["expires_at", "ended_at"] {
                            either.document { $0.document(field) { $0.member("$lt", moment) } }
                        }
                    }
                }, upTo: PageRequest.countLimit)
        }
    }

    func purge(before moment: Timestamp) async throws -> Int {
        try await database.run { connection in
            var removed = 0
            for (field, index) in [("expires_at", "sessions_expiry"), ("ended_at", "sessions_end")] {
                while true {
                    let old = try connection.find(
                        .sessions, where: { $0.document(field) { $0.member("$lt", moment) } },
                        options: {
                            $0.document("projection") { $0.member("_id", 1) }
                            $0.member("limit", 1000)
                            $0.member("hint", index)
                        }
                    ) { try $0.text("_id") }
                    if old.isEmpty { break }
                    let pending = try connection.find(
                        .sessions,
                        where: {
                            $0.document("_id") { $0.array("$in", old) }
                            $0.document("pending_since") { $0.member("$gt", "") }
                        }, options: { $0.document("projection") { $0.member("_id", 1) } }
                    ) { try $0.text("_id") }
                    for session in pending { try PendingChanges.settle(session, in: .sessions, connection) }
                    try connection.deleteMany(.refreshTokens) { $0.document("session_id") { $0.array("$in", old) } }
                    removed += try connection.deleteMany(.sessions) { $0.document("_id") { $0.array("$in", old) } }
                }
            }
            return removed
        }
    }

    private static func live(at now: Timestamp, _ filter: inout BSONWriter) {
        filter.null("ended_at")
        filter.document("expires_at") { $0.member("$gt", now) }
    }

    /// - Parameter change: what becomes pending with it; `nil` for a session that is copied from another store.
    static func document(_ session: Session, change: Change? = nil) -> BSONDocument {
        BSONDocument {
            $0.member("_id", session.id)
            $0.member("user_id", session.userID)
            $0.member("label", session.label)
            $0.member("created_at", session.createdAt)
            $0.member("expires_at", session.expiresAt)
            $0.optional("ended_at", session.endedAt)
            if let change { PendingChanges.begin(with: change, to: &$0) }
        }
    }

    static func document(_ token: RefreshTokenRecord, usedAt: Timestamp? = nil) -> BSONDocument {
        BSONDocument {
            $0.member("_id", binary: token.digest)
            $0.member("session_id", token.sessionID)
            $0.member("expires_at", token.expiresAt)
            $0.optional("used_at", usedAt)
        }
    }

    static func session(_ reader: inout BSONReader) throws -> Session {
        Session(
            id: try reader.id("_id"), userID: try reader.id("user_id"), label: try reader.text("label"),
            createdAt: try reader.date("created_at"), expiresAt: try reader.date("expires_at"),
            endedAt: try reader.optionalDate("ended_at"))
    }
}
