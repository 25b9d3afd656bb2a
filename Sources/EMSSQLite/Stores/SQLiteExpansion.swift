import EMSCore
import GRDB

/// A notification on its way into the inboxes of an event's subscribers, in the order of their ids.
///
/// A subscriber beyond the cursor is a recipient if the subscription began before the notification, and has it in the inbox as if it were
/// there. Whoever ends or renews such a subscription puts it there first (``settle(_:_:in:)``).
struct SQLiteExpansion {
    let position: Int64
    let event: String
    /// Those up to this user have it.
    let cursor: String
    /// Where the event was deleted: subscriptions that began until then end with it.
    let endsSubscriptionsAt: Int64?

    /// How many recipients get it in one write, after the one that records it. Other writes wait for no longer.
    static let chunkSize = 100

    /// Puts it into the next inboxes.
    /// - Returns: the cursor afterwards; `nil` where all have it.
    func deliver(_ limit: Int, in db: Database) throws -> String? {
        let users = try db.all(
            "SELECT user_id FROM subscriptions WHERE event_id = ? AND user_id > ? ORDER BY user_id LIMIT ?", [event, cursor, limit + 1]
        ) { try $0.text(0) }
        guard !users.isEmpty else { return nil }
        let last = users.count > limit ? users[limit - 1] : users[users.count - 1]
        try put(after: cursor, through: last, in: db)
        if let endsSubscriptionsAt {
            // What else is on its way to those whose subscriptions end now was shown to them: it arrives first.
            for other in try Self.all(of: event, in: db) where other.position != position {
                try other.put(after: max(cursor, other.cursor), through: last, in: db)
            }
            // Those of an event that came back in the meantime stay.
            try db.run(
                """
                DELETE FROM subscriptions WHERE event_id = ?1 AND user_id > ?2 AND user_id <= ?3 AND since < ?4
                    AND (created_at <= ?5 OR NOT EXISTS (SELECT 1 FROM events WHERE id = ?1))
                """, [event, cursor, last, position, endsSubscriptionsAt])
        }
        return users.count > limit ? last : nil
    }

    /// Puts it into the inboxes of the subscribers in a range.
    private func put(after first: String, through last: String, in db: Database) throws {
        // Not those who marked all as read meanwhile, nor those who have it already.
        try db.run(
            """
            UPDATE inboxes SET unread_own = unread_own + 1 WHERE read_position < ?4 AND user_id IN (
                SELECT s.user_id FROM subscriptions s WHERE s.event_id = ?1 AND s.user_id > ?2 AND s.user_id <= ?3 AND s.since < ?4
                    AND NOT EXISTS (SELECT 1 FROM inbox_entries i WHERE i.user_id = s.user_id AND i.position = ?4))
            """, [event, first, last, position])
        try db.run(
            """
            INSERT OR IGNORE INTO inbox_entries (user_id, position, is_read)
            SELECT user_id, ?4, 0 FROM subscriptions WHERE event_id = ?1 AND user_id > ?2 AND user_id <= ?3 AND since < ?4
            """, [event, first, last, position])
    }

    private static let columns = "position, event_id, cursor, ends_subscriptions_at"

    private static func expansion(_ row: Row) throws -> SQLiteExpansion {
        SQLiteExpansion(
            position: try row.counter(0), event: try row.text(1), cursor: try row.text(2), endsSubscriptionsAt: try row.optionalInteger(3))
    }

    /// Those of an event, the oldest first. One that is damaged is left out.
    private static func all(of event: String, in db: Database) throws -> [SQLiteExpansion] {
        try db.all("SELECT \(columns) FROM expansions WHERE event_id = ? ORDER BY position", [event]) { try? expansion($0) }
            .compactMap(\.self)
    }

    /// Stores that it is on its way.
    func insert(after cursor: String, in db: Database) throws {
        try db.run(
            "INSERT INTO expansions (position, event_id, cursor, ends_subscriptions_at) VALUES (?, ?, ?, ?)",
            [position, event, cursor, endsSubscriptionsAt])
    }

    /// - Returns: `false` where none is on its way.
    static func advanceFirst(in db: Database) throws -> Bool {
        // One that is damaged holds up none that comes after it.
        let found = try db.all("SELECT \(columns) FROM expansions ORDER BY position LIMIT 100", []) { try? expansion($0) }
        guard let first = found.compactMap(\.self).first else { return false }
        if let cursor = try first.deliver(chunkSize, in: db) {
            try db.run("UPDATE expansions SET cursor = ? WHERE position = ?", [cursor, first.position])
        } else {
            try db.run("DELETE FROM expansions WHERE position = ?", [first.position])
        }
        return true
    }

    /// What is on its way to a user, the oldest first.
    static let reaching = """
        SELECT x.position FROM expansions x CROSS JOIN subscriptions s ON s.user_id = ?1 AND s.event_id = x.event_id
        WHERE s.since < x.position AND x.cursor < ?1
            AND NOT EXISTS (SELECT 1 FROM inbox_entries i WHERE i.user_id = ?1 AND i.position = x.position)
        """

    static func positions(reaching user: String, in db: Database) throws -> [Int64] {
        try db.all("\(reaching) ORDER BY x.position", [user]) { try $0.counter(0) }
    }

    /// Puts what is on its way to a subscriber of an event into the inbox now.
    /// - Returns: whether a deletion is among it: the subscription has ended.
    @discardableResult
    static func settle(_ user: String, _ event: String, in db: Database) throws -> Bool {
        let found = try db.all(
            "\(reaching) AND x.event_id = ?2 ORDER BY x.position", [user, event]
        ) { try $0.counter(0) }
        for position in found { try put(position, into: user, in: db) }
        if found.isEmpty { return false }
        return try db.integer(
            """
            SELECT 1 FROM expansions x CROSS JOIN subscriptions s ON s.user_id = ?2 AND s.event_id = x.event_id
            WHERE x.event_id = ?1 AND x.cursor < ?2 AND s.since < x.position AND s.created_at <= x.ends_subscriptions_at LIMIT 1
            """, [event, user]) != nil
    }

    /// Puts a notification into the inbox of a recipient who does not have it yet.
    static func put(_ position: Int64, into user: String, in db: Database) throws {
        try db.run("INSERT INTO inbox_entries (user_id, position, is_read) VALUES (?, ?, 0)", [user, position])
        try db.run("UPDATE inboxes SET unread_own = unread_own + 1 WHERE user_id = ? AND read_position < ?", [user, position])
    }
}
