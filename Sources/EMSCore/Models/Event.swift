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
