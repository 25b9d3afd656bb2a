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

    /// The draft as clients write it.
    private var json: JSONValue {
        func member(_ name: String, _ value: JSONValue?) -> [JSONValue.Member] {
            value.map { [JSONValue.Member(name: name, value: $0)] } ?? []
        }
        let place = coordinates.map { place in
            JSONValue.object(member("latitude", .number(place.latitude)) + member("longitude", .number(place.longitude)))
        }
        return .object(
            member("title", .string(title)) + member("description", .string(description)) + member("location", .string(location))
                + member("start_time", .string(startTime.description)) + member("end_time", .string(endTime.description))
                + member("tags", .array(tags.map { .string($0) })) + member("status", .string(status.rawValue))
                + member("max_attendees", maxAttendees.map { .integer(Int64($0)) })
                + member("attachment_url", attachmentURL.map { .string($0) }) + member("coordinates", place))
    }

    private static let writableFields = [
        "title", "description", "location", "start_time", "end_time", "tags", "max_attendees", "status", "attachment_url", "coordinates",
    ]

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

/// What of an event is to change, as the command line says it: an absent field stays as it is.
public struct EventPatch: Sendable, Equatable {
    public var title: String?
    public var description: String?
    public var location: String?
    public var startTime: Timestamp?
    public var endTime: Timestamp?
    public var tags: [String]?
    public var status: Event.Status?
    /// The outer optional tells whether the field changes, the inner one whether it is taken away.
    public var maxAttendees: Int??
    public var attachmentURL: String??
    public var coordinates: Coordinates??

    public init() {}

    /// The draft with the patch's fields in place of its own.
    public func applied(to draft: EventDraft) -> EventDraft {
        EventDraft(
            title: title ?? draft.title,
            description: description ?? draft.description,
            location: location ?? draft.location,
            startTime: startTime ?? draft.startTime,
            endTime: endTime ?? draft.endTime,
            tags: tags ?? draft.tags,
            maxAttendees: maxAttendees ?? draft.maxAttendees,
            status: status ?? draft.status,
            attachmentURL: attachmentURL ?? draft.attachmentURL,
            coordinates: coordinates ?? draft.coordinates,
            origin: draft.origin)
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
