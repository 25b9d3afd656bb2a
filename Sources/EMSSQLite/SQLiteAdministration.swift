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
                missingIndexes: [], users: try db.rowCount("users"), events: try db.rowCount("events"), bytes: bytes)
        }
    }

    func migrate(dryRun: Bool) async throws -> [String] { [] }

    func bytes() async throws -> Int64 { database.bytes }

    func compact() async throws { try await database.compact() }
}

/// What operators do with the embedded broker.
struct SQLiteBrokerAdministration: BrokerAdministration {
    let database: SQLiteDatabase

    func report() async throws -> BrokerReport {
        let path = database.path
        let status = try await SQLiteMessageBroker(database: database).status()
        return BrokerReport(
            kind: "embedded", location: path, version: "", queue: "broker_messages", depth: status.depth,
            unacknowledged: status.unacknowledged, consumers: nil,
            deadLetters: status.deadLetters)
    }

    /// The store's own test of writing is the broker's: they are one file.
    func probe() async throws { _ = try await report() }

    func declare(replacing: Bool) async throws -> Int { 0 }

    func deadLetters(limit: Int) async throws -> [DeadLetter] {
        try await database.read { db in
            try db.all(
                "SELECT message_id, routing_key, body, reason, attempts, died_at FROM broker_dead_letters ORDER BY seq LIMIT ?", [limit]
            ) { row in
                DeadLetter(
                    message: BrokerMessage(messageID: try row.text(0), routingKey: try row.text(1), body: Array(try row.data(2))),
                    reason: try row.text(3), attempts: Int(try row.counter(4)), diedAt: try row.timestamp(5))
            }
        }
    }

    func requeue(_ selection: DeadLetterSelection, signing: Bool) async throws -> Int {
        try await remove(selection) { db, seq in
            try db.run(
                """
                INSERT OR IGNORE INTO broker_messages (message_id, routing_key, body)
                SELECT message_id, routing_key, body FROM broker_dead_letters WHERE seq = ?
                """, [seq])
        }
    }

    func drop(_ selection: DeadLetterSelection) async throws -> Int {
        try await remove(selection) { _, _ in }
    }

    private func remove(
        _ selection: DeadLetterSelection, _ before: @escaping @Sendable (Database, Int64) throws -> Void
    ) async throws -> Int {
        try await database.write { db in
            let letters = try db.all("SELECT seq, message_id FROM broker_dead_letters ORDER BY seq") { (try $0.integer(0), try $0.text(1)) }
            let chosen = letters.filter { selection.contains($0.1) }.map(\.0)
            for seq in chosen {
                try before(db, seq)
                try db.run("DELETE FROM broker_dead_letters WHERE seq = ?", [seq])
            }
            return chosen.count
        }
    }
}
