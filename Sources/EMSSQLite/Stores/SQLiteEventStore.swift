import EMSCore
import GRDB

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

struct SQLiteEventStore: EventStore {
    let database: SQLiteDatabase

    private static let columnNames = Event.fields.flatMap(\.columns)
    /// Those of `events e`, as ``event(_:)`` reads them.
    static let columns = columnNames.map { "e." + $0 }.joined(separator: ", ")

    func insert(_ event: Event, change: Change, idempotency: IdempotencyKey?) async throws -> InsertOutcome {
        try await database.write { db in
            if let idempotency {
                if let earlier = try Self.repetition(of: idempotency, at: event.createdAt, in: db) { return earlier }
                try db.run(
                    "INSERT OR REPLACE INTO idempotency_keys (owner, key, fingerprint, event_id, created_at) VALUES (?, ?, ?, ?, ?)",
                    [
                        idempotency.owner, idempotency.key, Data(idempotency.fingerprint), event.id.description,
                        event.createdAt.milliseconds,
                    ])
            }
            guard try Self.insertRow(of: event, in: db) else { throw EMSError(.exists, "event \(event.id) already exists") }
            try SQLiteJournal.append(change, in: db)
            return .inserted
        }
    }

    func insert(_ batch: [(event: Event, change: Change)]) async throws -> Set<EventID> {
        try await database.write { db in
            try db.execute(sql: Self.batchTables)
            var twins: Set<EventID> = []
            var changes: [(event: EventID, change: Change)] = []
            for (event, change) in batch {
                guard try db.run(Self.batchInsertion, Self.values(of: event)) > 0 else {
                    twins.insert(event.id)
                    continue
                }
                for tag in event.tags {
                    try db.run(Self.batchTagInsertion, Self.values(of: tag, event))
                }
                changes.append((event.id, change))
            }
            let known: [EventID] = try db.all(Self.takenOfBatch) { try $0.id(0) }
            for id in known {
                try db.run("DELETE FROM temp.batch_events WHERE id = ?", [id.description])
                try db.run("DELETE FROM temp.batch_tags WHERE event_id = ?", [id.description])
            }
            // One statement for all: at the end of each, the full-text index writes what it has gathered. In the order of the
            // beginnings, which most indexes have in front, neighbours share the pages that are written.
            try db.run(
                "INSERT INTO events (\(Self.insertedColumns)) SELECT \(Self.insertedColumns) FROM temp.batch_events ORDER BY start_time")
            try db.run(
                "INSERT INTO event_tags (\(Self.tagColumns)) SELECT \(Self.tagColumns) FROM temp.batch_tags ORDER BY tag, start_time")
            let taken = Set(known)
            try SQLiteJournal.append(changes.filter { !taken.contains($0.event) }.map(\.change), in: db)
            return taken.union(twins)
        }
    }

    /// Where a batch stands before it is stored as a whole.
    private static let batchTables = """
        CREATE TEMP TABLE IF NOT EXISTS batch_events (\(insertedColumns), PRIMARY KEY (id), UNIQUE (import_key));
        CREATE TEMP TABLE IF NOT EXISTS batch_tags (tag, start_time, event_id, created_at);
        CREATE INDEX IF NOT EXISTS temp.batch_tags_event ON batch_tags (event_id);
        DELETE FROM temp.batch_events;
        DELETE FROM temp.batch_tags;
        """

    private static let takenOfBatch = """
        SELECT id FROM temp.batch_events b WHERE EXISTS (SELECT 1 FROM main.events e WHERE e.id = b.id)
            OR (b.import_key IS NOT NULL AND EXISTS (SELECT 1 FROM main.events e WHERE e.import_key = b.import_key AND e.import_key IS NOT NULL))
        """

    private static let insertedColumns = columnNames.joined(separator: ", ")
    private static let placeholders = columnNames.map { _ in "?" }.joined(separator: ", ")
    private static let tagColumns = "tag, start_time, event_id, created_at"

    private static let insertion = insertion(into: "events")
    private static let batchInsertion = insertion(into: "temp.batch_events")
    private static let tagInsertion = tagInsertion(into: "event_tags")
    private static let batchTagInsertion = tagInsertion(into: "temp.batch_tags")

    private static func insertion(into table: String) -> String {
        "INSERT INTO \(table) (\(insertedColumns)) VALUES (\(placeholders)) ON CONFLICT DO NOTHING"
    }

    private static func tagInsertion(into table: String) -> String { "INSERT INTO \(table) (\(tagColumns)) VALUES (?, ?, ?, ?)" }

    private static func values(of event: Event) -> StatementArguments { Event.fields.arguments(of: event) }

    private static func values(of tag: String, _ event: Event) -> StatementArguments {
        [tag, event.startTime.milliseconds, event.id.description, event.createdAt.milliseconds]
    }

    /// - Returns: `false` where the id or the import key is taken.
    static func insertRow(of event: Event, in db: Database) throws -> Bool {
        guard try db.run(insertion, values(of: event)) > 0 else { return false }
        try insertTags(of: event, in: db)
        return true
    }

    func outcome(of key: IdempotencyKey, at now: Timestamp) async throws -> InsertOutcome? {
        try await database.read { db in try Self.repetition(of: key, at: now, in: db) }
    }

