import EMSCore
import GRDB

/// Inboxes without copies: what is for everyone is one row, what is read up to a point is a number, and unread counts are kept.
///
/// A user's unread count is
/// `everyone_count − max(from_ordinal, read_ordinal, everyone_purged) − read_singly + unread_own`: no row is counted.
struct SQLiteNotificationStore: NotificationStore {
    let database: SQLiteDatabase

    static let columns = "n.position, n.id, n.kind, n.event_id, n.event_title, n.event_action, n.message, n.actor, n.timestamp"

    // MARK: Recording

    func record(_ notifications: [AddressedNotification]) async throws -> [RecordedNotification] {
        try await database.write { db in
            try notifications.compactMap { try Self.record($0, in: db) }
        }
    }

    private static func record(_ addressed: AddressedNotification, in db: Database) throws -> RecordedNotification? {
        let notification = addressed.notification
        let id = notification.id.description
        if try db.integer("SELECT 1 FROM notifications WHERE id = ?", [id]) != nil { return nil }
        let isForEveryone = addressed.audience == .everyone
        try db.run(
            """
            INSERT INTO notifications (id, kind, event_id, event_title, event_action, message, actor, timestamp, recorded_at,
                is_for_everyone, ordinal)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CASE WHEN ?10 THEN (SELECT everyone_count + 1 FROM stream) END)
            """,
            [
                id, notification.kind.rawValue, notification.event?.id.description, notification.event?.title, notification.event?.action,
                notification.message, notification.actor, notification.timestamp.milliseconds, Timestamp.now().milliseconds,
                isForEveryone,
            ])
        let position = db.lastInsertedRowID
        try db.run("UPDATE stream SET last_position = ?, everyone_count = everyone_count + ?", [position, isForEveryone ? 1 : 0])
        try deliver(position, to: addressed.audience, in: db)
        if addressed.endsSubscriptions, let event = notification.event?.id {
            try db.run("DELETE FROM subscriptions WHERE event_id = ?", [event.description])
        }
        return RecordedNotification(position: position, notification: notification, isForEveryone: isForEveryone)
    }

    private static func deliver(_ position: Int64, to audience: Notification.Audience, in db: Database) throws {
        switch audience {
        case .everyone: return
        case .subscribers(let event, let creator):
            try db.run(
                "INSERT INTO inbox_entries (user_id, position, is_read) SELECT user_id, ?, 0 FROM subscriptions WHERE event_id = ?",
                [position, event.description])
            if let creator { try deliver(position, toUser: creator, in: db) }
        case .users(let users):
            for user in users { try deliver(position, toUser: user, in: db) }
        }
        try db.run(
            "UPDATE inboxes SET unread_own = unread_own + 1 WHERE user_id IN (SELECT user_id FROM inbox_entries WHERE position = ?)",
            [position])
    }

    private static func deliver(_ position: Int64, toUser user: UserID, in db: Database) throws {
        try db.run(
            """
            INSERT OR IGNORE INTO inbox_entries (user_id, position, is_read)
            SELECT id, ?, 0 FROM users WHERE id = ?
            """, [position, user.description])
    }

    // MARK: Reading

    private struct Inbox {
        let user: String
        let fromPosition: Int64
        let readPosition: Int64
        let unread: Int
    }

    private static func inbox(of user: UserID, in db: Database) throws -> Inbox {
        let inbox = try db.first(
            """
            SELECT from_position, read_position,
                everyone_count - max(from_ordinal, read_ordinal, everyone_purged) - read_singly + unread_own
            FROM inboxes LEFT JOIN stream WHERE user_id = ?
            """, [user.description]
        ) {
            Inbox(
                user: user.description, fromPosition: try $0.counter(0), readPosition: try $0.counter(1),
                unread: max(0, Int(try $0.integer(2))))
        }
        guard let inbox else { throw EMSError.notFound("user", user) }
        return inbox
    }

    func unreadCount(of user: UserID) async throws -> Int {
        try await database.read { db in try Self.inbox(of: user, in: db).unread }
    }

