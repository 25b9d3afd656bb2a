/// How an event is written in a change: a JSON object of its fields under the names of HTTP, without those that are absent, and with those
/// that clients do not see. This is format 1.
enum EventRecord {
    static func record(_ event: Event) -> JSONText { Event.fields.record(of: event) }

    /// Reads what ``record(_:)`` wrote, or an event as clients see it.
    /// - Throws: ``EMSError`` that lists what is wrong with it.
    static func event(_ json: JSONValue) throws -> Event {
        var fields = JSONFields(json, at: ["data"])
        let draft = EventDraft(&fields)
        let id = fields.requiredString("event_id")
        let createdBy = fields.requiredString("created_by")
        let createdAt = fields.requiredTimestamp("created_at")
        let updatedAt = fields.requiredTimestamp("updated_at")
        let version = fields.integer("version") ?? 1
        let importKey = fields.string("import_key")
        try fields.finish()
        guard let id = EventID(id) else { throw EMSError.invalid("event_id", "must be 32 hex characters", in: "data") }
        guard let version = Int(exactly: version), version > 0 else { throw EMSError.invalid("version", "must be positive", in: "data") }
        let key = try importKey.map { text in
            guard let key = ImportKey(hex: text) else { throw EMSError.invalid("import_key", "must be 32 hex characters", in: "data") }
            return key
        }
        return Event(
            draft, id: id, createdBy: createdBy, createdAt: createdAt, updatedAt: updatedAt, version: version,
            origin: json["origin"].flatMap { EventOrigin($0) }, importKey: key)
    }
}
