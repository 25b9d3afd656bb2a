import EMSCore
import GRDB

struct SQLiteSubscriptionStore: SubscriptionStore {
    let database: SQLiteDatabase

    func subscribe(_ user: UserID, to event: EventID, at now: Timestamp) async throws -> Bool {
        try await database.write { db in
            guard try db.integer("SELECT 1 FROM events WHERE id = ?", [event.description]) != nil else {
                throw EMSError.notFound("event", event)
            }
            guard try db.integer("SELECT 1 FROM users WHERE id = ?", [user.description]) != nil else {
                throw EMSError.notFound("user", user)
            }
            // A pending deletion is about to end it, and the event was restored: it is created again.
            if try SQLiteExpansion.settle(user.description, event.description, in: db) {
                try db.run("DELETE FROM subscriptions WHERE user_id = ? AND event_id = ?", [user.description, event.description])
            }
            return try db.run(
                """
                INSERT OR IGNORE INTO subscriptions (user_id, event_id, created_at, since)
                VALUES (?, ?, ?, (SELECT last_position FROM stream))
                """, [user.description, event.description, now.milliseconds]) > 0
        }
    }

    func unsubscribe(_ user: UserID, from event: EventID) async throws -> Bool {
        try await database.write { db in
            try SQLiteExpansion.settle(user.description, event.description, in: db)
            return try db.run(
                "DELETE FROM subscriptions WHERE user_id = ? AND event_id = ?", [user.description, event.description]) > 0
        }
    }

    func subscriptions(of user: UserID, after event: EventID?, limit: Int) async throws -> [Subscription] {
        try await database.read { db in
            try db.all(
                "SELECT event_id, created_at FROM subscriptions WHERE user_id = ? AND event_id > ? ORDER BY event_id LIMIT ?",
                [user.description, event?.description ?? "", limit]
            ) { Subscription(eventID: try $0.id(0), userID: user, createdAt: try $0.timestamp(1)) }
        }
    }
}
