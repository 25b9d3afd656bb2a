import EMSCore
import GRDB
import Synchronization

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A consumer's queue in the same file: the journal from the consumer's position on, and what failed and is to be tried again.
///
/// Nothing is leased: several processes may be handed the same entries. What they make of them is stored together with the step along the
/// journal, which one of them takes.
final class SQLiteChangeQueue: ChangeQueue {
    private let database: SQLiteDatabase
    private let consumer: Consumer
    /// How often what begins at the position was given back.
    private let failures = Mutex<(position: Int64, count: Int)>((0, 0))
    /// Where the consumer was when what begins at the position was read.
    private let origin = Mutex<(position: Int64, first: Int64)>((0, 0))

    init(database: SQLiteDatabase, consumer: Consumer) {
        self.database = database
        self.consumer = consumer
    }

    func receive(limit: Int, waiting: Bool) async throws -> [Delivery] {
        guard waiting else { return try await deliveries(limit: limit) }
        let wakeup = Wakeup()
        let listener = try database.watcher.addListener(wakeup)
        defer { database.watcher.removeListener(listener) }
        do {
            while !Task.isCancelled {
                let deliveries = try await deliveries(limit: limit)
                if !deliveries.isEmpty { return deliveries }
                // The limit is for what is to be tried again: that its time has come is no commit.
                await wakeup.wait(upTo: .seconds(1))
            }
        } catch is CancellationError {
            // Nothing was taken.
        }
        return []
    }

    private func deliveries(limit: Int) async throws -> [Delivery] {
        let consumer = consumer
        let failures = failures.withLock { $0 }
        let batch = try await database.read { db in
            let due = try db.all(Self.due, [consumer.name, Timestamp.now().milliseconds, 2 * consumer.longestPauseSeconds * 1000, limit]) {
                try Self.letter($0, in: db)
            }
            if !due.isEmpty { return Batch(letters: due) }
            let position = try SQLiteConsumers.position(of: consumer, in: db)
            let found = try SQLiteJournal.tail(of: consumer, after: position, limit: limit, in: db) { row in
                (position: try row.counter(0), id: try row.text(1), entry: Array(try row.data(2)), routingKey: try row.text(3))
            }
            if found.isEmpty { try Self.expectEnd(position, of: consumer, in: db) }
            return Batch(entries: found, letters: [], texts: try SQLiteJournal.texts(in: found.lazy.map(\.entry), in: db), origin: position)
        }
        // Reading them takes longer than finding them, and others wait for the connection.
        guard let first = batch.entries.first?.position else { return batch.letters }
        origin.withLock { $0 = (batch.origin, first) }
        return batch.entries.map { entry in
            Self.delivery(
                tag: entry.position, position: entry.position, id: entry.id, routingKey: entry.routingKey, entry: entry.entry,
                attempt: failures.position == first ? failures.count + 1 : 1
            ) { batch.texts[$0] }
        }
    }

    /// What a look has found: entries, or what is to be tried again.
    private struct Batch: Sendable {
        var entries: [(position: Int64, id: String, entry: [UInt8], routingKey: String)] = []
        var letters: [Delivery] = []
        /// The texts of persons that the entries refer to.
        var texts: [String: String] = [:]
        /// Where the consumer was.
        var origin: Int64 = 0
    }

    /// A consumer beyond the end would be passed by, in silence, by everything that is still to be written up to there.
    private static func expectEnd(_ position: Int64, of consumer: Consumer, in db: Database) throws {
        let end = try SQLiteJournal.lastPosition(in: db)
        guard position > end else { return }
        throw EMSError(
            .storeCorrupt, "the consumer \(consumer.name) is at position \(position) of the journal, which ends at \(end)",
            fix: "restore a backup")
    }

    /// What is to be tried again now. A time further ahead than any pause lasts was set by a clock that was ahead.
    static let due = """
        SELECT l.seq, l.position, l.message_id, coalesce(j.entry, l.body, x''), l.attempts, l.routing_key
        FROM consumer_letters l LEFT JOIN journal j ON j.position = l.position
        WHERE l.consumer = ?1 AND l.retry_at IS NOT NULL AND l.died_at IS NULL AND (l.retry_at <= ?2 OR l.retry_at > ?2 + ?3)
        ORDER BY l.retry_at LIMIT ?4
        """

    private static func letter(_ row: Row, in db: Database) throws -> Delivery {
        let (tag, attempt) = (-(try row.counter(0)), Int(try row.counter(4)) + 1)
        let (id, bytes) = (try row.text(2), Array(try row.data(3)))
        if let position = try row.optionalInteger(1) {
            let texts = try SQLiteJournal.texts(in: [bytes], in: db)
            return delivery(tag: tag, position: position, id: id, routingKey: try row.text(5), entry: bytes, attempt: attempt) { texts[$0] }
        }
        let message = BrokerMessage(messageID: id, routingKey: try row.text(5), body: bytes)
        return Delivery(tag: tag, message: message, attempt: attempt, signature: .valid)
    }

