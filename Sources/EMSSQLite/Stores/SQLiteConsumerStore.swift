import EMSCore
import GRDB

struct SQLiteConsumerStore: ConsumerStore {
    let database: SQLiteDatabase

    func isPaused(_ consumer: Consumer) async throws -> Bool {
        try await database.read { db in
            try db.first("SELECT 1 FROM consumers WHERE name = ? AND paused_at IS NOT NULL", [consumer.name]) { _ in true } ?? false
        }
    }

    func setPaused(_ consumer: Consumer, _ isPaused: Bool) async throws -> Bool {
        try await database.write { db in
            try db.run("INSERT OR IGNORE INTO consumers (name, position) VALUES (?, 0)", [consumer.name])
            return try db.run(
                "UPDATE consumers SET paused_at = ?1 WHERE name = ?2 AND (paused_at IS NULL) = (?1 IS NOT NULL)",
                [isPaused ? Timestamp.now().milliseconds : nil, consumer.name]) > 0
        }
    }

    func setBack(_ consumer: Consumer, to position: Int64) async throws {
        try await database.write { db in
            _ = try db.run("UPDATE consumers SET position = min(position, ?) WHERE name = ?", [position - 1, consumer.name])
        }
    }

    func lag(of consumer: Consumer) async throws -> PendingStatus {
        try await database.read { try SQLiteConsumers.lag(of: consumer, in: $0) }
    }

    func unsignedMessagesEnd() async throws -> Timestamp? {
        try await database.read { db in try db.first("SELECT unsigned_until FROM broker_transition") { try $0.timestamp(0) } }
    }

    func save(_ report: ConsumerReport) async throws {
        try await database.write { db in
            try db.run(
                "DELETE FROM consumer_reports WHERE reported_at < ?",
                [report.reportedAt.adding(seconds: -ConsumerReport.lifetimeSeconds).milliseconds])
            try db.run(
                """
                INSERT OR REPLACE INTO consumer_reports (process, unacknowledged, failing_since, failure, reported_at)
                VALUES (?, ?, ?, ?, ?)
                """,
                [report.process, report.unacknowledged, report.failingSince.milliseconds, report.failure, report.reportedAt.milliseconds])
        }
    }

    func removeReport(of process: String) async throws {
        try await database.write { db in _ = try db.run("DELETE FROM consumer_reports WHERE process = ?", [process]) }
    }

    func reports(since moment: Timestamp) async throws -> [ConsumerReport] {
        try await database.read { db in
            try db.all(
                """
                SELECT process, unacknowledged, failing_since, failure, reported_at FROM consumer_reports
                WHERE reported_at >= ? ORDER BY process
                """, [moment.milliseconds]
            ) { row in
                ConsumerReport(
                    process: try row.text(0), unacknowledged: Int(try row.counter(1)), failingSince: try row.timestamp(2),
                    failure: try row.text(3), reportedAt: try row.timestamp(4))
            }
        }
    }

    func lastRecordedAt() async throws -> Timestamp? {
        try await database.read { db in
            try db.first("SELECT recorded_at FROM notifications ORDER BY position DESC LIMIT 1") { try $0.timestamp(0) }
        }
    }
}