    private static let changing = Event.fields.filter { !$0.isFixed }
    private static let update =
        "UPDATE events SET \(changing.flatMap(\.columns).map { $0 + " = ?" }.joined(separator: ", ")) WHERE id = ? AND version = ?"

    func update(_ event: Event, expecting expected: Int, change: Change) async throws {
        try await database.write { db in
            let key = [event.id.description.databaseValue, expected.databaseValue]
            let changed = try db.run(Self.update, Self.changing.arguments(of: event, key))
            guard changed > 0 else { throw try Self.conflict(event.id, in: db) }
            try db.run("DELETE FROM event_tags WHERE event_id = ?", [event.id.description])
            try Self.insertTags(of: event, in: db)
            try SQLiteJournal.append(change, in: db)
        }
    }

    func delete(_ id: EventID, expecting expected: Int, change: Change) async throws {
        try await database.write { db in
            // No tombstone is needed: the entry of the journal holds the event, and is stored by this same transaction.
            guard try db.run("DELETE FROM events WHERE id = ? AND version = ?", [id.description, expected]) > 0 else {
                throw try Self.conflict(id, in: db)
            }
            try db.run("DELETE FROM event_tags WHERE event_id = ?", [id.description])
            try SQLiteJournal.append(change, in: db)
        }
    }

    func event(id: EventID) async throws -> Event? {
        try await database.read { try Self.event(id, in: $0) }
    }

    static func event(_ id: EventID, in db: Database) throws -> Event? {
        try db.first("SELECT \(columns) FROM events e WHERE e.id = ?", [id.description]) { try event($0) }
    }

    func events(ids: [EventID]) async throws -> [Event] {
        try await database.read { db in
            let names = String(decoding: JSONValue.array(ids.map { .string($0.description) }).json(), as: UTF8.self)
            return try db.all(
                "SELECT \(Self.columns) FROM json_each(?) ids JOIN events e ON e.id = ids.value", [names]
            ) { try Self.event($0) }
        }
    }

    func events(importKeys: [ImportKey]) async throws -> [Event] {
        try await database.read { db in
            try importKeys.compactMap { key in
                try db.first("SELECT \(Self.columns) FROM events e WHERE e.import_key = ?", [Data(key.bytes)]) { try Self.event($0) }
            }
        }
    }

    func ids(beginningWith digits: String, limit: Int) async throws -> [EventID] {
        try await database.read { db in
            try db.all("SELECT id FROM events WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", [digits, digits + Self.beyond, limit]) {
                try $0.id(0)
            }
        }
    }

    /// The counts that are kept of each tag are in the order of the tags.
    func tags(beginningWith text: String, limit: Int) async throws -> [String] {
        try await database.read { db in
            try db.all(
                "SELECT value FROM row_counts WHERE dimension = 'events.tag' AND value >= ? AND value < ? ORDER BY value LIMIT ?",
                [text, text + Self.beyond, limit]
            ) { try $0.text(0) }
        }
    }

    /// Comes after everything that a text can go on with.
    static let beyond = "\u{10FFFF}"

    func events(_ query: EventQuery) async throws -> EventPage {
        try await database.read { db in
            query.isSearch ? try EventSearch(query).run(in: db) : try EventListing(query).run(in: db)
        }
    }

    func scheduledEvents(endedBefore moment: Timestamp, limit: Int) async throws -> [Event] {
        try await database.read { db in
            try db.all(
                """
                SELECT \(Self.columns) FROM events e INDEXED BY events_over
                WHERE e.status = 'scheduled' AND e.end_time < ? ORDER BY e.end_time LIMIT ?
                """,
                [moment.milliseconds, limit]
            ) { try Self.event($0) }
        }
    }

    func forgetIdempotencyKeys(before moment: Timestamp) async throws {
        try await database.write { db in
            _ = try db.run("DELETE FROM idempotency_keys WHERE created_at < ?", [moment.milliseconds])
        }
    }

    static func event(_ row: Row) throws -> Event {
        var fields = FieldRow(row)
        return try Event(from: &fields)
    }

    private static func insertTags(of event: Event, in db: Database) throws {
        for tag in event.tags { try db.run(tagInsertion, values(of: tag, event)) }
    }

    private static func repetition(of key: IdempotencyKey, at now: Timestamp, in db: Database) throws -> InsertOutcome? {
        let alive = now.adding(seconds: -IdempotencyKey.lifetimeSeconds)
        return try db.first(
            "SELECT fingerprint, event_id FROM idempotency_keys WHERE owner = ? AND key = ? AND created_at >= ?",
            [key.owner, key.key, alive.milliseconds]
        ) { row in
            Array(try row.data(0)) == key.fingerprint ? .repeated(try row.id(1)) : .keyReused
        }
    }

    private static func conflict(_ id: EventID, in db: Database) throws -> EMSError {
        guard let version = try db.integer("SELECT version FROM events WHERE id = ?", [id.description]) else {
            return EMSError.notFound("event", id)
        }
        return EMSError(.versionConflict, "the event has version \(version) by now", fix: "read it again and repeat the change")
    }
}
