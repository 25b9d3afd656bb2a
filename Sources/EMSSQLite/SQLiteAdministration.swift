import EMSCore
import GRDB

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What operators do with the embedded store. Opening the file has brought it up to date already.
struct SQLiteAdministration: StoreAdministration {
    let database: SQLiteDatabase

    func ping() async throws { try await database.ping() }

    func report() async throws -> StoreReport {
        let path = database.path
        let bytes = database.bytes
        return try await database.read { db in
            StoreReport(
                kind: "sqlite", location: path, version: try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "",
                schemaVersion: try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0, latestSchemaVersion: Schema.steps.count,
                missingIndexes: [], users: try db.rowCount("users"), events: try db.rowCount("events"),
                journalEntries: Int(try SQLiteJournal.lastPosition(in: db)), bytes: bytes)
        }
    }

    func migrate(dryRun: Bool) async throws -> [String] { [] }

    func bytes() async throws -> Int64 { database.bytes }

    func compact() async throws { try await database.compact() }
}

/// What operators do with the queue of the inbox.
struct SQLiteBrokerAdministration: BrokerAdministration {
    let database: SQLiteDatabase

    func report() async throws -> BrokerReport {
        let path = database.path
        let status = try await SQLiteChangeQueue(database: database, consumer: .inbox).status()
        return BrokerReport(
            kind: "embedded", location: path, version: "", queue: "journal", depth: status.depth,
            unacknowledged: status.unacknowledged, consumers: nil,
            deadLetters: status.deadLetters)
    }

    /// The store's own test of writing is the broker's: they are one file.
    func probe() async throws { _ = try await report() }

    func declare(replacing: Bool) async throws -> Int { 0 }

    func deadLetters(of consumer: Consumer, limit: Int) async throws -> [DeadLetter] {
        try await database.read { db in
            try db.all(
                """
                SELECT l.message_id, l.routing_key, coalesce(j.entry, l.body, x''), l.reason, l.attempts, l.died_at
                FROM consumer_letters l LEFT JOIN journal j ON j.position = l.position
                WHERE l.consumer = ? AND l.died_at IS NOT NULL ORDER BY l.seq LIMIT ?
                """, [consumer.name, limit]
            ) { row in
                DeadLetter(
                    message: BrokerMessage(messageID: try row.text(0), routingKey: try row.text(1), body: Array(try row.data(2))),
                    reason: try row.text(3), attempts: Int(try row.counter(4)), diedAt: try row.timestamp(5))
            }
        }
    }

    func requeue(_ selection: DeadLetterSelection, of consumer: Consumer, signing: Bool) async throws -> Int {
        try await forEach(selection, of: consumer) { db, seq in
            try db.run("UPDATE consumer_letters SET attempts = 0, retry_at = 0, died_at = NULL WHERE seq = ?", [seq])
        }
    }

    func drop(_ selection: DeadLetterSelection, of consumer: Consumer) async throws -> Int {
        try await forEach(selection, of: consumer) { db, seq in try db.run("DELETE FROM consumer_letters WHERE seq = ?", [seq]) }
    }

    private func forEach(
        _ selection: DeadLetterSelection, of consumer: Consumer, _ body: @escaping @Sendable (Database, Int64) throws -> Int
    ) async throws -> Int {
        try await database.write { db in
            let letters = try db.all(
                "SELECT seq, message_id FROM consumer_letters WHERE consumer = ? AND died_at IS NOT NULL ORDER BY seq",
                [consumer.name]
            ) { (try $0.integer(0), try $0.text(1)) }
            let chosen = letters.filter { selection.contains($0.1) }.map(\.0)
            for seq in chosen { _ = try body(db, seq) }
            return chosen.count
        }
    }
}
