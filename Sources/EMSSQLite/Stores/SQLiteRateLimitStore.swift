import EMSCore
import GRDB

/// Exact over every window: each counted attempt is a row until it is too old to matter, so there are at most `limit` rows a key.
struct SQLiteRateLimitStore: RateLimitStore {
    let database: SQLiteDatabase

    func attempt(_ key: String, limit: Int, window: Int64, at now: Timestamp) async throws -> RateAllowance {
        try await database.write { db in
            // What a clock that was ahead has counted says nothing about now.
            let start = now.adding(seconds: -window)
            try db.run("DELETE FROM attempts WHERE expires_at <= ?", [now.milliseconds])
            var counted = try db.all(
                "SELECT at FROM attempts WHERE key = ? AND at > ? AND at <= ? ORDER BY at DESC LIMIT ?",
                [key, start.milliseconds, now.adding(seconds: window).milliseconds, limit]
            ) { try $0.timestamp(0) }
            guard counted.count < limit else {
                return RateAllowance(limit: limit, window: window, counted: counted, isGranted: false, at: now)
            }
            try db.run(
                "INSERT INTO attempts (key, at, expires_at) VALUES (?, ?, ?)",
                [key, now.milliseconds, now.adding(seconds: window).milliseconds])
            counted.append(now)
            return RateAllowance(limit: limit, window: window, counted: counted, isGranted: true, at: now)
        }
    }
}
