public typealias ChangeID = ID<Change>

/// What happened to an event: what the broker carries.
public struct Change: Sendable, Equatable {
    public enum Action: String, CaseIterable, Sendable {
        case created, updated, deleted
    }

    public let id: ChangeID
    public let action: Action
    /// The event after the change; before it, where it was deleted.
    public let event: Event
    /// The name of who did it: a username, or `operator:<login name>`.
    public let actor: String
    public let timestamp: Timestamp

    public init(id: ChangeID = ChangeID(), action: Action, event: Event, actor: String, timestamp: Timestamp) {
        self.id = id
        self.action = action
        self.event = event
        self.actor = actor
        self.timestamp = timestamp
    }

    /// The key it is routed by: `event.created`, `event.updated`, `event.deleted`.
    public var routingKey: String { "event.\(action.rawValue)" }
}

extension Change: JSONEncodable {
    /// The body of the broker's message. The change's id travels beside it, as the message's id.
    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", "event")
            $0.member("action", action.rawValue)
            $0.member("actor", actor)
            $0.member("timestamp", timestamp.description)
            $0.member("data", event)
        }
    }

    /// Reads what ``encode(to:)`` wrote.
    /// - Throws: ``EMSError`` that says what is wrong with the message.
    public init(id: ChangeID, body: [UInt8]) throws {
        let json: JSONValue
        do {
            json = try JSONParser.parse(body)
        } catch {
            throw EMSError(.malformed, "the body is not JSON: \(error)")
        }
        var fields = JSONFields(json)
        let type = fields.requiredString("type")
        let action = fields.requiredString("action")
        let actor = fields.requiredString("actor")
        let timestamp = fields.requiredTimestamp("timestamp")
        try fields.finish()
        guard type == "event", let action = Action(rawValue: action) else {
            throw EMSError(.invalid, "no known change: type \(Printable.quoted(type)), action \(Printable.quoted(action))")
        }
        self.init(id: id, action: action, event: try Event(json["data"] ?? .null), actor: actor, timestamp: timestamp)
    }
}
