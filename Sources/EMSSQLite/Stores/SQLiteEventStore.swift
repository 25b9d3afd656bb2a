import EMSCore
import GRDB

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

struct SQLiteEventStore: EventStore {
    let database: SQLiteDatabase

    static let columns = """
        e.id, e.title, e.description, e.location, e.tags, e.start_time, e.end_time, e.created_by, e.max_attendees, e.status, \
        e.attachment_url, e.latitude, e.longitude, e.created_at, e.updated_at, e.version, \
        e.origin, e.import_key
        """

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
                guard try db.run(Self.insertion(into: "temp.batch_events"), Self.values(of: event)) > 0 else {
                    twins.insert(event.id)
                    continue
                }
                for tag in event.tags {
                    try db.run(Self.tagInsertion(into: "temp.batch_tags"), Self.values(of: tag, event))
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
        CREATE TEMP TABLE IF NOT EXISTS batch_events (
            id TEXT PRIMARY KEY, title, description, location, tags, start_time, end_time, created_by, max_attendees, status, attachment_url,
            latitude, longitude, created_at, updated_at, version, origin, import_key UNIQUE
        );
        CREATE TEMP TABLE IF NOT EXISTS batch_tags (tag, start_time, event_id, created_at);
        CREATE INDEX IF NOT EXISTS temp.batch_tags_event ON batch_tags (event_id);
        DELETE FROM temp.batch_events;
        DELETE FROM temp.batch_tags;
        """

    private static let takenOfBatch = """
        SELECT id FROM temp.batch_events b WHERE EXISTS (SELECT 1 FROM main.events e WHERE e.id = b.id)
            OR (b.import_key IS NOT NULL AND EXISTS (SELECT 1 FROM main.events e WHERE e.import_key = b.import_key AND e.import_key IS NOT NULL))
        """

    private static let insertedColumns = """
        id, title, description, location, tags, start_time, end_time, created_by, max_attendees, status, attachment_url, latitude, longitude, \
        created_at, updated_at, version, origin, import_key
        """
    private static let tagColumns = "tag, start_time, event_id, created_at"

    private static func insertion(into table: String) -> String {
        "INSERT INTO \(table) (\(insertedColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
    }

    private static func tagInsertion(into table: String) -> String { "INSERT INTO \(table) (\(tagColumns)) VALUES (?, ?, ?, ?)" }

    private static func values(of event: Event) -> StatementArguments {
        [
            event.id.description, event.title, event.description, event.location, event.tags.joined(separator: ","),
            event.startTime.milliseconds, event.endTime.milliseconds, event.createdBy, event.maxAttendees, event.status.rawValue,
            event.attachmentURL, event.coordinates?.latitude, event.coordinates?.longitude, event.createdAt.milliseconds,
            event.updatedAt.milliseconds, event.version, event.origin.map(text), event.importKey.map { Data($0.bytes) },
        ]
    }

    private static func values(of tag: String, _ event: Event) -> StatementArguments {
        [tag, event.startTime.milliseconds, event.id.description, event.createdAt.milliseconds]
    }

    /// - Returns: `false` where the id or the import key is taken.
    static func insertRow(of event: Event, in db: Database) throws -> Bool {
        guard try db.run(insertion(into: "events"), values(of: event)) > 0 else { return false }
        try insertTags(of: event, in: db)
        return true
    }

    func outcome(of key: IdempotencyKey, at now: Timestamp) async throws -> InsertOutcome? {
        try await database.read { db in try Self.repetition(of: key, at: now, in: db) }
    }

    func update(_ event: Event, expecting expected: Int, change: Change) async throws {
        try await database.write { db in
            let changed = try db.run(
                """
                UPDATE events SET title = ?, description = ?, location = ?, tags = ?, start_time = ?, end_time = ?, max_attendees = ?,
                    status = ?, attachment_url = ?, latitude = ?, longitude = ?, updated_at = ?, version = ?, origin = ?
                WHERE id = ? AND version = ?
                """,
                [
                    event.title, event.description, event.location, event.tags.joined(separator: ","), event.startTime.milliseconds,
                    event.endTime.milliseconds, event.maxAttendees, event.status.rawValue, event.attachmentURL,
                    event.coordinates?.latitude, event.coordinates?.longitude, event.updatedAt.milliseconds, event.version,
                    event.origin.map(Self.text), event.id.description, expected,
                ])
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
        Event(
            id: try row.id(0), title: try row.text(1), description: try row.text(2), location: try row.text(3),
            startTime: try row.timestamp(5), endTime: try row.timestamp(6), createdBy: try row.text(7),
            tags: EventRules.tags(in: try row.text(4)), maxAttendees: try row.optionalInteger(8).map { Int($0) },
            status: try row.word(9), attachmentURL: try row.optionalText(10), coordinates: try coordinates(row, at: 11),
            createdAt: try row.timestamp(13),
            updatedAt: try row.timestamp(14), version: Int(try row.counter(15)), origin: try row.optionalText(16).map(origin),
            importKey: try row.optionalData(17).map { ImportKey(bytes: Array($0)) })
    }

    /// Of two columns: latitude and longitude.
    static func coordinates(_ row: Row, at column: Int) throws -> Coordinates? {
        guard let latitude = try row.optionalNumber(column), let longitude = try row.optionalNumber(column + 1) else { return nil }
        return Coordinates(latitude: latitude, longitude: longitude)
    }

    private static func text(_ origin: EventOrigin) -> String { String(decoding: origin.json(), as: UTF8.self) }

    private static func origin(_ text: String) throws -> EventOrigin {
        guard let json = try? JSONParser.parse(Array(text.utf8)), let origin = EventOrigin(json) else {
            throw EMSError(.storeCorrupt, "a row of the database holds an unknown origin", fix: "restore a backup")
        }
        return origin
    }

    private static func insertTags(of event: Event, in db: Database) throws {
        for tag in event.tags { try db.run(tagInsertion(into: "event_tags"), values(of: tag, event)) }
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