    /// An entry that cannot be read is delivered as the message that it is not: whoever receives it finds out.
    private static func delivery(
        tag: Int64, position: Int64, id: String, routingKey: String, entry: [UInt8], attempt: Int, resolving resolve: (String) -> String?
    ) -> Delivery {
        let change = try? SealedChange(canonical: entry).change(at: position, resolving: resolve)
        return Delivery(
            tag: tag, message: BrokerMessage(messageID: id, routingKey: routingKey, body: change == nil ? entry : []), change: change,
            attempt: attempt, signature: .valid)
    }

    func place(after deliveries: [Delivery]) -> ConsumerPlace? {
        guard let first = deliveries.first, let last = deliveries.last, first.tag > 0 else { return nil }
        let origin = origin.withLock { $0 }
        guard origin.first == first.tag else { return nil }
        return ConsumerPlace(consumer: consumer.name, from: origin.position, first: first.tag, through: last.tag)
    }

    func acknowledge(_ deliveries: [Delivery]) async throws {
        try await acknowledge(deliveries, settingAside: [])
    }

    func acknowledge(_ deliveries: [Delivery], settingAside failed: [(delivery: Delivery, reason: String)]) async throws {
        if deliveries.isEmpty, failed.isEmpty { return }
        let consumer = consumer
        let now = Timestamp.now()
        let start = origin.withLock { $0.position }
        try await database.write { db in
            for (delivery, reason) in failed {
                let pause = consumer.pauseSeconds(afterAttempts: delivery.attempt)
                try Self.keep(delivery, of: consumer, reason: reason, retryAt: now.adding(seconds: pause), diedAt: nil, in: db)
            }
            for delivery in deliveries where delivery.tag < 0 {
                try db.run("DELETE FROM consumer_letters WHERE seq = ? AND died_at IS NULL", [-delivery.tag])
            }
            let last = (deliveries + failed.map(\.delivery)).map(\.tag).max() ?? 0
            if last > 0 { try SQLiteConsumers.advance(consumer, from: start, to: last, in: db) }
        }
    }

    /// The consumer does not move before it acknowledges: what came before the message may not be stored yet.
    func reject(_ delivery: Delivery, reason: String) async throws {
        let consumer = consumer
        try await database.write { db in
            try Self.keep(delivery, of: consumer, reason: reason, retryAt: nil, diedAt: .now(), in: db)
        }
    }

    /// The consumer has not moved: they are delivered again.
    func release(_ deliveries: [Delivery]) async throws {
        guard let first = deliveries.map(\.tag).min(), first > 0 else { return }
        failures.withLock { $0 = $0.position == first ? (first, $0.count + 1) : (first, 1) }
    }

    /// Nothing is held.
    func suspend() async {}

    /// Puts what failed where it does not hold up what comes after it.
    private static func keep(
        _ delivery: Delivery, of consumer: Consumer, reason: String, retryAt: Timestamp?, diedAt: Timestamp?, in db: Database
    ) throws {
        let (retryAt, diedAt) = (retryAt?.milliseconds, diedAt?.milliseconds)
        guard delivery.tag > 0 else {
            try db.run(
                "UPDATE consumer_letters SET attempts = ?, reason = ?, retry_at = ?, died_at = ? WHERE seq = ? AND died_at IS NULL",
                [delivery.attempt, reason, retryAt, diedAt, -delivery.tag])
            return
        }
        try db.run(
            """
            INSERT OR IGNORE INTO consumer_letters (consumer, position, message_id, routing_key, body, attempts, reason, retry_at, died_at)
            VALUES (?, ?, ?, ?, NULL, ?, ?, ?, ?)
            """,
            [
                consumer.name, delivery.tag, delivery.message.messageID, delivery.message.routingKey, delivery.attempt, reason, retryAt,
                diedAt,
            ])
    }

    func status() async throws -> BrokerStatus {
        let consumer = consumer
        return try await database.read { db in
            let waiting = try db.boundedCount(
                "SELECT 1 FROM consumer_letters WHERE consumer = ? AND retry_at IS NOT NULL", [consumer.name]
            ).count
            return BrokerStatus(
                depth: waiting, unacknowledged: waiting,
                deadLetters: try db.boundedCount(
                    "SELECT 1 FROM consumer_letters WHERE consumer = ? AND died_at IS NOT NULL", [consumer.name]
                )
                .count)
        }
    }
}
