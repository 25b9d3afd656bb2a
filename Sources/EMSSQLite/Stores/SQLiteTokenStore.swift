import EMSCore
import GRDB

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

struct SQLiteTokenStore: TokenStore {
    let database: SQLiteDatabase

    static let columns = "s.id, s.user_id, s.label, s.created_at, s.expires_at, s.ended_at"

    func open(
        _ session: Session, refreshToken: RefreshTokenRecord?, verified version: Int64, by author: Author
    ) async throws -> Bool {
        try await database.write { db in
            let isUnchanged = try db.first(
                "SELECT 1 FROM users WHERE id = ? AND is_active = 1 AND credential_version = ?", [session.userID.description, version]
            ) { _ in true }
            guard isUnchanged != nil else { return false }
            try Self.insert(session, in: db)
            if let refreshToken { try Self.insert(refreshToken, in: db) }
            try SQLiteJournal.append(.opened(session, by: author), in: db)
            return true
        }
    }

    func session(id: SessionID) async throws -> Session? {
        try await database.read { try Self.session(id, in: $0) }
    }

    private static func session(_ id: SessionID, in db: Database) throws -> Session? {
        try db.first("SELECT \(columns) FROM sessions s WHERE s.id = ?", [id.description]) { try session($0) }
    }

    func sessionAndUser(id: SessionID) async throws -> (Session, User)? {
        try await database.read { db in
            try db.first(
                """
                SELECT \(Self.columns), \(SQLiteUserStore.columns(of: "u"))
                FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?
                """, [id.description]
            ) { (try Self.session($0), try SQLiteUserStore.user($0, from: 6)) }
        }
    }

    func rotate(
        _ digest: [UInt8], to successor: RefreshTokenRecord, nonce: [UInt8], via source: ChangeSource, at now: Timestamp
    ) async throws -> RotationOutcome {
        try await database.write { db in
            struct Known {
                let session: SessionID
                let usedAt: Timestamp?
                let nonce: [UInt8]?
                let isAlive: Bool
            }
            let known = try db.first(
                """
                SELECT r.session_id, r.used_at, r.successor_nonce, r.expires_at > ?2 AND s.ended_at IS NULL AND s.expires_at > ?2
                FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id WHERE r.digest = ?1
                """, [Data(digest), now.milliseconds]
            ) {
                Known(
                    session: try $0.id(0), usedAt: try $0.optionalTimestamp(1), nonce: try $0.optionalData(2).map { Array($0) },
                    isAlive: try $0.flag(3))
            }
            guard let known, known.isAlive else { return .refused }
            if let usedAt = known.usedAt {
                if let nonce = known.nonce, now <= usedAt.adding(seconds: RefreshTokenRecord.graceSeconds) {
                    return .repeated(known.session, nonce: nonce)
                }
                _ = try Self.end(known.session, by: Author(.system, via: source), at: now, in: db)
                return .reused(known.session)
            }
            try db.run(
                "UPDATE refresh_tokens SET used_at = ?, successor_nonce = ? WHERE digest = ?",
                [now.milliseconds, Data(nonce), Data(digest)])
            try Self.insert(successor, in: db)
            return .rotated(known.session)
        }
    }

    func sessionID(ofRefreshToken digest: [UInt8]) async throws -> SessionID? {
        try await database.read { db in
            try db.first("SELECT session_id FROM refresh_tokens WHERE digest = ?", [Data(digest)]) { try $0.id(0) }
        }
    }

    func end(_ id: SessionID, by author: Author, at now: Timestamp) async throws -> Bool {
        try await database.write { try Self.end(id, by: author, at: now, in: $0) }
    }

    private static func end(_ id: SessionID, by author: Author, at now: Timestamp, in db: Database) throws -> Bool {
        guard let session = try session(id, in: db), session.isLive(at: now) else { return false }
        try end([session], by: author, at: now, in: db)
        return true
    }