    func inbox(of user: UserID, _ query: InboxQuery) async throws -> InboxPage {
        try await database.read { db in
            let inbox = try Self.inbox(of: user, in: db)
            let floor = query.unreadOnly ? max(inbox.fromPosition, inbox.readPosition) : inbox.fromPosition
            let ownFloor = query.unreadOnly ? inbox.readPosition : 0
            var before = Int64.max
            if case .key(let value, _) = query.page.after {
                before = value
            } else if query.page.offset > 0 {
                let arguments: StatementArguments = [inbox.user, floor, ownFloor, query.page.offset - 1]
                let last = try db.first(Self.skippedPosition(unreadOnly: query.unreadOnly), arguments) { try $0.counter(0) }
                guard let last else { return InboxPage(entries: [], next: nil) }
                before = last
            }
            let wanted = query.page.size + 1
            let everyone = try db.all(Self.everyonePage(unreadOnly: query.unreadOnly), [inbox.user, floor, before, wanted]) {
                try Self.entry($0, readUpTo: inbox.readPosition)
            }
            let own = try db.all(Self.ownPage(unreadOnly: query.unreadOnly), [inbox.user, ownFloor, before, wanted]) {
                try Self.entry($0, readUpTo: inbox.readPosition)
            }
            let found = merged(everyone, own) { $0.position > $1.position }
            let page = Array(found.prefix(query.page.size))
            let next = found.count > page.count ? page.last.map { PageCursor.key(value: $0.position, id: "") } : nil
            return InboxPage(entries: page, next: next)
        }
    }

    /// Everyone's notifications between two positions, the newest first. Arguments: user, after, before, limit.
    static func everyonePage(unreadOnly: Bool) -> String {
        let isRead = "EXISTS (SELECT 1 FROM everyone_reads r WHERE r.user_id = ?1 AND r.position = n.position)"
        return """
            SELECT \(columns), \(unreadOnly ? "0" : isRead) FROM notifications n
            WHERE n.is_for_everyone = 1 AND n.position > ?2 AND n.position < ?3 \(unreadOnly ? "AND NOT \(isRead)" : "")
            ORDER BY n.position DESC LIMIT ?4
            """
    }

    /// The position of the last notification before a numbered page: both kinds, merged as they come along their indexes. Arguments:
    /// user, floor of everyone's, floor of the user's own, how many to pass over.
    static func skippedPosition(unreadOnly: Bool) -> String {
        let isRead = "EXISTS (SELECT 1 FROM everyone_reads r WHERE r.user_id = ?1 AND r.position = n.position)"
        return """
            SELECT n.position FROM notifications n WHERE n.is_for_everyone = 1 AND n.position > ?2 \(unreadOnly ? "AND NOT \(isRead)" : "")
            UNION ALL SELECT i.position FROM inbox_entries i WHERE i.user_id = ?1 AND i.position > ?3 \(unreadOnly ? "AND i.is_read = 0" : "")
            ORDER BY 1 DESC LIMIT 1 OFFSET ?4
            """
    }

    /// The user's own, likewise. A partial index holds the unread ones.
    static func ownPage(unreadOnly: Bool) -> String {
        """
        SELECT \(columns), i.is_read FROM inbox_entries i CROSS JOIN notifications n ON n.position = i.position
        WHERE i.user_id = ?1 AND i.position > ?2 AND i.position < ?3 \(unreadOnly ? "AND i.is_read = 0" : "")
        ORDER BY i.position DESC LIMIT ?4
        """
    }

    func inboxEntry(_ id: NotificationID, of user: UserID) async throws -> InboxEntry? {
        try await database.read { db in
            let inbox = try Self.inbox(of: user, in: db)
            return try db.first(
                """
                SELECT \(Self.columns), CASE WHEN n.is_for_everyone
                    THEN EXISTS (SELECT 1 FROM everyone_reads r WHERE r.user_id = ?1 AND r.position = n.position)
                    ELSE (SELECT is_read FROM inbox_entries i WHERE i.user_id = ?1 AND i.position = n.position) END
                FROM notifications n
                WHERE n.id = ?2 AND CASE WHEN n.is_for_everyone THEN n.position > ?3
                    ELSE EXISTS (SELECT 1 FROM inbox_entries i WHERE i.user_id = ?1 AND i.position = n.position) END
                """, [inbox.user, id.description, inbox.fromPosition]
            ) { try Self.entry($0, readUpTo: inbox.readPosition) }
        }
    }

    func position(of id: NotificationID) async throws -> Int64? {
        try await database.read { db in
            try db.first("SELECT position FROM notifications WHERE id = ?", [id.description]) { try $0.counter(0) }
        }
    }

    func latestPosition() async throws -> Int64 {
        try await database.read { db in try Self.latestPosition(in: db) }
    }

    static func latestPosition(in db: Database) throws -> Int64 {
        try db.first("SELECT last_position FROM stream") { try $0.counter(0) } ?? 0
    }

