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
