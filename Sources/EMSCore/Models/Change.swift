public typealias ChangeID = ID<Change>

/// What happened to something: who did it, how it came in, and the state before and after.
public struct Change: Sendable, Equatable {
    public enum Action: String, CaseIterable, Sendable {
        case created, updated, deleted
        /// It existed when the journal began.
        case recorded
        case passwordChanged = "password_changed"
        /// Deleted, with the names and addresses of the person in all of the journal.
        case erased
        /// Of a session.
        case opened, ended
        /// Of a log-in.
        case failed
        /// Of signing keys.
        case rotated
        case imported, exported, purged
    }

    public let id: ChangeID
    public let subject: Subject
    public let action: Action
    /// The subject's version after the change; the last one it had, if it was deleted.
    public let version: Int
    public let actor: Actor
    public let source: ChangeSource
    public let timestamp: Timestamp
    /// The fields that the change changed, as they were before: an object; all of them, if it was deleted; `nil` if it was created, or the
    /// change was recorded by version 0.1.0.
    public let before: JSONText?
    /// The subject after the change: an object of all its fields; `nil` if it was deleted.
    public let after: JSONText?
    /// Whether nobody is notified of it: an import may be quiet.
    public let isQuiet: Bool

    public init(
        id: ChangeID = ChangeID(), subject: Subject, action: Action, version: Int, actor: Actor, source: ChangeSource,
        timestamp: Timestamp, before: JSONText?, after: JSONText?, isQuiet: Bool = false
    ) {
        self.id = id
        self.subject = subject
        self.action = action
        self.version = version
        self.actor = actor
        self.source = source
        self.timestamp = timestamp
        self.before = before
        self.after = after
        self.isQuiet = isQuiet
    }

    /// The key by which the broker routes it: `event.created`, `event.updated`, `event.deleted`.
    public var routingKey: String { "\(subject.kind.rawValue).\(action.rawValue)" }
}

/// What a change is about.
public struct Subject: Sendable, Hashable {
    public enum Kind: String, CaseIterable, Sendable {
        case event, user, session
        /// The id is ``Subscription/subject``.
        case subscription
        /// Attempts to log in to an account, which is the id.
        case login
        /// The signing keys.
        case key
        /// What was brought in from a file, given out, or removed because it was old: the id is the kind of thing.
        case `import`, export, purge

        /// Whether the journal tells the whole state of such a thing.
        public var isReplayed: Bool { self == .event || self == .user }
    }

    public let kind: Kind
    public let id: String

    public init(_ kind: Kind, _ id: String) {
        self.kind = kind
        self.id = id
    }
}

// MARK: Changes of events

extension Change {
    public static func created(_ event: Event, by principal: Principal, at now: Timestamp, isQuiet: Bool = false) -> Change {
        change(.created, event, by: principal, at: now, before: nil, after: EventRecord.record(event), isQuiet: isQuiet)
    }

    public static func updated(
        _ earlier: Event, to event: Event, by principal: Principal, at now: Timestamp, isQuiet: Bool = false
    ) -> Change {
        change(
            .updated, event, by: principal, at: now, before: Event.fields.record(of: earlier, changedTo: event),
            after: EventRecord.record(event),
            isQuiet: isQuiet)
    }

    public static func deleted(_ event: Event, by principal: Principal, at now: Timestamp) -> Change {
        change(.deleted, event, by: principal, at: now, before: EventRecord.record(event), after: nil)
    }

    /// As version 0.1.0 recorded it: without the state before it, and with nothing of the actor but the name.
    public init(id: ChangeID, action: Action, event: Event, actor: String, timestamp: Timestamp) {
        let record = EventRecord.record(event)
        self.init(
            id: id, subject: Subject(.event, event.id.description), action: action, version: event.version, actor: Actor(named: actor),
            source: ChangeSource(.broker), timestamp: timestamp, before: action == .deleted ? record : nil,
            after: action == .deleted ? nil : record)
    }

    /// An event that existed when the journal began: from here on, its history is known. The id is the event's, so that two processes that
    /// begin the journal at once record it once.
    /// - Parameter again: its last entry is about to be cut off; the id is a new one.
    public static func recorded(_ event: Event, at now: Timestamp, again: Bool = false) -> Change {
        Change(
            id: again ? ChangeID() : event.id.retyped(), subject: Subject(.event, event.id.description), action: .recorded,
            version: event.version,
            actor: .system, source: ChangeSource(.import), timestamp: now, before: nil,
            after: EventRecord.record(event), isQuiet: true)
    }

    private static func change(
        _ action: Action, _ event: Event, by principal: Principal, at now: Timestamp, before: JSONText?, after: JSONText?,
        isQuiet: Bool = false
    ) -> Change {
        Change(
            subject: Subject(.event, event.id.description), action: action, version: event.version, actor: principal.actor,
            source: principal.source, timestamp: now, before: before, after: after, isQuiet: isQuiet)
    }

    /// The event after the change; before it, if it was deleted.
    /// - Throws: ``EMSError`` if the change holds no event, or one that cannot be read.
    public func event() throws -> Event {
        guard let state = after ?? before else { throw EMSError(.malformed, "the change \(id) holds no event") }
        return try EventRecord.event(state.value())
    }

    /// Whether it is published at the broker, and people are notified of it.
    public var isPublished: Bool { subject.kind == .event && action != .recorded }