    func inbox(of user: UserID, after position: Int64, through end: Int64, limit: Int) async throws -> [RecordedNotification] {
        try await database.read { db in
            let inbox = try Self.inbox(of: user, in: db)
            let everyone = try db.all(Self.everyoneAfter, [max(position, inbox.fromPosition), end, limit]) {
                RecordedNotification(position: try $0.counter(0), notification: try Self.notification($0), isForEveryone: true)
            }
            let own = try db.all(Self.ownAfter, [inbox.user, position, end, limit]) {
                RecordedNotification(position: try $0.counter(0), notification: try Self.notification($0), isForEveryone: false)
            }
            return Array(merged(everyone, own) { $0.position < $1.position }.prefix(limit))
        }
    }

    func inboxCount(of user: UserID, after position: Int64, through end: Int64, limit: Int) async throws -> Int {
        try await database.read { db in
            let inbox = try Self.inbox(of: user, in: db)
            let everyone =
                try db.integer(
                    "SELECT count(*) FROM (\(Self.everyoneAfter))", [max(position, inbox.fromPosition), end, limit]) ?? 0
            let own = try db.integer("SELECT count(*) FROM (\(Self.ownAfter))", [inbox.user, position, end, limit]) ?? 0
            return min(everyone + own, limit)
        }
    }

    static let everyoneAfter = """
        SELECT \(columns) FROM notifications n WHERE n.is_for_everyone = 1 AND n.position > ? AND n.position <= ? ORDER BY n.position LIMIT ?
        """

    static let ownAfter = """
        SELECT \(columns) FROM inbox_entries i CROSS JOIN notifications n ON n.position = i.position
        WHERE i.user_id = ? AND i.position > ? AND i.position <= ? ORDER BY i.position LIMIT ?
        """

    func notifications(after position: Int64, limit: Int) async throws -> [RecordedNotification] {
        try await database.read { db in
            try db.all(Self.tail, [position, limit]) { row in
                RecordedNotification(position: try row.counter(0), notification: try Self.notification(row), isForEveryone: try row.flag(9))
            }
        }
    }

    static let tail = """
        SELECT \(columns), n.is_for_everyone FROM notifications n WHERE n.position > ? ORDER BY n.position LIMIT ?
        """

    func recipients(of position: Int64) async throws -> Set<UserID> {
        try await database.read { db in
            Set(try db.all("SELECT user_id FROM inbox_entries WHERE position = ?", [position]) { try $0.id(0) })
        }
    }

    // MARK: Marking

    func markRead(_ id: NotificationID, of user: UserID) async throws -> Bool {
        try await database.write { db in
            let inbox = try Self.inbox(of: user, in: db)
            let found = try db.first("SELECT position, is_for_everyone FROM notifications WHERE id = ?", [id.description]) {
                (position: try $0.counter(0), isForEveryone: try $0.flag(1))
            }
            guard let found else { return false }
            if found.isForEveryone {
                guard found.position > inbox.fromPosition else { return false }
                if found.position <= inbox.readPosition { return true }
                let isNew =
                    try db.run(
                        "INSERT OR IGNORE INTO everyone_reads (user_id, position) VALUES (?, ?)", [inbox.user, found.position]) > 0
                if isNew { try db.run("UPDATE inboxes SET read_singly = read_singly + 1 WHERE user_id = ?", [inbox.user]) }
            } else {
                let isRead = try db.integer(
                    "SELECT is_read FROM inbox_entries WHERE user_id = ? AND position = ?", [inbox.user, found.position])
                guard let isRead else { return false }
                if isRead == 1 || found.position <= inbox.readPosition { return true }
                try db.run("UPDATE inbox_entries SET is_read = 1 WHERE user_id = ? AND position = ?", [inbox.user, found.position])
                try db.run("UPDATE inboxes SET unread_own = unread_own - 1 WHERE user_id = ?", [inbox.user])
            }
            // Who has read all, one by one, is as if all had been marked at once: the single marks are not needed any more.
            if try Self.inbox(of: user, in: db).unread == 0 { try Self.readAll(inbox.user, in: db) }
            return true
        }
    }

    func markAllRead(of user: UserID) async throws -> Int {
        try await database.write { db in
            let inbox = try Self.inbox(of: user, in: db)
            if inbox.unread > 0 { try Self.readAll(inbox.user, in: db) }
            return inbox.unread
        }
    }

