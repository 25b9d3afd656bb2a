import EMSCore
import GRDB

struct SQLiteLoginStore: LoginStore {
    let database: SQLiteDatabase

    func begin(_ account: String, from address: String, at now: Timestamp) async throws -> LoginAdmission {
        try await database.write { db in
            let known = "SELECT 1 FROM login_addresses WHERE account = ? AND address = ?"
            if try db.first(known, [account, address], { _ in true }) != nil { return .admitted }
            try db.run("DELETE FROM login_accounts WHERE expires_at <= ?", [now.milliseconds])
            let earlier = try Self.failures(of: account, in: db)
            if let earlier, earlier.isLocked(at: now) { return .locked(until: earlier.lockedUntil) }
            let count = (earlier?.count ?? 0) + 1
            try db.run(
                """
                INSERT OR REPLACE INTO login_accounts (account, failures, last_failure_at, last_address, locked_until, expires_at)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
                [
                    account, count, now.milliseconds, address, now.adding(seconds: LoginDelay.seconds(after: count)).milliseconds,
                    now.adding(seconds: LoginDelay.memorySeconds).milliseconds,
                ])
            return .admitted
        }
    }

    func succeed(_ account: String, from address: String, at now: Timestamp) async throws {
        try await database.write { db in
            try db.run("DELETE FROM login_accounts WHERE account = ?", [account])
            try db.run(
                "INSERT OR REPLACE INTO login_addresses (account, address, seen_at) VALUES (?, ?, ?)",
                [account, address, now.milliseconds])
            try db.run(
                """
                DELETE FROM login_addresses WHERE account = ?1 AND address IN
                    (SELECT address FROM login_addresses WHERE account = ?1 ORDER BY seen_at DESC LIMIT -1 OFFSET ?2)
                """, [account, LoginDelay.addressLimit])
        }
    }

    func failures(of account: String, at now: Timestamp) async throws -> LoginFailures? {
        try await database.read { db in
            guard let failures = try Self.failures(of: account, in: db),
                failures.last > now.adding(seconds: -LoginDelay.memorySeconds)
            else { return nil }
            return failures
        }
    }

    func clear(_ account: String) async throws -> Bool {
        try await database.write { db in try db.run("DELETE FROM login_accounts WHERE account = ?", [account]) > 0 }
    }

    private static func failures(of account: String, in db: Database) throws -> LoginFailures? {
        try db.first(
            "SELECT failures, last_failure_at, last_address, locked_until FROM login_accounts WHERE account = ?", [account]
        ) {
            LoginFailures(
                count: Int(try $0.counter(0)), last: try $0.timestamp(1), lastAddress: try $0.text(2), lockedUntil: try $0.timestamp(3))
        }
    }
}
