import EMSCore
import GRDB

/// Inboxes without copies: what is for everyone is one row, what is read up to a point is a number, and unread counts are kept.
///
/// A user's unread count is
/// `everyone_count − max(from_ordinal, read_ordinal, everyone_purged) − read_singly + unread_own`: no row is counted.
struct SQLiteNotificationStore: NotificationStore {
    let database: SQLiteDatabase

    static let columns = """
        n.position, n.id, n.kind, n.event_id, n.event_title, n.event_action, n.changes, n.message, n.actor, \
        n.timestamp
        """

    // MARK: Recording

    func record(_ notifications: [AddressedNotification], taking place: ConsumerPlace?) async throws -> [RecordedNotification] {
        try await database.write { db in
            if let place, try !SQLiteConsumers.take(place, in: db) { return [] }
            var everyone = try db.first("SELECT everyone_count FROM stream") { try $0.counter(0) } ?? 0
            let now = Timestamp.now()
            let recorded = try notifications.compactMap { try Self.record($0, at: now, &everyone, in: db) }
            if let last = recorded.last {
                try db.run("UPDATE stream SET last_position = ?, everyone_count = ?", [last.position, everyone])
            }
            return recorded
        }
    }

    /// - Parameter everyone: how many notifications for everyone there have been.
    /// - Returns: `nil` for one that was recorded before.
    private static func record(
        _ addressed: AddressedNotification, at now: Timestamp, _ everyone: inout Int64, in db: Database
    ) throws -> RecordedNotification? {
        let notification = addressed.notification
        let id = notification.id.description
        // Asked first: an insertion that finds the id taken would use a position up.
        if try db.integer("SELECT 1 FROM notifications WHERE id = ?", [id]) != nil { return nil }
        let isForEveryone = addressed.audience == .everyone
        try db.run(
            """
            INSERT INTO notifications (id, kind, event_id, event_title, event_action, changes, message, actor, timestamp, recorded_at,
                is_for_everyone, ordinal)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                id, notification.kind.rawValue, notification.event?.id.description, notification.event?.title, notification.event?.action,
                changesText(notification), notification.message, notification.actor, notification.timestamp.milliseconds, now.milliseconds,
                isForEveryone, isForEveryone ? everyone + 1 : nil,
            ])
        if isForEveryone { everyone += 1 }
        let position = db.lastInsertedRowID
        switch addressed.audience {
        case .everyone: break
        case .subscribers(let event, let creator):
            if let creator { try deliver(position, to: creator, in: db) }
            let expansion = SQLiteExpansion(
                position: position, event: event.description, cursor: "",
                endsSubscriptionsAt: addressed.endsSubscriptions ? notification.timestamp.milliseconds : nil)
            let cursor = try expansion.deliver(AudienceExpander.chunkLimit, in: db)
            if let cursor { try expansion.insert(after: cursor, in: db) }
        case .users(let users):
            for user in users { try deliver(position, to: user, in: db) }
        }
        return RecordedNotification(position: position, notification: notification, isForEveryone: isForEveryone)
    }

    private static func deliver(_ position: Int64, to user: UserID, in db: Database) throws {
        let isNew =
            try db.run(
                """
                INSERT OR IGNORE INTO inbox_entries (user_id, position, is_read)
                SELECT id, ?, 0 FROM users WHERE id = ?
                """, [position, user.description]) > 0
        if isNew { try db.run("UPDATE inboxes SET unread_own = unread_own + 1 WHERE user_id = ?", [user.description]) }
    }

    // MARK: Reading

    private struct Inbox {
        let user: String
        let fromPosition: Int64
        let readPosition: Int64
        let unread: Int
        /// Own notifications that are not in the table of entries yet, the oldest first.
        let reaching: [Int64]
    }

    private static func inbox(of user: UserID, in db: Database) throws -> Inbox {
        let reaching = try SQLiteExpansion.positions(reaching: user.description, in: db)
        let inbox = try db.first(
            """
            SELECT from_position, read_position,
                everyone_count - max(from_ordinal, read_ordinal, everyone_purged) - read_singly + unread_own
            FROM inboxes LEFT JOIN stream WHERE user_id = ?
            """, [user.description]
        ) {
            let readPosition = try $0.counter(1)
            let unread = try min($0.integer(2), StoredCounter.range.upperBound) + Int64(reaching.count { $0 > readPosition })
            return Inbox(
                user: user.description, fromPosition: try $0.counter(0), readPosition: readPosition, unread: Int(max(0, unread)),
                reaching: reaching)
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
            let coming = try inbox.reaching.reversed().filter { $0 > ownFloor && $0 < before }.prefix(wanted).compactMap {
                try Self.entry(at: $0, readUpTo: inbox.readPosition, in: db)
            }
            let found = merged(merged(everyone, own) { $0.position > $1.position }, coming) { $0.position > $1.position }
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
            UNION ALL \(SQLiteExpansion.reaching) AND x.position > ?3
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
            if !inbox.reaching.isEmpty, let position = try Self.position(of: id, in: db), inbox.reaching.contains(position) {
                return try Self.entry(at: position, readUpTo: inbox.readPosition, in: db)
            }
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

    /// One that is on its way.
    private static func entry(at position: Int64, readUpTo readPosition: Int64, in db: Database) throws -> InboxEntry? {
        try db.first("SELECT \(columns), 0 FROM notifications n WHERE n.position = ?", [position]) {
            try entry($0, readUpTo: readPosition)
        }
    }

    func position(of id: NotificationID) async throws -> Int64? {
        try await database.read { db in try Self.position(of: id, in: db) }
    }

    private static func position(of id: NotificationID, in db: Database) throws -> Int64? {
        try db.first("SELECT position FROM notifications WHERE id = ?", [id.description]) { try $0.counter(0) }
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
            let coming = try inbox.reaching.filter { $0 > position && $0 <= end }.prefix(limit).compactMap { position in
                try Self.entry(at: position, readUpTo: inbox.readPosition, in: db).map {
                    RecordedNotification(position: position, notification: $0.notification, isForEveryone: false)
                }
            }
            let found = merged(merged(everyone, own) { $0.position < $1.position }, coming) { $0.position < $1.position }
            return Array(found.prefix(limit))
        }
    }

    func inboxCount(of user: UserID, after position: Int64, through end: Int64, limit: Int) async throws -> Int {
        try await database.read { db in
            let inbox = try Self.inbox(of: user, in: db)
            let everyone =
                try db.integer(
                    "SELECT count(*) FROM (\(Self.everyoneAfter))", [max(position, inbox.fromPosition), end, limit]) ?? 0
            let own = try db.integer("SELECT count(*) FROM (\(Self.ownAfter))", [inbox.user, position, end, limit]) ?? 0
            let coming = inbox.reaching.count { $0 > position && $0 <= end }
            return min(everyone + own + coming, limit)
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
                RecordedNotification(
                    position: try row.counter(0), notification: try Self.notification(row), isForEveryone: try row.flag(10))
            }
        }
    }

    static let tail = """
        SELECT \(columns), n.is_for_everyone FROM notifications n WHERE n.position > ? ORDER BY n.position LIMIT ?
        """

    /// Whichever are fewer are looked through: those it is for, or those who are asked about.
    func recipients(of position: Int64, among users: Set<UserID>) async throws -> Set<UserID> {
        try await database.read { db in
            let expansion = try db.first("SELECT event_id, cursor FROM expansions WHERE position = ?", [position]) {
                (event: try $0.text(0), cursor: try $0.text(1))
            }
            if expansion == nil {
                let all = try db.all("SELECT user_id FROM inbox_entries WHERE position = ? LIMIT ?", [position, users.count + 1]) {
                    try $0.id(0) as UserID
                }
                if all.count <= users.count { return users.intersection(all) }
            }
            return try users.filter { user in
                let id = user.description
                if try db.integer("SELECT 1 FROM inbox_entries WHERE user_id = ? AND position = ?", [id, position]) != nil { return true }
                guard let expansion, expansion.cursor < id else { return false }
                return try db.integer(
                    "SELECT 1 FROM subscriptions WHERE user_id = ? AND event_id = ? AND since < ?", [id, expansion.event, position]) != nil
            }
        }
    }

    // MARK: Expanding

    func expandNext() async throws -> Bool {
        // Most often there is nothing, and a look does not hold up those who write.
        guard try await expansions() > 0 else { return false }
        return try await database.write { db in try SQLiteExpansion.advanceFirst(in: db) }
    }

    func expansions() async throws -> Int {
        try await database.read { db in try db.integer("SELECT count(*) FROM expansions") ?? 0 }
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
                if inbox.reaching.contains(found.position) { try SQLiteExpansion.put(found.position, into: inbox.user, in: db) }
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

    /// The oldest notifications of all, up to the first that is on its way into inboxes. AUTOINCREMENT sees to it that no position is given
    /// out again, though all were purged.
    static let oldest = """
        SELECT position, ordinal, recorded_at FROM notifications
        WHERE position > 0 AND position < coalesce((SELECT min(position) FROM expansions), \(Int64.max)) ORDER BY position
        """

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
            id: try row.id(1), kind: try row.word(2), event: event,
            changes: try row.optionalText(6)?.split(separator: ",").map(String.init) ?? [], message: try row.optionalText(7),
            actor: try row.text(8), timestamp: try row.timestamp(9))
    }

    /// The names of fields, which hold no comma.
    static func changesText(_ notification: Notification) -> String? {
        notification.changes.isEmpty ? nil : notification.changes.joined(separator: ",")
    }

    private static func entry(_ row: Row, readUpTo readPosition: Int64) throws -> InboxEntry {
        let position = try row.counter(0)
        return InboxEntry(position: position, notification: try notification(row), isRead: try position <= readPosition || row.flag(10))
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