    /// Whether all of it can be read that is needed to publish it.
    public var isReadable: Bool { !isPublished || (try? event()) != nil }

    /// The names of the fields that an update changed, in the order of the event's fields.
    /// - Throws: ``EMSError`` if the change cannot be read.
    public func changedFields() throws -> [String] {
        guard action == .updated, let before, case .object(let members) = try before.value() else { return [] }
        return members.map(\.name)
    }
}

// MARK: The message

extension Change {
    /// The body of the broker's message, with the event as clients see it. The id and the `traceparent` are the message's own.
    /// - Throws: ``EMSError`` if the change cannot be read.
    public func message() throws -> [UInt8] {
        let event = try event()
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("type", subject.kind.rawValue)
            writer.member("action", action.rawValue)
            writer.member("version", version)
            writer.member("actor", actor)
            // Whoever reads from the broker need not know where people are.
            writer.member("source", ChangeSource(source.kind, requestID: source.requestID))
            writer.member("timestamp", timestamp.description)
            writer.member("data", event)
            if action == .updated, let before { writer.member("before", before) }
            if isQuiet { writer.member("quiet", true) }
        }
        return writer.bytes
    }

    /// Reads what ``message()`` wrote, or what version 0.1.0 published: without version, source and earlier state, and with nothing of the
    /// actor but the name.
    /// - Throws: ``EMSError`` that says what is wrong with the message.
    public init(id: ChangeID, message body: [UInt8], traceparent: TraceParent? = nil) throws {
        let json: JSONValue
        do {
            json = try JSONParser.parse(body)
        } catch {
            throw EMSError(.malformed, "the body is not JSON: \(error)")
        }
        var fields = JSONFields(json)
        let kind = fields.requiredString("type")
        let action = fields.requiredString("action")
        let timestamp = fields.requiredTimestamp("timestamp")
        let isQuiet = fields.bool("quiet") ?? false
        try fields.finish()
        guard kind == Subject.Kind.event.rawValue, let action = Action(rawValue: action) else {
            throw EMSError(.invalid, "unknown change: type \(Printable.quoted(kind)), action \(Printable.quoted(action))")
        }
        let event = try EventRecord.event(json["data"] ?? .null)
        let record = EventRecord.record(event)
        try self.init(
            id: id, subject: Subject(.event, event.id.description), action: action, version: event.version,
            actor: Actor(json["actor"] ?? .null),
            source: json["source"].map { try ChangeSource($0, traceparent: traceparent) } ?? ChangeSource(.broker), timestamp: timestamp,
            before: action == .deleted ? record : json["before"].map { JSONText($0) }, after: action == .deleted ? nil : record,
            isQuiet: isQuiet)
    }
}

// MARK: The record

extension Change: JSONEncodable {
    /// How a pending change is stored, without its id. This is format 1.
    public func encode(to writer: inout JSONWriter) {
        writer.object { encodeMembers(to: &$0) }
    }

    func encodeMembers(to writer: inout JSONWriter) {
        writer.member("format", 1)
        encodeOrigin(to: &writer)
        if isQuiet { writer.member("quiet", true) }
        if let before { writer.member("before", before) }
        if let after { writer.member("after", after) }
    }

    /// What was changed by whom, without the states before and after.
    func encodeOrigin(to writer: inout JSONWriter) {
        writer.name("subject")
        writer.object {
            $0.member("type", subject.kind.rawValue)
            $0.member("id", subject.id)
        }
        writer.member("action", action.rawValue)
        writer.member("version", version)
        writer.member("actor", actor)
        writer.member("source", source)
        if let traceparent = source.traceparent { writer.member("traceparent", traceparent.description) }
        writer.member("timestamp", timestamp.description)
    }

    /// Reads what ``encode(to:)`` wrote, or what version 0.1.0 stored, which was the message.
    /// - Throws: ``EMSError`` that says what is wrong with it.
    public init(id: ChangeID, record: [UInt8]) throws {
        let json = try JSONText(trusted: record).value()
        if json["format"] == nil { try self.init(id: id, message: record) } else { try self.init(id: id, json: json) }
    }

    /// - Parameter json: a record of format 1; other members are passed over.
    init(id: ChangeID, json: JSONValue) throws {
        var fields = JSONFields(json)
        let (format, action, version) = (fields.integer("format"), fields.requiredString("action"), fields.integer("version") ?? 0)
        let timestamp = fields.requiredTimestamp("timestamp")
        let traceparent = fields.string("traceparent").flatMap { TraceParent($0) }
        let isQuiet = fields.bool("quiet") ?? false
        try fields.finish()
        var subject = JSONFields(json["subject"] ?? .null, at: ["subject"])
        let (kind, name) = (subject.requiredString("type"), subject.requiredString("id"))
        try subject.finish()
        guard format == 1, let action = Action(rawValue: action), let kind = Subject.Kind(rawValue: kind),
            let version = Int(exactly: version)
        else { throw EMSError(.storeCorrupt, "the change \(id) is of an unknown format", fix: "use a newer version of ems") }
        try self.init(
            id: id, subject: Subject(kind, name), action: action, version: version, actor: Actor(json["actor"] ?? .null),
            source: ChangeSource(json["source"] ?? .null, traceparent: traceparent), timestamp: timestamp,
            before: json["before"].map { JSONText($0) }, after: json["after"].map { JSONText($0) }, isQuiet: isQuiet)
    }
}
