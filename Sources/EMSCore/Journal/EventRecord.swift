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
            id: id, title: draft.title, description: draft.description, location: draft.location, startTime: draft.startTime,
            endTime: draft.endTime, createdBy: createdBy, tags: draft.tags, maxAttendees: draft.maxAttendees, status: draft.status,
            attachmentURL: draft.attachmentURL, coordinates: draft.coordinates, createdAt: createdAt, updatedAt: updatedAt,
            version: version, origin: json["origin"].flatMap { EventOrigin($0) }, importKey: key)
    }
}

extension Event {
    /// Every field, in the order of the JSON that clients see.
    public static let fields: [Field<Event>] = [
        .text("event_id", .system) { $0.id.description },
        .text("title", .content) { $0.title },
        .text("description", .content) { $0.description },
        .text("location", .content) { $0.location },
        .time("start_time", .content) { $0.startTime },
        .time("end_time", .content) { $0.endTime },
        .text("created_by", .system) { $0.createdBy },
        Field("tags", .content, { $0.tags }, { tags, writer in writer.array { list in for tag in tags { list.string(tag) } } }),
        Field(optional: "max_attendees", .content, { $0.maxAttendees }, { $1.integer($0) }),
        Field("status", .content, { $0.status }, { $1.string($0.rawValue) }),
        Field(optional: "attachment_url", .content, { $0.attachmentURL }, { $1.string($0) }),
        Field(optional: "coordinates", .content, { $0.coordinates }, { $0.encode(to: &$1) }),
        .time("created_at", .system) { $0.createdAt },
        .time("updated_at", .system) { $0.updatedAt },
        Field("version", .system, { $0.version }, { $1.integer($0) }),
        Field(optional: "origin", .internal, { $0.origin }, { $0.encode(to: &$1) }),
        Field(optional: "import_key", .internal, { $0.importKey }, { $1.string($0.hex) }),
    ]

    /// The fields of HTTP.
    static let publicFields = fields.filter { $0.role != .internal }
}
