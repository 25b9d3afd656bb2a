import EMSCore
import GRDB

/// Exact over every window: each counted attempt is a row until it is too old to matter, so there are at most `limit` rows a key.
struct SQLiteRateLimitStore: RateLimitStore {
    let database: SQLiteDatabase

    func attempt(_ key: String, limit: Int, window: Int64, at now: Timestamp) async throws -> Int? {
        try await database.write { db in
            let start = now.adding(seconds: -window)
            try db.run("DELETE FROM attempts WHERE expires_at <= ?", [now.milliseconds])
            let counted = try db.all(
                "SELECT at FROM attempts WHERE key = ? AND at > ? ORDER BY at DESC LIMIT ?", [key, start.milliseconds, limit]
            ) { $0.timestamp(0) }
            if counted.count >= limit, let oldest = counted.last {
                let wait = oldest.adding(seconds: window).milliseconds - now.milliseconds
                return max(1, Int((wait + 999) / 1000))
            }
            try db.run(
                "INSERT INTO attempts (key, at, expires_at) VALUES (?, ?, ?)",
                [key, now.milliseconds, now.adding(seconds: window).milliseconds])
            return nil
        }
    }
}
