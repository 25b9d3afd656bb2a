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
        try fields.finish()
        switch action {
        case "subscribe": self = .subscribe(try Self.id("event_id", "event", json))
        case "unsubscribe": self = .unsubscribe(try Self.id("event_id", "event", json))
        case "mark_read": self = .markRead(try Self.id("notification_id", "notification", json))
        case "ping": self = .ping
        default:
            throw EMSError.invalid("action", "must be subscribe, unsubscribe, mark_read or ping", type: "enum", in: "message")
        }
    }

    private static func id<Subject>(_ name: String, _ kind: String, _ json: JSONValue) throws -> ID<Subject> {
        var fields = JSONFields(json, at: ["message"])
        let text = fields.requiredString(name)
        try fields.finish()
        guard let id = ID<Subject>(text) else { throw EMSError.notFound(kind, text) }
        return id
    }
}
