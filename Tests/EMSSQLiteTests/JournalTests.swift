import EMSCore
import Foundation
import GRDB
import StoreConformance
import Testing

@testable import EMSSQLite

@Suite("The journal of the SQLite adapter")
struct JournalTests {
    private static let ada = User(username: "ada", email: "ada@example.com", createdAt: Samples.epoch)

    private static func created(_ event: Event, address: String = "192.0.2.7") -> Change {
        let source = ChangeSource(.http, address: address, requestID: "r")
        return .created(event, by: Principal(.user(ada), via: source), at: Samples.epoch)
    }

    private struct Row: Equatable {
        let position: Int64
        let entry: [UInt8]
        let hash: [UInt8]
    }

    private func rows(_ backend: SQLiteBackend) async throws -> [Row] {
        try await backend.database.read { db in
            try db.all("SELECT position, entry, hash FROM journal ORDER BY position") {
                Row(position: try $0.counter(0), entry: Array(try $0.data(1)), hash: Array(try $0.data(2)))
            }
        }
    }

    @Test("Positions have no gaps, and each hash is of the entry and the hash before it, however many write")
    func chain() async throws {
        try await withBackend { backend in
            let results = await concurrently(8) { writer in
                for number in 0..<10 {
                    let event = Samples.event("\(writer).\(number)")
                    _ = try await backend.stores.events.insert(event, change: Self.created(event), idempotency: nil)
                    let edited = Samples.edited(event)
                    try await backend.stores.events.update(edited, expecting: 1, change: Samples.change(.updated, edited))
                }
                let batch = (0..<5).map { Samples.event("\(writer) batch \($0)") }
                _ = try await backend.stores.events.insert(batch.map { (event: $0, change: Samples.quietChange($0)) })
            }
            for result in results { try result.get() }
            let rows = try await rows(backend)
            #expect(rows.map(\.position) == Array(1...200))
            var hash = JournalHash.start
            for row in rows {
                hash = hash.followed(by: JSONText(trusted: row.entry))
                #expect(row.hash == hash.bytes, "\(row.position)")
            }
        }
    }

    @Test("A write that fails leaves no entry behind")
    func rollback() async throws {
        try await withBackend { backend in
            let event = Samples.event()
            _ = try await backend.stores.events.insert(event, change: Self.created(event), idempotency: nil)
            await expectFailure(.exists) {
                try await backend.stores.events.insert(event, change: Self.created(event), idempotency: nil)
            }
            await expectFailure(.versionConflict) {
                try await backend.stores.events.update(event, expecting: 7, change: Samples.change(.updated, event))
            }
            await expectFailure(.versionConflict) {
                try await backend.stores.events.delete(event.id, expecting: 7, change: Samples.change(.deleted, event))
            }
            #expect(try await rows(backend).count == 1)
        }
    }

    @Test("An entry holds no name and no address, which are read from beside it, and can be erased without touching the chain")
    func personalTexts() async throws {
        try await withBackend { backend in
            let events = [Samples.event("A"), Samples.event("B")]
            let changes = events.map { Self.created($0) }
            for (event, change) in zip(events, changes) {
                _ = try await backend.stores.events.insert(event, change: change, idempotency: nil)
            }
            let before = try await rows(backend)
            for row in before {
                let text = String(decoding: row.entry, as: UTF8.self)
                #expect(!text.contains("\"ada\"") && !text.contains("192.0.2.7"), "\(text)")
            }
            #expect(try await backend.queue(of: .inbox).receive(limit: 10, waiting: false).map(\.change) == changes)
            // Each text is stored once.
            let texts = try await backend.database.read { db in
                try db.all("SELECT value FROM journal_texts ORDER BY value") { try $0.text(0) }
            }
            #expect(texts == ["192.0.2.7", "ada"])
            try await backend.database.write { db in
                _ = try db.run("DELETE FROM journal_texts WHERE person = ?", [Self.ada.id.description])
            }
            let read = try await backend.queue(of: .inbox).receive(limit: 10, waiting: false).compactMap(\.change)
            #expect(read.map(\.actor.name) == ["(erased)", "(erased)"])
            #expect(read.map(\.source.address) == ["(erased)", "(erased)"])
            #expect(try await rows(backend) == before)
        }
    }

