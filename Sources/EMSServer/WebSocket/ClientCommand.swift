import EMSCore

/// What a client may ask for over the WebSocket.
enum ClientCommand: Equatable {
    case subscribe(EventID)
    case unsubscribe(EventID)
    case markRead(NotificationID)
    case ping

    /// - Throws: ``EMSError`` that says what is wrong with the message.
    init(_ text: String) throws {
        let json: JSONValue
        do {
            json = try JSONParser.parse(text)
        } catch {
            throw EMSError(.malformed, "the message is not JSON: \(error)")
        }
        var fields = JSONFields(json, at: ["message"])
        let action = fields.requiredString("action")
        switch action {
        case "subscribe": self = .subscribe(try Self.id("event_id", "event", &fields))
        case "unsubscribe": self = .unsubscribe(try Self.id("event_id", "event", &fields))
        case "mark_read": self = .markRead(try Self.id("notification_id", "notification", &fields))
        case "ping":
            try fields.finish(ignoring: Self.members)
            self = .ping
        default:
            try fields.finish()
            throw EMSError.invalid("action", "must be subscribe, unsubscribe, mark_read or ping", type: "enum", in: "message")
        }
    }

    /// All members that a message of any action may have.
    private static let members: Set<String> = ["action", "event_id", "notification_id"]

    private static func id<Subject>(_ name: String, _ kind: String, _ fields: inout JSONFields) throws -> ID<Subject> {
        let text = fields.requiredString(name)
        try fields.finish(ignoring: members)
        guard let id = ID<Subject>(text) else { throw EMSError.notFound(kind, text) }
        return id
    }
}
