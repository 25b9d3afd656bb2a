import EMSCore

/// Events, each with its pending changes in its own document: one write stores both or neither.
struct MongoEventStore: EventStore {
    let database: MongoDatabase

    func insert(_ event: Event, change: Change, idempotency: IdempotencyKey?) async throws -> InsertOutcome {
        try await database.run { connection in
            while true {
                do {
                    try connection.insert(.events, EventDocument.make(event, change: change, idempotency: idempotency))
                    return .inserted
                } catch let refused as DuplicateKey where refused.index == "events_idempotency" {
                    guard let idempotency else { throw refused }
                    if let earlier = try Self.outcome(of: idempotency, at: event.createdAt, in: connection) { return earlier }
                    // The key is past its time, and may be given again.
                    try connection.updateOne(
                        .events, where: { Self.filter(idempotency, olderThan: event.createdAt, &$0) },
                        { $0.document("$unset") { $0.member("idempotency", "") } })
                } catch is DuplicateKey {
                    // The id is taken; perhaps by an event that is deleted, and only waits for its changes to be published.
                    guard idempotency == nil, try Self.revive(event, change, in: connection) else {
                        throw EMSError(.exists, "there is an event \(event.id) already")
                    }
                    return .inserted
                }
            }
        }
    }

    func insert(_ batch: [(event: Event, change: Change)]) async throws -> Set<EventID> {
        try await database.run { connection in
            do {
                let documents = batch.map { EventDocument.make($0.event, change: $0.change, idempotency: nil) }
                try connection.insert(.events, documents, ordered: false)
                return []
            } catch let refused as DuplicateKey {
                // One that is known by its import key has an id of its own, which no deleted event can hold.
                let taken = try refused.documents.filter { batch.indices.contains($0) }.filter { place in
                    let event = batch[place].event
                    return try event.importKey != nil || !Self.revive(event, batch[place].change, in: connection)
                }
                return Set(taken.map { batch[$0].event.id })
            }
        }
    }

    /// Puts an event in the place of a deleted one. What is pending of that goes into the journal first: a change that creates an event is
    /// the first that is pending of it.
    private static func revive(_ event: Event, _ change: Change, in connection: MongoConnection) throws -> Bool {
        try PendingChanges.settle(event.id.description, in: .events, connection)
        return try connection.updateOne(
            .events,
            where: {
                $0.member("_id", event.id)
                $0.member("is_deleted", true)
                $0.null("pending")
            }, { EventDocument.update(event, change: change, to: &$0) }
        ).matched > 0
    }

    func outcome(of key: IdempotencyKey, at now: Timestamp) async throws -> InsertOutcome? {
        try await database.run { try Self.outcome(of: key, at: now, in: $0) }
    }

    private static func outcome(of key: IdempotencyKey, at now: Timestamp, in connection: MongoConnection) throws -> InsertOutcome? {
        try connection.first(
            .events,
            where: {
                $0.member("idempotency.owner", key.owner)
                $0.member("idempotency.key", key.key)
                $0.document("idempotency.created_at") {
                    $0.member("$gte", now.adding(seconds: -IdempotencyKey.lifetimeSeconds))
                }
            }, options: { $0.member("hint", "events_idempotency") }
        ) { reader in
            let id: EventID = try reader.id("_id")
            var stored = try reader.document("idempotency")
            return try stored.binary("fingerprint") == key.fingerprint ? .repeated(id) : .keyReused
        }
    }

    private static func filter(_ key: IdempotencyKey, olderThan now: Timestamp, _ writer: inout BSONWriter) {
        writer.member("idempotency.owner", key.owner)
        writer.member("idempotency.key", key.key)
        writer.document("idempotency.created_at") { $0.member("$lt", now.adding(seconds: -IdempotencyKey.lifetimeSeconds)) }
    }

    func update(_ event: Event, expecting expected: Int, change: Change) async throws {
        try await write(event.id, expecting: expected) { EventDocument.update(event, change: change, to: &$0) }
    }

    func delete(_ id: EventID, expecting expected: Int, change: Change) async throws {
        try await write(id, expecting: expected) { EventDocument.bury(change: change, to: &$0) }
    }

