import EMSCore
import GRDB

/// A transaction over many writes of one command, each of which is a savepoint in it.
struct SQLiteTransaction: StoreTransaction {
    let database: SQLiteDatabase

    func begin() async throws {
        try await run { try $0.beginTransaction(.immediate) }
    }

    func commit() async throws {
        try await run { try $0.commit() }
        database.watcher.changed()
    }

    func rollBack() async throws {
        // A full disk, for one, has rolled back by itself.
        try await run { if $0.isInsideTransaction { try $0.rollback() } }
    }

    private func run(_ body: @escaping @Sendable (Database) throws -> Void) async throws {
        do {
            try await database.connection.writeWithoutTransaction(body)
        } catch {
            throw SQLiteDatabase.described(error, path: database.path)
        }
    }
}

extension Database {
    /// Runs `body` in a transaction of its own, or as a part of the one that is open, of which nothing is stored if it fails.
    func part<Value>(_ body: (Database) throws -> Value) throws -> Value {
        var value: Value?
        let isPart = isInsideTransaction
        let run =
            {
                value = try body(self)
                return TransactionCompletion.commit
            } as () throws -> TransactionCompletion
        if isPart { try inSavepoint(run) } else { try inTransaction(.immediate, run) }
        guard let value else { throw DatabaseError(message: "the transaction was rolled back") }
        return value
    }
}
