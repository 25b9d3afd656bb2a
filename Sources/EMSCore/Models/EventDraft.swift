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

    public init(
        title: String, description: String = "", location: String = "", startTime: Timestamp, endTime: Timestamp, tags: [String] = [],
        maxAttendees: Int? = nil, status: Event.Status = .scheduled, attachmentURL: String? = nil, coordinates: Coordinates? = nil
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
    }

    /// What of an event a person may change.
    public init(_ event: Event) {
        self.init(
            title: event.title, description: event.description, location: event.location, startTime: event.startTime,
            endTime: event.endTime, tags: event.tags, maxAttendees: event.maxAttendees, status: event.status,
            attachmentURL: event.attachmentURL, coordinates: event.coordinates)
    }

    /// Reads the body of `POST /events` and `PUT /events/{id}`.
    public init(_ json: JSONValue) throws {
        var fields = JSONFields(json)
        self.init(&fields)
        try fields.finish()
    }

    init(_ fields: inout JSONFields) {
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

/// What of an event is to change: an absent field stays as it is.
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

    /// Reads the body of `PATCH /events/{id}`, a merge patch (RFC 7396): `null` takes a field away, which those without a default refuse.
    public init(_ json: JSONValue) throws {
        var fields = JSONFields(json)
        title = fields.has("title") ? fields.requiredString("title") : nil
        description = fields.has("description") ? fields.string("description") ?? "" : nil
        location = fields.has("location") ? fields.string("location") ?? "" : nil
        startTime = fields.has("start_time") ? fields.requiredTimestamp("start_time") : nil
        endTime = fields.has("end_time") ? fields.requiredTimestamp("end_time") : nil
        tags = fields.has("tags") ? fields.strings("tags") ?? [] : nil
        status = fields.has("status") ? fields.eventStatus() ?? .scheduled : nil
        maxAttendees = fields.has("max_attendees") ? .some(fields.integer("max_attendees").map(Int.init(clamping:))) : nil
        attachmentURL = fields.has("attachment_url") ? .some(fields.string("attachment_url")) : nil
        coordinates = fields.has("coordinates") ? .some(fields.coordinates("coordinates")) : nil
        try fields.finish()
    }

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
            coordinates: coordinates ?? draft.coordinates)
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