    private func write(_ id: EventID, expecting expected: Int, _ update: @escaping @Sendable (inout BSONWriter) -> Void) async throws {
        try await database.run { connection in
            _ = try PendingChanges.writing(id.description, in: .events, connection) {
                try connection.updateOne(
                    .events,
                    where: {
                        $0.member("_id", id)
                        $0.member("version", expected)
                        PendingChanges.hasRoom(&$0)
                    }, update
                ).matched > 0
            } while: {
                let found = try connection.first(.events, where: { $0.member("_id", id) }) { try $0.optionalInteger("version") }
                guard let version = found ?? nil else { throw EMSError.notFound("event", id) }
                guard version == Int64(expected) else {
                    throw EMSError(.versionConflict, "the event has version \(version) by now", fix: "read it again and repeat the change")
                }
                return true
            }
        }
    }

    func event(id: EventID) async throws -> Event? {
        try await database.run { connection in
            try connection.first(.events, where: { $0.member("_id", id) }, EventDocument.living)
        }
    }

    func events(ids: [EventID]) async throws -> [Event] {
        try await database.run { connection in
            try connection.find(
                .events, where: { $0.document("_id") { $0.array("$in", ids.map(\.description)) } }, EventDocument.living)
        }
    }

    func events(importKeys: [ImportKey]) async throws -> [Event] {
        try await database.run { connection in
            try connection.find(
                .events,
                where: { filter in
                    filter.document("import_key") { range in
                        range.array("$in") { list in for key in importKeys { list.element(binary: key.bytes) } }
                        // So that the index, which holds no other, can be used.
                        range.member("$exists", true)
                    }
                }, options: { $0.member("hint", "events_import_key") }, EventDocument.living)
        }
    }

    func ids(beginningWith digits: String, limit: Int) async throws -> [EventID] {
        try await database.run { connection in
            try connection.find(
                .events,
                where: { $0.document("_id") { Self.beginning(digits, &$0) } },
                options: {
                    $0.document("sort") { $0.member("_id", 1) }
                    $0.document("projection") { $0.member("_id", 1) }
                    $0.member("limit", limit)
                }, from: .url
            ) { try $0.id("_id") }
        }
    }

    /// The tags of the first thousands of events that have one such: to look through all would take too long for who waits at a key.
    func tags(beginningWith text: String, limit: Int) async throws -> [String] {
        try await database.run { connection in
            let found = try connection.find(
                .events, where: { $0.document("tags") { Self.beginning(text, &$0) } },
                options: {
                    $0.document("projection") {
                        $0.member("_id", 0)
                        $0.member("tags", 1)
                    }
                    $0.member("limit", 5000)
                    $0.member("hint", "events_tag_start")
                }, from: .url
            ) { try $0.array("tags") { $0.text } }
            // Scalar by scalar: before a combining mark the last letter of a beginning is another character.
            let tags = Set(found.joined()).filter { $0.unicodeScalars.starts(with: text.unicodeScalars) }
            return Array(tags.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.prefix(limit))
        }
    }

    /// Texts that begin so.
    static func beginning(_ text: String, _ range: inout BSONWriter) {
        range.member("$gte", text)
        range.member("$lt", text + "\u{10FFFF}")
    }

    func events(_ query: EventQuery) async throws -> EventPage {
        try await database.run { connection in
            query.isSearch ? try EventSearch(query).run(in: connection) : try EventListing(query).run(in: connection)
        }
    }

    func scheduledEvents(endedBefore moment: Timestamp, limit: Int) async throws -> [Event] {
        try await database.run { connection in
            try connection.find(
                .events,
                where: {
                    $0.member("status", Event.Status.scheduled.rawValue)
                    $0.document("end_time") { $0.member("$lt", moment) }
                },
                options: {
                    $0.document("sort") { $0.member("end_time", 1) }
                    $0.member("limit", limit)
                    $0.member("hint", "events_over")
                }, EventDocument.living)
        }
    }

    func forgetIdempotencyKeys(before moment: Timestamp) async throws {
        try await database.run { connection in
            try connection.updateMany(
                .events, where: { $0.document("idempotency.created_at") { $0.member("$lt", moment) } },
                { $0.document("$unset") { $0.member("idempotency", "") } })
            try MongoChangeOutbox.removeTombstones(in: connection)
        }
    }
}
