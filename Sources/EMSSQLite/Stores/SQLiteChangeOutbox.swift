import EMSCore
import GRDB

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

struct SQLiteChangeOutbox: ChangeOutbox {
    let database: SQLiteDatabase

    /// Adds a change to what is pending, in the transaction that writes its event.
    static func append(_ change: Change, in db: Database) throws {
        try db.run(
            "INSERT INTO pending_changes (id, body, created_at) VALUES (?, ?, ?)",
            [change.id.description, Data(change.json()), change.timestamp.milliseconds])
    }

    func pendingChanges(limit: Int) async throws -> [Change] {
        try await database.read { db in
            let cursor = try Row.fetchCursor(db.cachedStatement(sql: "SELECT id, body FROM pending_changes ORDER BY id"))
            var changes: [Change] = []
            while changes.count < limit, let row = try cursor.next() {
                guard let change = try? Change(id: try row.id(0), body: Array(try row.data(1))) else { continue }
                changes.append(change)
            }
            return changes
        }
    }

    func clearPending(_ ids: [ChangeID]) async throws {
        try await database.write { db in
            for id in ids { try db.run("DELETE FROM pending_changes WHERE id = ?", [id.description]) }
        }
    }

    func pendingStatus() async throws -> PendingStatus {
        try await database.read { db in
            // What is pending is little, or there is trouble; beyond the bound its exact number tells no more.
            let count = try db.boundedCount("SELECT 1 FROM pending_changes", []).count
            let oldest = try db.first("SELECT created_at FROM pending_changes ORDER BY id LIMIT 1") { try $0.timestamp(0) }
            return PendingStatus(count: count, oldest: oldest)
        }
    }
}
