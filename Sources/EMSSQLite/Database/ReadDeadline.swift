import EMSCore
import GRDB
import GRDBSQLite

extension Database {
    /// After so many instructions of its virtual machine, SQLite asks whether to go on.
    private static let instructions: Int32 = 4000

    /// Runs `body`; a statement that is still running after `limit` ends with `SQLITE_INTERRUPT`.
    func interrupted<Value>(after limit: Duration, _ body: () throws -> Value) throws -> Value {
        var deadline = ContinuousClock.now + limit
        return try withUnsafeMutablePointer(to: &deadline) { pointer in
            sqlite3_progress_handler(
                sqliteConnection, Self.instructions,
                { pointer in
                    guard let deadline = pointer?.assumingMemoryBound(to: ContinuousClock.Instant.self).pointee else { return 0 }
                    return ContinuousClock.now > deadline ? 1 : 0
                }, pointer)
            // Taken away before the deadline is gone from the stack.
            defer { sqlite3_progress_handler(sqliteConnection, 0, nil, nil) }
            return try body()
        }
    }
}