    @Test("The canonical form of an entry is that of docs/journal.md")
    func canonicalForm() throws {
        let id = try #require(ChangeID("01a2233814e271d6b5c0717a57c117da"))
        let change = Change(
            id: id, subject: Subject(.event, "01a2233814ca727293e7cbc809e4e7ab"), action: .updated, version: 2,
            actor: Actor(kind: .user, id: "01a2233813d0733ebc3d5f74a232448f", name: "ada"),
            source: ChangeSource(.http, address: "192.0.2.7", requestID: "r"), timestamp: Timestamp(milliseconds: 1_900_000_000_000),
            before: JSONText(trusted: Array(#"{"location":"Wien"}"#.utf8)), after: JSONText(trusted: Array(#"{"location":"Graz"}"#.utf8)))
        let texts = change.personalTexts
        #expect(texts.map(\.value) == ["ada", "192.0.2.7"])
        let salt = [UInt8](repeating: 0, count: 16)
        let references = Dictionary(uniqueKeysWithValues: texts.map { ($0, $0.reference(salt: salt)) })
        let sealed = SealedChange(change, at: 7, references: references)
        #expect(
            sealed.canonical.text == #"""
                {"position":7,"change_id":"01a2233814e271d6b5c0717a57c117da","format":1,\#
                "subject":{"type":"event","id":"01a2233814ca727293e7cbc809e4e7ab"},"action":"updated","version":2,\#
                "actor":{"type":"user","id":"01a2233813d0733ebc3d5f74a232448f","name":"ref:b2de8b8d5241cc57db90fb9fd499cd1e"},\#
                "source":{"kind":"http","address":"ref:9a3ea965273e99f5ec5d792b66ad038c","request_id":"r"},\#
                "timestamp":"2030-03-17T17:46:40.000Z","before":{"location":"Wien"},"after":{"location":"Graz"}}
                """#)
        // By hashlib of Python.
        #expect(references[texts[0]] == "ref:b2de8b8d5241cc57db90fb9fd499cd1e")
        #expect(
            JournalHash.start.followed(by: sealed.canonical).description
                == "5e11b320834bbd773a854f0a2bce44669e051afc141c8c801716e0e49041ac6b")
    }

    @Test("A store of an earlier version keeps what was pending, queued and dead, each once")
    func migration() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appendingPathComponent("ems.sqlite").path
            let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
                "../Fixtures/store-0.1.0/ems.db")
            try FileManager.default.copyItem(at: source.standardized, to: URL(fileURLWithPath: path))
            let event = Samples.event("Pending")
            let queued = Samples.event("Queued")
            let body: @Sendable (Event) -> String = { event in
                #"{"type":"event","action":"created","actor":"ada","timestamp":"2026-03-01T09:00:00.000Z","data":"#
                    + String(decoding: event.json(), as: UTF8.self) + "}"
            }
            let old = try DatabaseQueue(path: path)
            let (waiting, unread, pending) = try await old.write { db in
                let waiting = try Int.fetchOne(db, sql: "SELECT count(*) FROM broker_messages") ?? 0
                let pending = try Int.fetchOne(db, sql: "SELECT count(*) FROM pending_changes") ?? 0
                let unread = try Int.fetchOne(db, sql: "SELECT count(*) FROM notifications") ?? 0
                try db.execute(
                    sql: "INSERT INTO pending_changes VALUES (?, ?, 0), ('zz', x'00', 0)",
                    arguments: [ChangeID().description, Data(body(event).utf8)])
                try db.execute(
                    sql: "INSERT INTO broker_messages (message_id, routing_key, body) VALUES (?, 'event.created', ?)",
                    arguments: [ChangeID().description, Data(body(queued).utf8)])
                try db.execute(sql: "INSERT INTO broker_dead_letters VALUES (99, 'dead', 'event.created', '{}', 3, 'bad', 1)")
                return (waiting, unread, pending)
            }
            try old.close()
            let backend = try SQLiteBackend(path: path, mode: .daemon)
            let notifications = NotificationService(stores: backend.stores, feed: backend.feed)
            let consumer = ChangeConsumer(
                .inbox, queue: backend.queue(of: .inbox), handler: InboxHandler(notifications), logger: Way.logger)
            #expect(try await backend.stores.outbox.pendingStatus().count == pending + 1)
            #expect(try await consumer.drain() == pending + waiting + 2)
            let letters = try await backend.brokerAdministration.deadLetters(of: .inbox, limit: 10)
            #expect(letters.map(\.message.messageID).sorted() == ["dead", "zz"])
            let stream = try await backend.stores.notifications.notifications(after: 0, limit: 1000)
            #expect(stream.count == unread + pending + waiting + 2)
            let titles = Set(stream.compactMap { $0.notification.event?.title })
            #expect(titles.isSuperset(of: ["Pending", "Queued"]))
        }
    }
}
