import EMSCore
import GRDB

/// Where each consumer of the journal is. With RabbitMQ, all are where the relay is: what was published is in their queues there.
enum SQLiteConsumers {
    static func position(of consumer: Consumer, in db: Database) throws -> Int64 {
        try db.first("SELECT position FROM consumers WHERE name = ?", [consumer.name]) { try $0.counter(0) } ?? 0
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
    static func advance(_ consumer: Consumer, from start: Int64 = 0, to position: Int64, in db: Database) throws {
        try db.run(
            """
            INSERT INTO consumers (name, position) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET position = ?2
            WHERE position >= ?3 AND position < ?2
            """, [consumer.name, position, start])
    }

    /// How many entries a consumer has before it, and since when the first of them is there.
    static func lag(of consumer: Consumer, in db: Database) throws -> PendingStatus {
        let position = try position(of: consumer, in: db)
        let waiting = try consumer.subjects.reduce(0) { count, subject in
            let (sum, isTooLarge) = count.addingReportingOverflow(
                try db.boundedCount("SELECT 1 FROM journal WHERE subject_type = ? AND position > ?", [subject.rawValue, position]).count)
            return isTooLarge ? .max : sum
        }
        let oldest = try SQLiteJournal.tail(of: consumer, after: position, limit: 1, in: db) { row in
            try? SQLiteJournal.change(Array(row.data(2)), at: row.counter(0), in: db).timestamp
        }
        return PendingStatus(count: waiting, oldest: oldest.first ?? nil)
    }
}
