import EMSCore

/// How an event lies in the database: its own fields, the words to search it by, its pending changes and its idempotency key.
enum EventDocument {
    /// - Parameter change: what becomes pending with it; `nil` for an event that is copied from another store.
    static func make(_ event: Event, change: Change?, idempotency: IdempotencyKey?) -> BSONDocument {
        BSONDocument {
            $0.member("_id", event.id)
            fields(of: event, to: &$0)
            words(of: event, to: &$0)
            if let origin = event.origin { self.origin(origin, to: &$0) }
            if let key = event.importKey { $0.member("import_key", binary: key.bytes) }
            if let change { PendingChanges.begin(with: change, to: &$0) }
            if let idempotency { $0.document("idempotency") { self.idempotency(idempotency, at: event.createdAt, to: &$0) } }
        }
    }

    /// The event as an update sets it, with the change added to what is pending.
    static func update(_ event: Event, change: Change, importKey: ImportKey? = nil, to writer: inout BSONWriter) {
        writer.document("$set") {
            fields(of: event, to: &$0)
            words(of: event, to: &$0)
            if let importKey { $0.member("import_key", binary: importKey.bytes) }
            if let origin = event.origin { self.origin(origin, to: &$0) }
        }
        writer.document("$unset") {
            if event.origin == nil { $0.member("origin", "") }
            if event.maxAttendees == nil { $0.member("max_attendees", "") }
            if event.attachmentURL == nil { $0.member("attachment_url", "") }
            if event.coordinates == nil { $0.member("place", "") }
            $0.member("is_deleted", "")
        }
        PendingChanges.push(change, to: &writer)
    }

    /// The event in the place of a deleted one, with what only a new event sets.
    static func revive(_ event: Event, change: Change, to writer: inout BSONWriter) {
        update(event, change: change, importKey: event.importKey, to: &writer)
    }

    /// What a deletion leaves: a tombstone that holds what is pending, and the idempotency key until its time is over.
    static func bury(change: Change, to writer: inout BSONWriter) {
        writer.document("$set") { $0.member("is_deleted", true) }
        writer.document("$unset") { unset in
            for field in [
                "title", "description", "location", "start_time", "end_time", "created_by", "tags", "max_attendees", "status",
                "attachment_url", "place", "created_at", "updated_at", "version", "words", "location_words",
                "origin", "import_key",
            ] { unset.member(field, "") }
        }
        PendingChanges.push(change, to: &writer)
    }

    static func idempotency(_ key: IdempotencyKey, at moment: Timestamp, to writer: inout BSONWriter) {
        writer.member("owner", key.owner)
        writer.member("key", key.key)
        writer.member("fingerprint", binary: key.fingerprint)
        writer.member("created_at", moment)
    }

    private static func fields(of event: Event, to writer: inout BSONWriter) {
        writer.member("title", event.title)
        writer.member("description", event.description)
        writer.member("location", event.location)
        writer.member("start_time", event.startTime)
        writer.member("end_time", event.endTime)
        writer.member("created_by", event.createdBy)
        writer.array("tags", event.tags)
        writer.optional("max_attendees", event.maxAttendees)
        writer.member("status", event.status.rawValue)
        writer.optional("attachment_url", event.attachmentURL)
        if let place = event.coordinates {
            // GeoJSON (RFC 7946): longitude first.
            writer.document("place") {
                $0.member("type", "Point")
                $0.array("coordinates") {
                    $0.element(place.longitude)
                    $0.element(place.latitude)
                }
            }
        }
        writer.member("created_at", event.createdAt)
        writer.member("updated_at", event.updatedAt)
        writer.member("version", event.version)
    }

    private static func origin(_ origin: EventOrigin, to writer: inout BSONWriter) {
        writer.document("origin") {
            $0.member("key", origin.key)
            $0.member("sequence", origin.sequence)
            $0.member("properties", origin.properties)
        }
    }

    private static func origin(_ reader: inout BSONReader) throws -> EventOrigin? {
        guard var origin = try reader.optionalDocument("origin") else { return nil }
        return EventOrigin(
            key: try origin.text("key"), sequence: Int(try origin.integer("sequence")), properties: try origin.text("properties"))
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

    static func event(_ reader: inout BSONReader) throws -> Event {
        let id: EventID = try reader.id("_id")
        let title = try reader.text("title")
        let description = try reader.text("description")
        let location = try reader.text("location")
        let startTime = try reader.date("start_time")
        let endTime = try reader.date("end_time")
        let createdBy = try reader.text("created_by")
        let tags = try reader.array("tags") { $0.text }
        let maxAttendees = try reader.optionalInteger("max_attendees")
        let status: Event.Status = try reader.word("status")
        let attachmentURL = try reader.optionalText("attachment_url")
        let place = try coordinates(&reader)
        let createdAt = try reader.date("created_at")
        let updatedAt = try reader.date("updated_at")
        let version = try reader.counter("version")
        let origin = try origin(&reader)
        let importKey = try reader.find("import_key") == nil ? nil : ImportKey(bytes: reader.binary("import_key"))
        return Event(
            id: id, title: title, description: description, location: location, startTime: startTime, endTime: endTime,
            createdBy: createdBy, tags: tags, maxAttendees: maxAttendees.map { Int($0) }, status: status, attachmentURL: attachmentURL,
            coordinates: place, createdAt: createdAt, updatedAt: updatedAt, version: Int(version),
            origin: origin, importKey: importKey)
    }

    static func coordinates(_ reader: inout BSONReader) throws -> Coordinates? {
        guard var place = try reader.optionalDocument("place") else { return nil }
        let numbers = try place.array("coordinates") { $0.number }
        guard numbers.count == 2 else { throw BSONReader.damaged("a place has not two coordinates") }
        return Coordinates(latitude: numbers[1], longitude: numbers[0])
    }
}
