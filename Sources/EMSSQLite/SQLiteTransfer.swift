import EMSCore
import GRDB

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The embedded store as the source or target of a copy.
struct SQLiteTransfer: StoreTransfer {
    let database: SQLiteDatabase

    // MARK: Reading

    func records(_ kind: StoreRecord.Kind, after: StoreRecord?, limit: Int) async throws -> [StoreRecord] {
        try await database.read { db in
            switch kind {
            case .users: try Self.users(after, limit, in: db)
            case .sessions:
                try db.all(
                    "SELECT \(SQLiteTokenStore.columns) FROM sessions s WHERE s.id > ? ORDER BY s.id LIMIT ?", [Self.id(after), limit]
                ) { .session(try SQLiteTokenStore.session($0)) }
            case .refreshTokens: try Self.refreshTokens(after, limit, in: db)
            case .events:
                try db.all(
                    "SELECT \(SQLiteEventStore.columns) FROM events e WHERE e.id > ? ORDER BY e.id LIMIT ?", [Self.id(after), limit]
                ) {
                    .event(try SQLiteEventStore.event($0))
                }
            case .idempotencyKeys: try Self.idempotencyKeys(after, limit, in: db)
            case .subscriptions: try Self.subscriptions(after, limit, in: db)
            case .notifications: try Self.notifications(after, limit, in: db)
            case .inboxEntries:
                try Self.pairs("SELECT user_id, position FROM inbox_entries", after, limit, in: db) { .inboxEntry($0, position: $1) }
            case .inboxReads: try Self.reads(after, limit, in: db)
            case .journalTexts: try Self.texts(after, limit, in: db)
            case .journal:
                if case .journalEntry(let last)? = after {
                    try SQLiteJournal.stored(after: last.position, limit: limit, in: db).map { .journalEntry($0) }
                } else {
                    try SQLiteJournal.stored(after: 0, limit: limit, in: db).map { .journalEntry($0) }
                }
            }
        }
    }

    private static func id(_ record: StoreRecord?) -> String {
        switch record {
        case .user(let user, _, _): user.id.description
        case .session(let session): session.id.description
        case .event(let event): event.id.description
        default: ""
        }
    }

    private static func users(_ after: StoreRecord?, _ limit: Int, in db: Database) throws -> [StoreRecord] {
        try db.all(
            """
            SELECT \(SQLiteUserStore.columns(of: "u")), u.password_hash, i.from_position, i.from_ordinal, i.read_position, i.read_ordinal
            FROM users u JOIN inboxes i ON i.user_id = u.id WHERE u.id > ? ORDER BY u.id LIMIT ?
            """, [id(after), limit]
        ) { row in
            .user(
                try SQLiteUserStore.user(row), passwordHash: try row.text(11),
                inbox: InboxPlaces(
                    from: StreamPlace(position: try row.counter(12), ordinal: try row.counter(13)),
                    read: StreamPlace(position: try row.counter(14), ordinal: try row.counter(15))))
        }
    }

    private static func refreshTokens(_ after: StoreRecord?, _ limit: Int, in db: Database) throws -> [StoreRecord] {
        var digest: [UInt8] = []
        if case .refreshToken(let token, _)? = after { digest = token.digest }
        return try db.all(
            "SELECT digest, session_id, expires_at, used_at FROM refresh_tokens WHERE digest > ? ORDER BY digest LIMIT ?",
            [Data(digest), limit]
        ) { row in
            .refreshToken(
                RefreshTokenRecord(digest: Array(try row.data(0)), sessionID: try row.id(1), expiresAt: try row.timestamp(2)),
                usedAt: try row.optionalTimestamp(3))
        }
    }

    private static func idempotencyKeys(_ after: StoreRecord?, _ limit: Int, in db: Database) throws -> [StoreRecord] {
        var (owner, key) = ("", "")
        if case .idempotencyKey(let last, _, _)? = after { (owner, key) = (last.owner, last.key) }
        return try db.all(
            """
            SELECT owner, key, fingerprint, event_id, created_at FROM idempotency_keys WHERE (owner, key) > (?, ?)
            ORDER BY owner, key LIMIT ?
            """, [owner, key, limit]
        ) { row in
            .idempotencyKey(
                IdempotencyKey(owner: try row.text(0), key: try row.text(1), fingerprint: Array(try row.data(2))), event: try row.id(3),
                createdAt: try row.timestamp(4))
        }
    }

