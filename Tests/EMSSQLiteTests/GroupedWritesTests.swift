import EMSCore
import GRDB
import StoreConformance
import Synchronization
import Testing

@testable import EMSSQLite

/// Writes of a daemon that share a transaction.
@Suite("Grouped writes")
struct GroupedWritesTests {
    private struct Refused: Error {}

    @Test("Of many at once, each is stored or not by itself, and those that were answered are there")
    func eachByItself() async throws {
        try await withBackend { backend in
            let database = backend.database
            let results = await concurrently(300) { number in
                try await database.write { db in
                    try db.run("INSERT INTO attempts (key, at, expires_at) VALUES (?, 0, 0)", ["\(number)"])
                    if number % 3 == 0 { throw Refused() }
                    // A constraint ends a statement, and not the transaction.
                    if number % 3 == 1 { try? db.execute(sql: "INSERT INTO stream VALUES (1, 0, 0, 0)") }
                }
            }
            #expect(results.count { if case .failure(let error) = $0 { error is Refused } else { false } } == 100)
            #expect(results.count { if case .success = $0 { true } else { false } } == 200)
            let stored = try await database.read { db in try db.all("SELECT key FROM attempts WHERE key >= ''", []) { try $0.text(0) } }
            #expect(Set(stored) == Set((0..<300).filter { $0 % 3 != 0 }.map { "\($0)" }) && stored.count == 200)
        }
    }

    @Test("When the transaction is lost, as on a full disk, the other writes are stored, and only the failed one throws")
    func lostTransaction() async throws {
        try await withBackend { backend in
            let database = backend.database
            try await database.write { db in
                try db.execute(
                    sql: """
                        CREATE TRIGGER fault BEFORE INSERT ON attempts WHEN new.key LIKE '%7'
                        BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END
                        """)
            }
            let answered = Mutex<Set<String>>([])
            _ = await concurrently(300) { number in
                _ = try await database.write { db in
                    try db.run("INSERT INTO attempts (key, at, expires_at) VALUES (?, 0, 0)", ["\(number)"])
                }
                answered.withLock { _ = $0.insert("\(number)") }
            }
            let stored = try await database.read { db in try db.all("SELECT key FROM attempts WHERE key >= ''", []) { try $0.text(0) } }
            #expect(Set(stored) == answered.withLock { $0 } && stored.count == Set(stored).count)
            #expect(Set(stored) == Set((0..<300).map { "\($0)" }.filter { !$0.hasSuffix("7") }))
            try await database.write { db in try db.execute(sql: "DROP TRIGGER fault") }
            #expect(try await database.write { db in try db.run("INSERT INTO attempts (key, at, expires_at) VALUES ('7', 0, 0)") } == 1)
        }
    }
}
