import EMSCore
import Testing

@testable import EMSServer

@Suite("What a client asks for over the WebSocket")
struct ClientCommandTests {
    static let id = "0195d0a0b0c070008000a1b2c3d4e5f6"

    private func code(of text: String) throws -> ErrorCode {
        try #require(throws: EMSError.self) { _ = try ClientCommand(text) }.code
    }

    @Test("Every command of the contract is read")
    func commands() throws {
        let event = try #require(EventID(Self.id))
        let notification = try #require(NotificationID(Self.id))
        #expect(try ClientCommand(#"{"action": "ping"}"#) == .ping)
        #expect(try ClientCommand(#"{"action": "subscribe", "event_id": "\#(Self.id)"}"#) == .subscribe(event))
        #expect(try ClientCommand(#"{"event_id": "\#(Self.id)", "action": "unsubscribe"}"#) == .unsubscribe(event))
        #expect(try ClientCommand(#"{"action": "mark_read", "notification_id": "\#(Self.id)"}"#) == .markRead(notification))
    }

    @Test("What else a message holds does no harm")
    func unknownMembers() throws {
        #expect(try ClientCommand(#"{"action": "ping", "id": 7}"#) == .ping)
    }

    @Test(
        "What is not JSON is malformed",
        arguments: ["", "ping", "{", "{'action': 'ping'}", "{}{}", #"{"action": "ping", "action": "ping"}"#])
    func malformed(text: String) throws {
        #expect(try code(of: text) == .malformed)
    }

    @Test(
        "JSON that is no command is invalid",
        arguments: [
            "null", "[]", "1", #""ping""#, "{}", #"{"action": null}"#, #"{"action": 1}"#, #"{"action": "dance"}"#, #"{"action": "PING"}"#,
            #"{"action": "subscribe"}"#, #"{"action": "subscribe", "event_id": 7}"#, #"{"action": "unsubscribe", "event_id": null}"#,
            #"{"action": "mark_read", "event_id": "0195d0a0b0c070008000a1b2c3d4e5f6"}"#,
        ])
    func invalid(text: String) throws {
        #expect(try code(of: text) == .invalid)
    }

    @Test("What is no id is the id of nothing", arguments: ["", "x", "0195d0a0b0c070008000a1b2c3d4e5f"])
    func noID(id: String) throws {
        #expect(try code(of: #"{"action": "subscribe", "event_id": "\#(id)"}"#) == .notFound)
        #expect(try code(of: #"{"action": "mark_read", "notification_id": "\#(id)"}"#) == .notFound)
    }

    @Test("A fault names its place in the message")
    func place() throws {
        let error = try #require(throws: EMSError.self) { _ = try ClientCommand(#"{"action": "subscribe"}"#) }
        #expect(error.fields.map(\.location) == [["message", "event_id"]])
        #expect(error.fields.map(\.type) == ["missing"])
    }
}
