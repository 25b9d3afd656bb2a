import EMSCore
import GRDB

struct SQLiteSubscriptionStore: SubscriptionStore {
    let database: SQLiteDatabase

    func subscribe(_ user: UserID, to event: EventID, by author: Author, at now: Timestamp) async throws -> Bool {
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
            let isNew =
                try db.run(
                    """
                    INSERT OR IGNORE INTO subscriptions (user_id, event_id, created_at, since)
                    VALUES (?, ?, ?, (SELECT last_position FROM stream))
                    """, [user.description, event.description, now.milliseconds]) > 0
            if isNew {
                try SQLiteJournal.append(.created(Subscription(eventID: event, userID: user, createdAt: now), by: author), in: db)
            }
            return isNew
        }
    }

    func unsubscribe(_ user: UserID, from event: EventID, by author: Author, at now: Timestamp) async throws -> Bool {
        try await database.write { db in
            let key: StatementArguments = [user.description, event.description]
            let subscription = try db.first("SELECT created_at FROM subscriptions WHERE user_id = ? AND event_id = ?", key) {
                Subscription(eventID: event, userID: user, createdAt: try $0.timestamp(0))
            }
            guard let subscription else { return false }
            try SQLiteExpansion.settle(user.description, event.description, in: db)
            try db.run("DELETE FROM subscriptions WHERE user_id = ? AND event_id = ?", key)
            try SQLiteJournal.append(.deleted(subscription, by: author, at: now), in: db)
            return true
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
