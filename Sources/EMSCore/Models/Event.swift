public typealias EventID = ID<Event>

/// The thing with a place and a time.
public struct Event: Sendable, Equatable {
    public enum Status: String, CaseIterable, Sendable {
        case scheduled, canceled, completed
    }

    public let id: EventID
    public var title: String
    public var description: String
    public var location: String
    public var startTime: Timestamp
    public var endTime: Timestamp
    /// A user's id, or `operator:<login name>`.
    public let createdBy: String
    public var tags: [String]
    public var maxAttendees: Int?
    public var status: Status
    public var attachmentURL: String?
    public var coordinates: Coordinates?
    public let createdAt: Timestamp
    public var updatedAt: Timestamp
    /// Counts the writes, from 1: the `ETag` of the event.
    public var version: Int
    /// Where it came from, where it was brought in; not part of what HTTP and the broker see.
    public var origin: EventOrigin?
    /// By what it is known when it is brought in again, where it was brought in without an id.
    public let importKey: ImportKey?

    public init(
        id: EventID = EventID(), title: String, description: String, location: String, startTime: Timestamp, endTime: Timestamp,
        createdBy: String, tags: [String] = [], maxAttendees: Int? = nil, status: Status = .scheduled, attachmentURL: String? = nil,
        coordinates: Coordinates? = nil, createdAt: Timestamp, updatedAt: Timestamp? = nil, version: Int = 1,
        origin: EventOrigin? = nil, importKey: ImportKey? = nil
    ) {
        self.id = id
        self.title = title
        self.description = description
        self.location = location
        self.startTime = startTime
        self.endTime = endTime
        self.createdBy = createdBy
        self.tags = tags
        self.maxAttendees = maxAttendees
        self.status = status
        self.attachmentURL = attachmentURL
        self.coordinates = coordinates
        self.createdAt = createdAt
        self.updatedAt = updatedAt ?? createdAt
        self.version = version
        self.origin = origin
        self.importKey = importKey
    }

    /// The entity tag of this version (RFC 9110, section 8.8.3), with its quotes.
    public var etag: String { "\"\(version)\"" }
}

extension Event {
    /// Every field, in the order of the JSON that clients see.
    public static let fields: [Field<Event>] = [
        .id("event_id") { $0.id },
        .text("title", .content) { $0.title },
        .text("description", .content) { $0.description },
        .text("location", .content) { $0.location },
        .time("start_time", .content) { $0.startTime },
        .time("end_time", .content) { $0.endTime },
        .text("created_by", .system, isFixed: true) { $0.createdBy },
        Field("tags", .texts, .content) { .texts($0.tags) },
        .integer("max_attendees", .content) { $0.maxAttendees },
        .text("status", .content) { $0.status.rawValue },
        .text("attachment_url", .content) { $0.attachmentURL },
        Field("coordinates", .place, .content) { $0.coordinates.map { .place($0) } ?? .absent },
        .time("created_at", .system, isFixed: true) { $0.createdAt },
        .time("updated_at", .system) { $0.updatedAt },
        .integer("version", .system) { $0.version },
        Field("origin", .origin, .internal) { $0.origin.map { .origin($0) } ?? .absent },
        Field("import_key", .digest, .internal, isFixed: true) { $0.importKey.map { .digest($0.bytes) } ?? .absent },
    ]

    /// The fields of HTTP.
    public static let publicFields = fields.filter { $0.role != .internal }
    /// What a person says.
    public static let contentFields = fields.filter { $0.role == .content }

    /// An event as a person says it.
    /// - Parameter origin: `nil` for that of the draft.
    init(
        _ draft: EventDraft, id: EventID = EventID(), createdBy: String, createdAt: Timestamp = .now(), updatedAt: Timestamp? = nil,
        version: Int = 1, origin: EventOrigin? = nil, importKey: ImportKey? = nil
    ) {
        self.init(
            id: id, title: draft.title, description: draft.description, location: draft.location, startTime: draft.startTime,
            endTime: draft.endTime, createdBy: createdBy, tags: draft.tags, maxAttendees: draft.maxAttendees, status: draft.status,
            attachmentURL: draft.attachmentURL, coordinates: draft.coordinates, createdAt: createdAt, updatedAt: updatedAt,
            version: version, origin: draft.origin ?? origin, importKey: importKey)
    }

    /// Reads ``fields`` from a store.
    public init<Source: FieldSource>(from source: inout Source) throws {
        self.init(
            id: try source.id(of: "event_id"), title: try source.text(of: "title"), description: try source.text(of: "description"),
            location: try source.text(of: "location"), startTime: try source.time(of: "start_time"),
            endTime: try source.time(of: "end_time"), createdBy: try source.text(of: "created_by"), tags: try source.texts(of: "tags"),
            maxAttendees: try source.optionalInteger(of: "max_attendees"), status: try source.word(of: "status"),
            attachmentURL: try source.optionalText(of: "attachment_url"), coordinates: try source.place(of: "coordinates"),
            createdAt: try source.time(of: "created_at"), updatedAt: try source.time(of: "updated_at"),
            version: try source.count(of: "version"), origin: try source.origin(of: "origin"),
            importKey: try source.digest(of: "import_key").map { ImportKey(bytes: $0) })
    }
}