    private static func readAll(_ user: String, in db: Database) throws {
        try db.run(
            """
            UPDATE inboxes SET read_position = (SELECT last_position FROM stream),
                read_ordinal = (SELECT everyone_count FROM stream), read_singly = 0, unread_own = 0
            WHERE user_id = ?
            """, [user])
        // Each of these rows was written once, and goes once: over time the cost is constant.
        try db.run("DELETE FROM everyone_reads WHERE user_id = ?", [user])
    }

    // MARK: Purging

    /// The oldest notifications of all. AUTOINCREMENT sees to it that no position is given out again, though all were purged.
    static let oldest = "SELECT position, ordinal, recorded_at FROM notifications WHERE position > 0 ORDER BY position"

    func purge(before moment: Timestamp, limit: Int) async throws -> Int {
        try await database.write { db in
            let old = try Self.old(before: moment, limit: limit, in: db)
            guard let last = old.last else { return 0 }
            let ordinal = old.compactMap(\.ordinal).max()
            // Counts that rows about to go are part of.
            try db.run(
                """
                UPDATE inboxes SET read_singly = read_singly -
                    (SELECT count(*) FROM everyone_reads r WHERE r.user_id = inboxes.user_id AND r.position <= ?1)
                WHERE user_id IN (SELECT user_id FROM everyone_reads WHERE position <= ?1)
                """, [last.position])
            try db.run("DELETE FROM everyone_reads WHERE position <= ?", [last.position])
            try db.run(
                """
                UPDATE inboxes SET unread_own = unread_own -
                    (SELECT count(*) FROM inbox_entries i WHERE i.user_id = inboxes.user_id AND i.is_read = 0
                        AND i.position > inboxes.read_position AND i.position <= ?1)
                WHERE user_id IN (SELECT user_id FROM inbox_entries WHERE position <= ?1)
                """, [last.position])
            try db.run("DELETE FROM inbox_entries WHERE position <= ?", [last.position])
            if let ordinal { try db.run("UPDATE stream SET everyone_purged = max(everyone_purged, ?)", [ordinal]) }
            return try db.run("DELETE FROM notifications WHERE position <= ?", [last.position])
        }
    }

    func purgeable(before moment: Timestamp, limit: Int) async throws -> Int {
        try await database.read { db in try Self.old(before: moment, limit: limit, in: db).count }
    }

    /// How many notifications from the future may stand in a row.
    private static let uncertainLimit = 100_000

    /// The oldest notifications up to the last that was recorded before a moment. A clock that was ahead once may have recorded any of
    /// them in the future: such a time says nothing, the notification goes with those around it.
    private static func old(before moment: Timestamp, limit: Int, in db: Database) throws -> [(position: Int64, ordinal: Int64?)] {
        let now = Timestamp.now()
        let cursor = try Row.fetchCursor(db.cachedStatement(sql: oldest))
        var found: [(position: Int64, ordinal: Int64?)] = []
        var uncertain: [(position: Int64, ordinal: Int64?)] = []
        while found.count < limit, uncertain.count <= uncertainLimit, let row = try cursor.next() {
            let recordedAt = try row.integer(2)
            if recordedAt >= moment.milliseconds, recordedAt <= now.milliseconds { break }
            uncertain.append((try row.counter(0), try row.optionalInteger(1) == nil ? nil : row.counter(1)))
            if recordedAt < moment.milliseconds {
                found += uncertain
                uncertain = []
            }
        }
        return found
    }

    // MARK: Rows

    static func notification(_ row: Row) throws -> Notification {
        var event: Notification.EventReference?
        if try row.optionalText(3) != nil { event = .init(id: try row.id(3), title: try row.text(4), action: try row.text(5)) }
        return Notification(
            id: try row.id(1), kind: try row.word(2), event: event, message: try row.optionalText(6), actor: try row.text(7),
            timestamp: try row.timestamp(8))
    }

    private static func entry(_ row: Row, readUpTo readPosition: Int64) throws -> InboxEntry {
        let position = try row.counter(0)
        return InboxEntry(position: position, notification: try notification(row), isRead: try position <= readPosition || row.flag(9))
    }
}

/// Two ordered arrays as one.
private func merged<Element>(_ left: [Element], _ right: [Element], by precedes: (Element, Element) -> Bool) -> [Element] {
    var result: [Element] = []
    result.reserveCapacity(left.count + right.count)
    var (i, j) = (0, 0)
    while i < left.count, j < right.count {
        if precedes(left[i], right[j]) {
            result.append(left[i])
            i += 1
        } else {
            result.append(right[j])
            j += 1
        }
    }
    result += left[i...]
    result += right[j...]
    return result
}