    private static func subscriptions(_ after: StoreRecord?, _ limit: Int, in db: Database) throws -> [StoreRecord] {
        var (user, event) = ("", "")
        if case .subscription(let last)? = after { (user, event) = (last.userID.description, last.eventID.description) }
        return try db.all(
            """
            SELECT event_id, user_id, created_at FROM subscriptions WHERE (user_id, event_id) > (?, ?)
            ORDER BY user_id, event_id LIMIT ?
            """, [user, event, limit]
        ) { .subscription(Subscription(eventID: try $0.id(0), userID: try $0.id(1), createdAt: try $0.timestamp(2))) }
    }

    /// What is not for everyone stands after so many that are as the last one before it, or as were purged.
    private static func notifications(_ after: StoreRecord?, _ limit: Int, in db: Database) throws -> [StoreRecord] {
        var position: Int64 = 0
        if case .notification(let last, _, _)? = after { position = last.position }
        return try db.all(
            """
            SELECT \(SQLiteNotificationStore.columns), n.is_for_everyone, n.recorded_at, coalesce(n.ordinal,
                (SELECT e.ordinal FROM notifications e WHERE e.is_for_everyone = 1 AND e.position < n.position
                    ORDER BY e.position DESC LIMIT 1), (SELECT everyone_purged FROM stream))
            FROM notifications n WHERE n.position > ? ORDER BY n.position LIMIT ?
            """, [position, limit]
        ) { row in
            .notification(
                RecordedNotification(
                    position: try row.counter(0), notification: try SQLiteNotificationStore.notification(row),
                    isForEveryone: try row.flag(10)),
                ordinal: try row.counter(12), recordedAt: try row.timestamp(11))
        }
    }

    private static func reads(_ after: StoreRecord?, _ limit: Int, in db: Database) throws -> [StoreRecord] {
        try pairs(
            """
            SELECT r.user_id, r.position FROM
                (SELECT user_id, position FROM everyone_reads UNION ALL SELECT user_id, position FROM inbox_entries WHERE is_read = 1) r
            JOIN inboxes i ON i.user_id = r.user_id AND r.position > i.read_position
            """, after, limit, in: db, prefix: "r."
        ) { .inboxRead($0, position: $1) }
    }

    private static func pairs(
        _ select: String, _ after: StoreRecord?, _ limit: Int, in db: Database, prefix: String = "",
        _ convert: (UserID, Int64) -> StoreRecord
    ) throws -> [StoreRecord] {
        var (user, position) = ("", Int64(0))
        switch after {
        case .inboxEntry(let id, let place), .inboxRead(let id, let place): (user, position) = (id.description, place)
        default: break
        }
        return try db.all(
            """
            \(select) WHERE (\(prefix)user_id, \(prefix)position) > (?, ?) ORDER BY \(prefix)user_id, \(prefix)position LIMIT ?
            """, [user, position, limit]
        ) { convert(try $0.id(0), try $0.counter(1)) }
    }

    private static func texts(_ after: StoreRecord?, _ limit: Int, in db: Database) throws -> [StoreRecord] {
        var reference = ""
        if case .journalText(let last, _, _)? = after { reference = last }
        return try db.all(
            "SELECT reference, person, value, salt FROM journal_texts WHERE reference > ? ORDER BY reference LIMIT ?", [reference, limit]
        ) { row in
            .journalText(
                reference: try row.text(0), PersonalText(person: try row.text(1), value: try row.text(2)), salt: Array(try row.data(3)))
        }
    }

    // MARK: Writing

    func put(_ kind: StoreRecord.Kind, _ records: [StoreRecord]) async throws {
        try await database.write { db in
            // Where an entry is another, all later ones are: each has the hash of the one before it.
            if case .journalEntry(let first)? = records.first { try db.run("DELETE FROM journal WHERE position >= ?", [first.position]) }
            for record in records { try Self.put(record, in: db) }
        }
    }

