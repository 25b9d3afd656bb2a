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
        e.attachment_url, e.latitude, e.longitude, e.created_at, e.updated_at, e.version
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
            do {
                try Self.insertRow(of: event, in: db)
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                throw EMSError(.exists, "there is an event \(event.id) already")
            }
            try SQLiteChangeOutbox.append(change, in: db)
            return .inserted
        }
    }

    func insert(_ batch: [(event: Event, change: Change)]) async throws -> Set<EventID> {
        try await database.write { db in
            var taken: Set<EventID> = []
            for (event, change) in batch {
                do {
                    try Self.insertRow(of: event, in: db)
                    try SQLiteChangeOutbox.append(change, in: db)
                } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                    taken.insert(event.id)
                }
            }
            return taken
        }
    }

    static func insertRow(of event: Event, in db: Database) throws {
        try db.run(
            """
            INSERT INTO events (id, title, description, location, tags, start_time, end_time, created_by, max_attendees, status,
                attachment_url, latitude, longitude, created_at, updated_at, version)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                event.id.description, event.title, event.description, event.location, event.tags.joined(separator: ","),
                event.startTime.milliseconds, event.endTime.milliseconds, event.createdBy, event.maxAttendees, event.status.rawValue,
                event.attachmentURL, event.coordinates?.latitude, event.coordinates?.longitude, event.createdAt.milliseconds,
                event.updatedAt.milliseconds, event.version,
            ])
        try insertTags(of: event, in: db)
    }

    func outcome(of key: IdempotencyKey, at now: Timestamp) async throws -> InsertOutcome? {
        try await database.read { db in try Self.repetition(of: key, at: now, in: db) }
    }

    func update(_ event: Event, expecting expected: Int, change: Change) async throws {
        try await database.write { db in
            let changed = try db.run(
                """
                UPDATE events SET title = ?, description = ?, location = ?, tags = ?, start_time = ?, end_time = ?, max_attendees = ?,
                    status = ?, attachment_url = ?, latitude = ?, longitude = ?, updated_at = ?, version = ?
                WHERE id = ? AND version = ?
                """,
                [
                    event.title, event.description, event.location, event.tags.joined(separator: ","), event.startTime.milliseconds,
                    event.endTime.milliseconds, event.maxAttendees, event.status.rawValue, event.attachmentURL,
                    event.coordinates?.latitude, event.coordinates?.longitude, event.updatedAt.milliseconds, event.version,
                    event.id.description, expected,
                ])
            guard changed > 0 else { throw try Self.conflict(event.id, in: db) }
            try db.run("DELETE FROM event_tags WHERE event_id = ?", [event.id.description])
            try Self.insertTags(of: event, in: db)
            try SQLiteChangeOutbox.append(change, in: db)
        }
    }

    func delete(_ id: EventID, expecting expected: Int, change: Change) async throws {
        try await database.write { db in
            // No tombstone is needed: the pending change holds the event, and is stored by this same transaction.
            guard try db.run("DELETE FROM events WHERE id = ? AND version = ?", [id.description, expected]) > 0 else {
                throw try Self.conflict(id, in: db)
            }
            try db.run("DELETE FROM event_tags WHERE event_id = ?", [id.description])
            try SQLiteChangeOutbox.append(change, in: db)
        }
    }

    func event(id: EventID) async throws -> Event? {
        try await database.read { db in
            try db.first("SELECT \(Self.columns) FROM events e WHERE e.id = ?", [id.description]) { try Self.event($0) }
        }
    }

    func events(_ query: EventQuery) async throws -> EventPage {
        try await database.read { db in
            query.isSearch ? try EventSearch(query).run(in: db) : try EventListing(query).run(in: db)
        }
    }

    func scheduledEvents(endedBefore moment: Timestamp, limit: Int) async throws -> [Event] {
        try await database.read { db in
            try db.all(
                "SELECT \(Self.columns) FROM events e WHERE e.status = 'scheduled' AND e.end_time < ? ORDER BY e.end_time LIMIT ?",
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
        let latitude: Double? = row[11]
        let longitude: Double? = row[12]
        let tags: String = row[4]
        var place: Coordinates?
        if let latitude, let longitude { place = Coordinates(latitude: latitude, longitude: longitude) }
        return Event(
            id: try row.id(0), title: row[1], description: row[2], location: row[3], startTime: row.timestamp(5), endTime: row.timestamp(6),
            createdBy: row[7], tags: EventRules.tags(in: tags), maxAttendees: row[8], status: try row.word(9),
            attachmentURL: row[10], coordinates: place, createdAt: row.timestamp(13), updatedAt: row.timestamp(14), version: row[15])
    }

    private static func insertTags(of event: Event, in db: Database) throws {
        for tag in event.tags {
            try db.run(
                "INSERT INTO event_tags (tag, start_time, event_id, created_at) VALUES (?, ?, ?, ?)",
                [tag, event.startTime.milliseconds, event.id.description, event.createdAt.milliseconds])
        }
    }

    private static func repetition(of key: IdempotencyKey, at now: Timestamp, in db: Database) throws -> InsertOutcome? {
        let alive = now.adding(seconds: -IdempotencyKey.lifetimeSeconds)
        return try db.first(
            "SELECT fingerprint, event_id FROM idempotency_keys WHERE owner = ? AND key = ? AND created_at >= ?",
            [key.owner, key.key, alive.milliseconds]
        ) { row in
            Array(row[0] as Data) == key.fingerprint ? .repeated(try row.id(1)) : .keyReused
        }
    }

    private static func conflict(_ id: EventID, in db: Database) throws -> EMSError {
        guard let version = try db.integer("SELECT version FROM events WHERE id = ?", [id.description]) else {
            return EMSError.notFound("event", id)
        }
        return EMSError(.versionConflict, "the event has version \(version) by now", fix: "read it again and repeat the change")
    }
}
