import EMSCore
import GRDB

/// What is not handed over yet: the journal from the inbox's place on. The embedded queues hand over by themselves; the relay, to RabbitMQ, and
/// for all consumers at once.
struct SQLiteChangeOutbox: ChangeOutbox {
    let database: SQLiteDatabase
    private let consumer = Consumer.inbox

    init(database: SQLiteDatabase) {
        self.database = database
    }

    var isOrdered: Bool { true }

    func pendingChanges(limit: Int) async throws -> [Change] {
        let consumer = consumer
        return try await database.read { db in
            var position = try SQLiteConsumers.position(of: consumer, in: db)
            var changes: [Change] = []
            while changes.count < limit {
                let entries = try SQLiteJournal.tail(of: consumer, after: position, limit: limit, in: db) { row in
                    // Everything of it is read here, so that it can be published.
                    let change = try? SQLiteJournal.change(Array(row.data(2)), at: row.counter(0), in: db)
                    return (position: try row.counter(0), change: change?.isReadable == true ? change : nil)
                }
                guard let last = entries.last else { break }
                position = last.position
                changes += entries.compactMap(\.change)
            }
            return Array(changes.prefix(limit))
        }
    }

    /// All are in the journal.
    func enterIntoJournal(_ changes: [Change]) async throws -> [Change] { changes }
    func settle() async throws {}

    /// What lies between the changes and cannot be read becomes a dead letter.
    func clearPending(_ ids: [ChangeID]) async throws {
        let consumer = consumer
        try await database.write { db in
            let start = try SQLiteConsumers.position(of: consumer, in: db)
            let positions = try ids.compactMap { id in
                try db.first("SELECT position FROM journal WHERE change_id = ?", [id.description]) { try $0.counter(0) }
            }
            guard let end = positions.max(), end > start else { return }
            let published = Set(positions)
            var position = start
            while position < end {
                let entries = try SQLiteJournal.tail(of: consumer, after: position, limit: 1000, in: db) { try $0.counter(0) }
                for entry in entries where entry <= end && !published.contains(entry) {
                    try db.run(
                        """
                        INSERT OR IGNORE INTO consumer_letters
                            (consumer, position, message_id, routing_key, body, attempts, reason, retry_at, died_at)
                        SELECT ?, position, change_id, subject_type || '.' || action, NULL, 1, 'the entry of the journal cannot be read', NULL, ?
                        FROM journal WHERE position = ?
                        """, [consumer.name, Timestamp.now().milliseconds, entry])
                }
                guard let last = entries.last else { break }
                position = last
            }
            for consumer in Consumer.all { try SQLiteConsumers.advance(consumer, to: end, in: db) }
        }
    }

    func pendingStatus() async throws -> PendingStatus {
        let consumer = consumer
        return try await database.read { db in try SQLiteConsumers.lag(of: consumer, in: db) }
    }
}
