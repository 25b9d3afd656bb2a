import EMSCore
import GRDB

struct SQLiteConsumerStore: ConsumerStore {
    let database: SQLiteDatabase

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
