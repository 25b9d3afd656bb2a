import EMSCore
import GRDB

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The embedded broker: a table of the same file. A message is leased to a consumer, and comes back when the lease runs out.
struct SQLiteMessageBroker: MessageBroker {
    /// How long a consumer may take before its messages are another's. Recording twice does no harm.
    static let leaseSeconds: Int64 = 10

    let database: SQLiteDatabase

    func publish(_ messages: [BrokerMessage]) async throws {
        try await database.write { db in
            for message in messages {
                // A message that waits already is not added again; one that was consumed meanwhile is recognised by its consumer.
                try db.run(
                    "INSERT OR IGNORE INTO broker_messages (message_id, routing_key, body) VALUES (?, ?, ?)",
                    [message.messageID, message.routingKey, Data(message.body)])
            }
        }
    }

    func receive(limit: Int, waiting: Bool) async throws -> [Delivery] {
        guard waiting else { return try await lease(limit: limit) }
        let wakeup = Wakeup()
        let listener = try database.watcher.addListener(wakeup)
        defer { database.watcher.removeListener(listener) }
        do {
            while !Task.isCancelled {
                let deliveries = try await lease(limit: limit)
                if !deliveries.isEmpty { return deliveries }
                // The limit is for leases of consumers that died: their end is no commit.
                await wakeup.wait(upTo: .seconds(1))
            }
        } catch is CancellationError {
            // Nothing was leased: the transaction was rolled back.
        }
        return []
    }

    private func lease(limit: Int) async throws -> [Delivery] {
        let now = Timestamp.now()
        // Looking does not lock the file against writers, so an empty queue costs nobody anything.
        let isIdle = try await database.read { db in try db.first(Self.waiting, [now.milliseconds, 1]) { _ in true } == nil }
        if isIdle { return [] }
        return try await database.write { db in
            let deliveries = try db.all(Self.waiting, [now.milliseconds, limit]) { row in
                Delivery(
                    tag: try row.counter(0),
                    message: BrokerMessage(messageID: try row.text(1), routingKey: try row.text(2), body: Array(try row.data(3))),
                    attempt: Int(try row.counter(4)) + 1, signature: .valid)
            }
            let end = now.adding(seconds: Self.leaseSeconds).milliseconds
            for delivery in deliveries {
                try db.run("UPDATE broker_messages SET leased_until = ?, attempts = attempts + 1 WHERE seq = ?", [end, delivery.tag])
            }
            return deliveries
        }
    }

    /// A lease that ends later was given by a clock that was ahead.
    private static let longestLeaseMilliseconds = 2 * leaseSeconds * 1000

    /// In the order of arrival. Passed over on the way are only the messages leased to others: a batch for each consumer.
    static let waiting = """
        SELECT seq, message_id, routing_key, body, attempts FROM broker_messages
        WHERE seq > 0 AND (leased_until <= ?1 OR leased_until > ?1 + \(longestLeaseMilliseconds)) ORDER BY seq LIMIT ?2
        """

    func acknowledge(_ deliveries: [Delivery]) async throws {
        try await database.write { db in
            for delivery in deliveries { try db.run("DELETE FROM broker_messages WHERE seq = ?", [delivery.tag]) }
        }
    }

    func reject(_ delivery: Delivery, reason: String) async throws {
        try await database.write { db in
            try db.run(
                """
                INSERT INTO broker_dead_letters (message_id, routing_key, body, attempts, reason, died_at)
                SELECT message_id, routing_key, body, attempts, ?, ? FROM broker_messages WHERE seq = ?
                """, [reason, Timestamp.now().milliseconds, delivery.tag])
            try db.run("DELETE FROM broker_messages WHERE seq = ?", [delivery.tag])
        }
    }

    func release(_ deliveries: [Delivery]) async throws {
        try await database.write { db in
            for delivery in deliveries { try db.run("UPDATE broker_messages SET leased_until = 0 WHERE seq = ?", [delivery.tag]) }
        }
    }

    func status() async throws -> BrokerStatus {
        try await database.read { db in
            BrokerStatus(
                depth: try db.boundedCount("SELECT 1 FROM broker_messages", []).count,
                unacknowledged: try db.boundedCount(
                    "SELECT 1 FROM broker_messages WHERE seq > 0 AND leased_until > ?", [Timestamp.now().milliseconds]
                ).count,
                deadLetters: try db.boundedCount("SELECT 1 FROM broker_dead_letters", []).count)
        }
    }
}
