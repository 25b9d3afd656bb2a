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
        case "ping": self = .ping
        default:
            try fields.finish()
            throw EMSError.invalid("action", "must be subscribe, unsubscribe, mark_read or ping", type: "enum", in: "message")
        }
    }

    /// Other members are ignored, such as a number by which a client matches answers to its messages. If the id is missing, they are
    /// reported with the closest name: one of them is probably a misspelt id.
    private static func id<Subject>(_ name: String, _ kind: String, _ fields: inout JSONFields) throws -> ID<Subject> {
        let isPresent = fields.has(name)
        let text = fields.requiredString(name)
        if isPresent { try fields.finish() } else { try fields.finish(ignoring: ["action"]) }
        guard let id = ID<Subject>(text) else { throw EMSError.notFound(kind, text) }
        return id
    }
}