    /// Ends sessions that are live.
    private static func end(_ sessions: [Session], by author: Author, at now: Timestamp, in db: Database) throws {
        for session in sessions {
            try db.run("UPDATE sessions SET ended_at = ? WHERE id = ?", [now.milliseconds, session.id.description])
        }
        try SQLiteJournal.append(
            sessions.map { session in
                var session = session
                session.endedAt = now
                return .ended(session, by: author, at: now)
            }, in: db)
    }

    func endAll(of user: UserID, except kept: SessionID?, by author: Author, at now: Timestamp) async throws -> Int {
        try await database.write { db in
            try db.run("UPDATE users SET credential_version = credential_version + 1 WHERE id = ?", [user.description])
            return try Self.endAll(of: user, except: kept, by: author, at: now, in: db)
        }
    }

    static func endAll(of user: UserID, except kept: SessionID?, by author: Author, at now: Timestamp, in db: Database) throws -> Int {
        let live = try db.all(
            "SELECT \(columns) FROM sessions s WHERE s.user_id = ? AND s.ended_at IS NULL AND s.expires_at > ? AND s.id <> ?",
            [user.description, now.milliseconds, kept?.description ?? ""]
        ) { try session($0) }
        try end(live, by: author, at: now, in: db)
        return live.count
    }

    func sessions(of user: UserID?, liveAt: Timestamp?, before: SessionID?, limit: Int) async throws -> [Session] {
        try await database.read { db in
            var conditions = ["s.id < ?"]
            var arguments: StatementArguments = [before?.description ?? "g"]  // "g" comes after every hex digit
            if let user {
                conditions.insert("s.user_id = ?", at: 0)
                arguments = [user.description] + arguments
            }
            if let liveAt {
                conditions.append("s.ended_at IS NULL AND +s.expires_at > ?")
                arguments += [liveAt.milliseconds]
            }
            return try db.all(
                "SELECT \(Self.columns) FROM sessions s WHERE \(conditions.joined(separator: " AND ")) ORDER BY s.id DESC LIMIT ?",
                arguments + [limit]
            ) { try Self.session($0) }
        }
    }

    func endedSessions(since moment: Timestamp) async throws -> [SessionID] {
        try await database.read { db in
            try db.all("SELECT id FROM sessions WHERE ended_at IS NOT NULL AND ended_at >= ?", [moment.milliseconds]) { try $0.id(0) }
        }
    }

    func purge(before moment: Timestamp) async throws -> Int {
        try await database.write { db in
            try db.run("DELETE FROM refresh_tokens WHERE session_id IN (\(Self.old))", [moment.milliseconds])
            return try db.run("DELETE FROM sessions WHERE id IN (\(Self.old))", [moment.milliseconds])
        }
    }

    func purgeable(before moment: Timestamp) async throws -> Int {
        try await database.read { db in try db.integer("SELECT count(*) FROM (\(Self.old))", [moment.milliseconds]) ?? 0 }
    }

    private static let old = """
        SELECT id FROM sessions WHERE expires_at < ?1 UNION SELECT id FROM sessions WHERE ended_at IS NOT NULL AND ended_at < ?1
        """

    static func insert(_ session: Session, in db: Database) throws {
        try db.run(
            "INSERT INTO sessions (id, user_id, label, created_at, expires_at, ended_at) VALUES (?, ?, ?, ?, ?, ?)",
            [
                session.id.description, session.userID.description, session.label, session.createdAt.milliseconds,
                session.expiresAt.milliseconds, session.endedAt?.milliseconds,
            ])
    }

    static func insert(_ token: RefreshTokenRecord, usedAt: Timestamp? = nil, in db: Database) throws {
        try db.run(
            "INSERT INTO refresh_tokens (digest, session_id, expires_at, used_at) VALUES (?, ?, ?, ?)",
            [Data(token.digest), token.sessionID.description, token.expiresAt.milliseconds, usedAt?.milliseconds])
    }

    static func session(_ row: Row) throws -> Session {
        Session(
            id: try row.id(0), userID: try row.id(1), label: try row.text(2), createdAt: try row.timestamp(3),
            expiresAt: try row.timestamp(4), endedAt: try row.optionalTimestamp(5))
    }
}
