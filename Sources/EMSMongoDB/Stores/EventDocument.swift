import EMSCore

/// How an event lies in the database: its own fields, the words to search it by, its pending changes and its idempotency key.
enum EventDocument {
    /// - Parameter change: what becomes pending with it; `nil` for an event that is copied from another store.
    static func make(_ event: Event, change: Change?, idempotency: IdempotencyKey?) -> BSONDocument {
        BSONDocument {
            for field in Event.fields { field.write(event, to: &$0) }
            words(of: event, to: &$0)
            if let change { PendingChanges.begin(with: change, to: &$0) }
            if let idempotency { $0.document("idempotency") { self.idempotency(idempotency, at: event.createdAt, to: &$0) } }
        }
    }

    private static let fields = Event.fields.filter { $0.kind != .id }

    /// The event as an update sets it, with the change added to what is pending; also in the place of a deleted one.
    static func update(_ event: Event, change: Change, to writer: inout BSONWriter) {
        writer.document("$set") {
            for field in fields { field.write(event, to: &$0) }
            words(of: event, to: &$0)
        }
        writer.document("$unset") {
            for field in fields where field.value(event) == .absent { $0.member(field.element, "") }
            $0.member("is_deleted", "")
        }
        PendingChanges.push(change, to: &writer)
    }

    /// What a deletion leaves: a tombstone that holds what is pending, and the idempotency key until its time is over.
    static func bury(change: Change, to writer: inout BSONWriter) {
        writer.document("$set") { $0.member("is_deleted", true) }
        writer.document("$unset") { unset in
            for name in fields.map(\.element) + ["words", "location_words"] { unset.member(name, "") }
        }
        PendingChanges.push(change, to: &writer)
    }

    static func idempotency(_ key: IdempotencyKey, at moment: Timestamp, to writer: inout BSONWriter) {
        writer.member("owner", key.owner)
        writer.member("key", key.key)
        writer.member("fingerprint", binary: key.fingerprint)
        writer.member("created_at", moment)
    }

    private static func words(of event: Event, to writer: inout BSONWriter) {
        let location = SearchWords.words(in: event.location)
        var all = SearchWords.words(in: event.title)
        all.formUnion(location)
        all.formUnion(SearchWords.words(in: event.description))
        for tag in event.tags { all.formUnion(SearchWords.words(in: tag)) }
        writer.array("words", all)
        writer.array("location_words", location)
    }

    /// - Returns: `nil` for a tombstone.
    static func living(_ reader: inout BSONReader) throws -> Event? {
        try reader.find("title") == nil ? nil : event(&reader)
    }

    static func event(_ reader: inout BSONReader) throws -> Event { try Event(from: &reader) }
}