extension Event: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        writer.object { encodeMembers(to: &$0) }
    }

    /// Adds the fields of HTTP to an object.
    public func encodeMembers(to writer: inout JSONWriter) {
        for field in Self.publicFields { field.encode(self, to: &writer) }
    }
}

extension Coordinates: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.name("latitude")
            $0.number(latitude)
            $0.name("longitude")
            $0.number(longitude)
        }
    }
}

/// What a person says about an event; the rest (id, creator, times, version) is the system's.
public struct EventDraft: Sendable, Equatable {
    public var title: String
    public var description: String
    public var location: String
    public var startTime: Timestamp
    public var endTime: Timestamp
    public var tags: [String]
    public var maxAttendees: Int?
    public var status: Event.Status
    public var attachmentURL: String?
    public var coordinates: Coordinates?
    /// Where it comes from; `nil` leaves what is known of that as it is.
    public var origin: EventOrigin?

    public init(
        title: String, description: String = "", location: String = "", startTime: Timestamp, endTime: Timestamp, tags: [String] = [],
        maxAttendees: Int? = nil, status: Event.Status = .scheduled, attachmentURL: String? = nil, coordinates: Coordinates? = nil,
        origin: EventOrigin? = nil
    ) {
        self.title = title
        self.description = description
        self.location = location
        self.startTime = startTime
        self.endTime = endTime
        self.tags = tags
        self.maxAttendees = maxAttendees
        self.status = status
        self.attachmentURL = attachmentURL
        self.coordinates = coordinates
        self.origin = origin
    }

    /// What of an event a person may change.
    public init(_ event: Event) {
        self.init(
            title: event.title, description: event.description, location: event.location, startTime: event.startTime,
            endTime: event.endTime, tags: event.tags, maxAttendees: event.maxAttendees, status: event.status,
            attachmentURL: event.attachmentURL, coordinates: event.coordinates, origin: event.origin)
    }

    /// Reads a record of an import: what HTTP takes, and where the event comes from.
    public init(imported json: JSONValue) throws {
        var fields = JSONFields(json)
        self.init(&fields)
        origin = EventOrigin(&fields)
        try fields.finish(ignoring: Self.readOnlyFields)
    }

    /// Reads the body of `POST /events` and `PUT /events/{id}`.
    public init(_ json: JSONValue) throws {
        var fields = JSONFields(json)
        self.init(&fields)
        try fields.finish(ignoring: Self.readOnlyFields)
    }

    /// What an event has and nobody writes.
    public static let readOnlyFields: Set<String> = ["event_id", "created_by", "created_at", "updated_at", "version"]

    /// The draft after a merge patch (RFC 7396): `null` takes a field away, which the required ones refuse.
    public func merged(with patch: JSONValue) throws -> EventDraft {
        guard case .object(let members) = patch else { return try EventDraft(patch) }
        // A member that the patch removes is in the merged document no more: unknown ones among them are found here.
        let removed = JSONValue.object(members.filter { $0.value == .null && !Self.readOnlyFields.contains($0.name) })
        var fields = JSONFields(removed)
        fields.allow(Self.writableFields)
        try fields.finish(ignoring: [])
        return try EventDraft(json.merged(with: patch))
    }

    /// The draft as clients write it, without what is absent.
    private var json: JSONValue {
        let event = Event(self, createdBy: "")
        let members = Event.contentFields.compactMap { field in
            field.value(event).json.map { JSONValue.Member(name: field.name, value: $0) }
        }
        return .object(members)
    }

    /// What a person may say.
    public static let writableFields = Event.contentFields.map(\.name)
    /// What every event has.
    public static let requiredFields: Set<String> = ["title", "start_time", "end_time"]

    init(_ fields: inout JSONFields) {
        fields.rejectUnknown(in: "coordinates", except: ["latitude", "longitude"])
        self.init(
            title: fields.requiredString("title"),
            description: fields.string("description") ?? "",
            location: fields.string("location") ?? "",
            startTime: fields.requiredTimestamp("start_time"),
            endTime: fields.requiredTimestamp("end_time"),
            tags: fields.strings("tags") ?? [],
            maxAttendees: fields.integer("max_attendees").map(Int.init(clamping:)),
            status: fields.eventStatus() ?? .scheduled,
            attachmentURL: fields.string("attachment_url"),
            coordinates: fields.coordinates("coordinates"))
    }
}

extension JSONFields {
    mutating func eventStatus() -> Event.Status? {
        guard let text = string("status") else { return nil }
        guard let status = Event.Status(rawValue: text) else {
            reject("status", "must be one of \(Event.Status.allCases.map(\.rawValue).joined(separator: ", "))", type: "enum")
            return nil
        }
        return status
    }
}
