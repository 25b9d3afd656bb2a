import EMSCore
import GRDB

/// Where each consumer of the journal is.
enum SQLiteConsumers {
    /// Puts changes into inboxes. With RabbitMQ, its place is where the relay is: what was published is in the consumer's queue there.
    static let inbox = "inbox"

    static func position(of consumer: String, in db: Database) throws -> Int64 {
        try db.first("SELECT position FROM consumers WHERE name = ?", [consumer]) { try $0.counter(0) } ?? 0
    }

    /// - Returns: `false` if another process has taken the step.
    static func take(_ place: ConsumerPlace, in db: Database) throws -> Bool {
        try db.run(
            """
            INSERT INTO consumers (name, position) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET position = ?2
            WHERE position >= ?3 AND position < ?4
            """, [place.consumer, place.through, place.from, place.first]) > 0
    }

    /// Never goes back.
    /// - Parameter start: where the consumer was: one that was set back further in the meantime stays there.
    static func advance(_ consumer: String, from start: Int64 = 0, to position: Int64, in db: Database) throws {
        try db.run(
            """
            INSERT INTO consumers (name, position) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET position = ?2
            WHERE position >= ?3 AND position < ?2
            """, [consumer, position, start])
    }

    /// How many entries a consumer has before it, and since when the first of them is there.
    static func lag(of consumer: String, in db: Database) throws -> PendingStatus {
        let position = try position(of: consumer, in: db)
        let waiting = try db.boundedCount("SELECT 1 FROM journal WHERE subject_type = 'event' AND position > ?", [position])
        let oldest = try db.first(SQLiteJournal.tail, [position, 1]) { row in
            try? SQLiteJournal.change(Array(row.data(2)), at: row.counter(0), in: db).timestamp
        }
        return PendingStatus(count: waiting.count, oldest: oldest ?? nil)
    }
}