    private static func put(_ record: StoreRecord, in db: Database) throws {
        switch record {
        case .user(let user, let passwordHash, let inbox):
            try db.run("DELETE FROM users WHERE id = ?", [user.id.description])
            try SQLiteUserStore.refusingDuplicates(of: user) { try SQLiteUserStore.insertRow(of: user, passwordHash: passwordHash, in: db) }
            try db.run(
                "INSERT OR REPLACE INTO inboxes VALUES (?, ?, ?, ?, ?, 0, 0)",
                [user.id.description, inbox.from.position, inbox.from.ordinal, inbox.read.position, inbox.read.ordinal])
        case .session(let session):
            try db.run("DELETE FROM sessions WHERE id = ?", [session.id.description])
            try SQLiteTokenStore.insert(session, in: db)
        case .refreshToken(let token, let usedAt):
            try db.run("DELETE FROM refresh_tokens WHERE digest = ?", [Data(token.digest)])
            try SQLiteTokenStore.insert(token, usedAt: usedAt, in: db)
        case .event(let event):
            try db.run("DELETE FROM event_tags WHERE event_id = ?", [event.id.description])
            try db.run("DELETE FROM events WHERE id = ?", [event.id.description])
            guard try SQLiteEventStore.insertRow(of: event, in: db) else { throw StoreRecord.twin(of: event) }
        case .idempotencyKey(let key, let event, let createdAt):
            try db.run(
                "INSERT OR REPLACE INTO idempotency_keys (owner, key, fingerprint, event_id, created_at) VALUES (?, ?, ?, ?, ?)",
                [key.owner, key.key, Data(key.fingerprint), event.description, createdAt.milliseconds])
        case .subscription(let subscription):
            try db.run(
                "INSERT OR REPLACE INTO subscriptions (user_id, event_id, created_at) VALUES (?, ?, ?)",
                [subscription.userID.description, subscription.eventID.description, subscription.createdAt.milliseconds])
        case .notification(let recorded, let ordinal, let recordedAt):
            let notification = recorded.notification
            try db.run(
                """
                INSERT OR REPLACE INTO notifications (position, id, kind, event_id, event_title, event_action, changes, message, actor,
                    timestamp, recorded_at, is_for_everyone, ordinal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    recorded.position, notification.id.description, notification.kind.rawValue, notification.event?.id.description,
                    notification.event?.title, notification.event?.action,
                    SQLiteNotificationStore.changesText(notification), notification.message, notification.actor,
                    notification.timestamp.milliseconds, recordedAt.milliseconds, recorded.isForEveryone,
                    recorded.isForEveryone ? ordinal : nil,
                ])
        case .inboxEntry(let user, let position):
            try db.run(
                "INSERT OR IGNORE INTO inbox_entries (user_id, position, is_read) VALUES (?, ?, 0)", [user.description, position])
        case .inboxRead(let user, let position):
            let isForEveryone = try db.integer("SELECT is_for_everyone FROM notifications WHERE position = ?", [position])
            if isForEveryone == 1 {
                try db.run("INSERT OR IGNORE INTO everyone_reads (user_id, position) VALUES (?, ?)", [user.description, position])
            } else {
                try db.run("UPDATE inbox_entries SET is_read = 1 WHERE user_id = ? AND position = ?", [user.description, position])
            }
        case .journalText(let reference, let text, let salt):
            try db.run(
                "DELETE FROM journal_texts WHERE reference = ?1 OR (person = ?2 AND value = ?3)", [reference, text.person, text.value])
            try SQLiteJournal.insert(text, as: reference, salt: salt, in: db)
        case .journalEntry(let entry): try SQLiteJournal.insert(entry, in: db)
        }
    }

    // MARK: The stream

    func streamExtent() async throws -> StreamExtent {
        try await database.read { db in
            let end = try db.first("SELECT last_position, everyone_count, everyone_purged FROM stream") { row in
                (place: StreamPlace(position: try row.counter(0), ordinal: try row.counter(1)), purged: try row.counter(2))
            }
            guard let end else { throw EMSError(.storeCorrupt, "the stream of notifications has no end") }
            // What lies before the first notification was purged.
            let first = try db.first("SELECT position FROM notifications ORDER BY position LIMIT 1") { try $0.counter(0) }
            return StreamExtent(
                floor: StreamPlace(position: first.map { $0 - 1 } ?? end.place.position, ordinal: end.purged), end: end.place)
        }
    }

    func finish(_ extent: StreamExtent) async throws {
        try await database.write { db in
            try db.run(
                "UPDATE stream SET last_position = ?, everyone_count = ?, everyone_purged = ?",
                [extent.end.position, extent.end.ordinal, extent.floor.ordinal])
            // The next position comes after the last one, though all before it were purged.
            if try db.run("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'notifications'", [extent.end.position]) == 0 {
                try db.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('notifications', ?)", [extent.end.position])
            }
            try db.run(
                """
                UPDATE inboxes SET
                    read_singly = (SELECT count(*) FROM everyone_reads r WHERE r.user_id = inboxes.user_id
                        AND r.position > inboxes.read_position),
                    unread_own = (SELECT count(*) FROM inbox_entries e WHERE e.user_id = inboxes.user_id AND e.is_read = 0
                        AND e.position > inboxes.read_position)
                """)
            // What the inboxes hold was copied: nothing of the journal is still to be told.
            for consumer in Consumer.all { try SQLiteConsumers.advance(consumer, to: SQLiteJournal.lastPosition(in: db), in: db) }
        }
    }
}
