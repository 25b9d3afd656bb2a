import EMSCore
import Foundation
import GRDB
import StoreConformance
import Testing

@testable import EMSSQLite

@Suite("The database file")
struct DatabaseFileTests {
    static let modes: [SQLiteDatabase.Mode] = [.command, .daemon]

    @Test("A new file is for its owner only, and so are its directory and SQLite's own files", arguments: modes)
    func permissions(mode: SQLiteDatabase.Mode) async throws {
        try await withTemporaryDirectory { directory in
            let home = directory.appendingPathComponent("deep/inside")
            let path = home.appendingPathComponent("ems.sqlite").path
            let backend = try SQLiteBackend(path: path, mode: mode)
            try await backend.stores.users.insert(Samples.user("alice"), passwordHash: "x")
            #expect(try permissions(of: home.path) == 0o700)
            #expect(try permissions(of: directory.appendingPathComponent("deep").path) == 0o700)
            let files = try FileManager.default.contentsOfDirectory(atPath: home.path)
            #expect(files.contains("ems.sqlite"))
            for file in files { #expect(try permissions(of: home.appendingPathComponent(file).path) == 0o600, "\(file)") }
            try await backend.database.ping()
        }
    }

    @Test("An empty file becomes a database, and what is stored is there at the next opening", arguments: modes)
    func emptyFile(mode: SQLiteDatabase.Mode) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appendingPathComponent("ems.sqlite").path
            try Data().write(to: URL(fileURLWithPath: path))
            let user = Samples.user("alice")
            try await SQLiteBackend(path: path, mode: mode).stores.users.insert(user, passwordHash: "x")
            let again = try SQLiteBackend(path: path, mode: mode)
            #expect(try await again.stores.users.user(id: user.id) == user)
        }
    }

    @Test("A file that is no database is refused and left as it was", arguments: modes)
    func noDatabase(mode: SQLiteDatabase.Mode) async throws {
        try await withTemporaryDirectory { directory in
            for text in ["hello", String(repeating: "These are my notes, not yours.\n", count: 500)] {
                let file = directory.appendingPathComponent("notes-\(text.count).txt")
                try Data(text.utf8).write(to: file)
                await expectFailure(.storeCorrupt) { try SQLiteBackend(path: file.path, mode: mode) }
                #expect(try Data(contentsOf: file) == Data(text.utf8))
            }
        }
    }

    @Test("A damaged database is said to be damaged", arguments: modes)
    func damaged(mode: SQLiteDatabase.Mode) async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appendingPathComponent("ems.sqlite")
            try await fill(file.path)
            var bytes = try Data(contentsOf: file)
            try #require(bytes.count > 8192)
            // The header stays whole; every page after the first is rubbish.
            bytes.replaceSubrange(4096..., with: [UInt8](repeating: 0xA5, count: bytes.count - 4096))
            try bytes.write(to: file)
            await expectFailure(.storeCorrupt) {
                let backend = try SQLiteBackend(path: file.path, mode: mode)
                try await backend.database.ping()
                _ = try await backend.stores.users.users(UserQuery())
            }
        }
    }

    @Test("A database that was cut off is said to be damaged", arguments: modes)
    func truncated(mode: SQLiteDatabase.Mode) async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appendingPathComponent("ems.sqlite")
            try await fill(file.path)
            let bytes = try Data(contentsOf: file)
            try #require(bytes.count > 8192)
            try bytes.prefix(8192).write(to: file)
            await expectFailure(.storeCorrupt) {
                let backend = try SQLiteBackend(path: file.path, mode: mode)
                try await backend.database.ping()
                _ = try await backend.stores.users.users(UserQuery())
            }
        }
    }

    @Test("Another program's database is refused and left as it was", arguments: modes)
    func foreign(mode: SQLiteDatabase.Mode) async throws {
        try await withTemporaryDirectory { directory in
            let statements = [
                "CREATE TABLE bookmarks (url TEXT)", "PRAGMA user_version = 1; CREATE TABLE users (id)",
                "PRAGMA application_id = 77; CREATE TABLE events (id)", "PRAGMA user_version = 3",
            ]
            for (number, sql) in statements.enumerated() {
                let file = directory.appendingPathComponent("other-\(number).sqlite")
                try await DatabaseQueue(path: file.path).write { try $0.execute(sql: sql) }
                let before = try Data(contentsOf: file)
                await expectFailure(.storeCorrupt) { try SQLiteBackend(path: file.path, mode: mode) }
                #expect(try Data(contentsOf: file) == before, "\(sql)")
            }
        }
    }

    @Test("A database of a newer version is refused and left as it was", arguments: modes)
    func newer(mode: SQLiteDatabase.Mode) async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appendingPathComponent("ems.sqlite")
            try await fill(file.path)
            try DatabaseQueue(path: file.path).inDatabase { try $0.execute(sql: "PRAGMA user_version = \(Schema.steps.count + 1)") }
            let before = try Data(contentsOf: file)
            await expectFailure(.storeTooNew) { try SQLiteBackend(path: file.path, mode: mode) }
            #expect(try Data(contentsOf: file) == before)
        }
    }

    @Test("A place where no file can be is refused with a reason", arguments: modes)
    func impossiblePlaces(mode: SQLiteDatabase.Mode) async throws {
        try await withTemporaryDirectory { directory in
            await expectFailure(.permission) { try SQLiteBackend(path: directory.path, mode: mode) }
            let file = directory.appendingPathComponent("file")
            try Data().write(to: file)
            await expectFailure(.permission) { try SQLiteBackend(path: file.appendingPathComponent("ems.sqlite").path, mode: mode) }
        }
    }

    @Test("Many that open a new file at once all succeed, and share it", arguments: 0..<8)
    func concurrentFirstOpens(round: Int) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appendingPathComponent("new/ems.sqlite").path
            let results = await concurrently(8) { index in
                let backend = try SQLiteBackend(path: path, mode: index.isMultiple(of: 2) ? .daemon : .command)
                try await backend.stores.users.insert(Samples.user("user\(index)"), passwordHash: "x")
            }
            for result in results { try result.get() }
            let backend = try SQLiteBackend(path: path, mode: .command)
            #expect(try await backend.stores.users.users(UserQuery()).total == Total(count: 8))
        }
    }

    @Test("What one opening writes, another sees at once, and hears of")
    func twoOpenings() async throws {
        try await withTwoBackends { one, two in
            let listener = try await Listener(two.feed)
            defer { listener.stop() }
            let user = Samples.user("alice")
            try await one.stores.users.insert(user, passwordHash: "x")
            #expect(try await two.stores.users.user(login: "ALICE") == user)
            var recorded: [RecordedNotification] = []
            for _ in 0..<20 {
                recorded += try await one.stores.notifications.record([Samples.created()])
                let unread = try await two.stores.notifications.unreadCount(of: user.id)
                #expect(unread == recorded.count)
            }
            #expect(try await listener.heard(20) == recorded)
        }
    }

    @Test("Two openings that record at once are heard by both, in one order")
    func twoWriters() async throws {
        try await withTwoBackends { one, two in
            let listeners = [try await Listener(one.feed), try await Listener(two.feed)]
            defer { for listener in listeners { listener.stop() } }
            async let first = recorded(30, by: one)
            async let second = recorded(30, by: two)
            let all = try await (first + second).sorted { $0.position < $1.position }
            for listener in listeners { #expect(try await listener.heard(60) == all) }
        }
    }

    @Test("Who waits for changes in one opening is woken by another's write")
    func wokenByAnother() async throws {
        try await withTwoBackends { one, two in
            let waiter = Task { try await two.queue(of: .inbox).receive(limit: 10, waiting: true) }
            let event = Samples.event()
            let change = Samples.change(.created, event)
            _ = try await one.stores.events.insert(event, change: change, idempotency: nil)
            #expect(try await waiter.value.map(\.change) == [change])
        }
    }

    @Test("Rate limits are shared between openings")
    func sharedCounts() async throws {
        try await withTwoBackends { one, two in
            let first = try await one.stores.rateLimits.attempt("k", limit: 1, window: 60, at: Samples.epoch)
            #expect(first.isGranted)
            #expect(try await two.stores.rateLimits.attempt("k", limit: 1, window: 60, at: Samples.epoch).resetSeconds == 60)
        }
    }

    @Test("A schema that another process keeps changing fails no write")
    func schemaChanges() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appendingPathComponent("ems.sqlite").path
            try await fill(path)
            let other = try SQLiteDatabase(path: path, mode: .daemon)
            let changing = Task {
                while !Task.isCancelled {
                    try await other.connection.write { try $0.execute(sql: "CREATE TABLE passing (id); DROP TABLE passing") }
                }
            }
            for index in 0..<200 {
                let backend = try SQLiteBackend(path: path, mode: .command)
                let event = Samples.event("Concert \(index)")
                let change = Samples.change(.created, event)
                #expect(try await backend.stores.events.insert(event, change: change, idempotency: nil) == .inserted)
            }
            changing.cancel()
            _ = await changing.result
            #expect(try await SQLiteBackend(path: path, mode: .command).stores.events.events(EventQuery()).total.count == 200)
        }
    }

    // MARK: Shared

    private func withTwoBackends(_ body: (SQLiteBackend, SQLiteBackend) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appendingPathComponent("ems.sqlite").path
            try await body(try SQLiteBackend(path: path, mode: .daemon), try SQLiteBackend(path: path, mode: .daemon))
        }
    }

    private func recorded(_ count: Int, by backend: SQLiteBackend) async throws -> [RecordedNotification] {
        var recorded: [RecordedNotification] = []
        for _ in 0..<count { recorded += try await backend.stores.notifications.record([Samples.created()]) }
        return recorded
    }

    /// Makes a database with something in it, all of it in the one file.
    private func fill(_ path: String) async throws {
        let backend = try SQLiteBackend(path: path, mode: .command)
        for index in 0..<50 { try await backend.stores.users.insert(Samples.user("user\(index)"), passwordHash: "x") }
        try await backend.database.connection.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
        try backend.database.connection.close()
    }

    private func permissions(of path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        let permissions = try #require(attributes[.posixPermissions] as? NSNumber)
        return permissions.intValue & 0o777
    }
}
