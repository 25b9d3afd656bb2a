import EMSCore
import Foundation
import StoreConformance
import Testing

@testable import EMSSQLite

/// The file itself says whether what was read still holds.
@Suite("The states of a file's parts")
struct StoreWatchTests {
    private static func states(_ backend: SQLiteBackend) throws -> [StorePart: StoreState] {
        let watch = try #require(backend.stores.watch)
        return Dictionary(uniqueKeysWithValues: try StorePart.allCases.map { ($0, try #require(watch.state(of: $0))) })
    }

    @Test("A write of this process changes the parts that it writes to, and no others")
    func ownWrites() async throws {
        try await withBackend { backend in
            let stores = backend.stores
            func expect(_ parts: Set<StorePart>, _ what: String, _ write: () async throws -> Void) async throws {
                let before = try Self.states(backend)
                #expect(try Self.states(backend) == before, "looking changes nothing")
                try await write()
                let after = try Self.states(backend)
                #expect(Set(StorePart.allCases.filter { before[$0] != after[$0] }) == parts, "\(what)")
            }
            let user = Samples.user("ada")
            let event = Samples.event()
            // Who is new has an empty inbox.
            try await expect([.identities, .inboxes], "a user") { try await stores.users.insert(user, passwordHash: "") }
            try await expect([.events], "an event") {
                _ = try await stores.events.insert(event, change: Samples.change(.created, event), idempotency: nil)
            }
            try await expect([.identities], "a session") {
                let version = try #require(try await stores.users.credentials(id: user.id)?.version)
                _ = try await stores.tokens.open(Samples.session(of: user.id), refreshToken: nil, verified: version, by: Samples.author)
            }
            try await expect([.inboxes], "a subscription") {
                _ = try await stores.subscriptions.subscribe(user.id, to: event.id, by: Samples.author, at: Samples.epoch)
            }
            try await expect([], "an attempt to log in") {
                _ = try await stores.rateLimits.attempt("x", limit: 10, window: 60, at: Samples.epoch)
            }
            try await expect([], "an entry of the journal") { try await stores.journal.record(Samples.change(.updated, event)) }
            try await expect([], "a write that is taken back") {
                try? await backend.database.write { db in
                    try db.run("UPDATE events SET title = 'x'")
                    throw CancellationError()
                }
            }
        }
    }

    /// A file that a daemon and a command have open.
    private static func withTwoProcesses(_ body: (_ daemon: SQLiteBackend, _ command: SQLiteBackend) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appendingPathComponent("ems.sqlite").path
            try await body(try SQLiteBackend(path: path, mode: .daemon), try SQLiteBackend(path: path, mode: .command))
        }
    }

    @Test("A write of another process may have changed anything")
    func otherProcess() async throws {
        try await Self.withTwoProcesses { backend, other in
            for _ in 0..<3 {
                let before = try Self.states(backend)
                let event = Samples.event()
                _ = try await other.stores.events.insert(event, change: Samples.change(.created, event), idempotency: nil)
                let after = try Self.states(backend)
                for part in StorePart.allCases { #expect(before[part] != after[part], "\(part)") }
                #expect(try Self.states(backend) == after)
            }
        }
    }

    @Test("While both write at once, a read that was stamped before a write is never taken for one after it")
    func bothAtOnce() async throws {
        try await Self.withTwoProcesses { backend, other in
            let watch = try #require(backend.stores.watch)
            let results = await concurrently(6) { task in
                for _ in 0..<60 {
                    if task < 3 {
                        let event = Samples.event()
                        let stores = task == 0 ? other.stores : backend.stores
                        _ = try await stores.events.insert(event, change: Samples.change(.created, event), idempotency: nil)
                    } else {
                        let state = watch.state(of: .events)
                        let first = try await backend.stores.journal.count(since: .init(milliseconds: 0))
                        let second = try await backend.stores.journal.count(since: .init(milliseconds: 0))
                        // Asked after both: if the state is the same still, nothing was written in between.
                        if let state, state == watch.state(of: .events) { #expect(first == second) }
                    }
                }
            }
            for result in results { try result.get() }
        }
    }

    @Test("Every table is known to the watch")
    func tables() async throws {
        try await withBackend { backend in
            let names = try await backend.database.read { db in
                try db.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") { try $0.text(0) }
            }
            // The tables behind a virtual one are written to by that alone.
            let own = names.filter { name in !SQLiteStoreWatch.indexes.contains(where: name.hasPrefix) }
            for name in own { #expect(SQLiteStoreWatch.parts[name] != nil, "\(name)") }
            for name in SQLiteStoreWatch.parts.keys { #expect(own.contains(name), "\(name) is no table") }
        }
    }
}
