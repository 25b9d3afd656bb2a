import Testing

@testable import EMSCore

@Suite("Changes, as they are stored and published")
struct ChangeTests {
    private static let then = Timestamp(milliseconds: 1_900_000_000_000)
    private static let id = ChangeID("01a2233814e271d6b5c0717a57c117da")
    private static let eventID = EventID("01a2233814ca727293e7cbc809e4e7ab")
    private static let user = User(username: "ada", email: "ada@example.com", createdAt: then)

    private static func event(_ edit: (inout Event) -> Void = { _ in }) throws -> Event {
        var event = Event(
            id: try #require(eventID), title: "Concert \u{1F3B5}", description: "\"Loud\"\n", location: "Vienna", startTime: then,
            endTime: then.adding(seconds: 3600), createdBy: "operator:root", tags: ["a", "b"], maxAttendees: 5,
            coordinates: Coordinates(latitude: 48.2, longitude: 16.37), createdAt: then,
            origin: EventOrigin(key: "uid@example.com", sequence: 2, properties: "ATTENDEE:mailto:private@example.com"),
            importKey: ImportKey(bytes: (0..<16).map { UInt8($0) }))
        edit(&event)
        return event
    }

    private static func changed(_ edit: (inout Event) -> Void) throws -> Change {
        let earlier = try event()
        var later = earlier
        later.version = 2
        edit(&later)
        return Change.updated(earlier, to: later, by: Principal(.operator("root"), via: ChangeSource(.cli)), at: then)
    }

    private static let recorded = #"""
        {"event_id":"01a2233814ca727293e7cbc809e4e7ab","title":"Concert \u{1F3B5}","description":"\"Loud\"\n","location":"Vienna",\#
        "start_time":"2030-03-17T17:46:40.000Z","end_time":"2030-03-17T18:46:40.000Z","created_by":"operator:root","tags":["a","b"],\#
        "max_attendees":5,"status":"scheduled","coordinates":{"latitude":48.2,"longitude":16.37},\#
        "created_at":"2030-03-17T17:46:40.000Z","updated_at":"2030-03-17T17:46:40.000Z","version":1,\#
        "origin":{"external_id":"uid@example.com","external_sequence":2,"external_properties":"ATTENDEE:mailto:private@example.com"},\#
        "import_key":"000102030405060708090a0b0c0d0e0f"}
        """#.replacing(#"\u{1F3B5}"#, with: "\u{1F3B5}")

    @Test("An event is recorded in format 1, and read as it was")
    func eventRecord() throws {
        let event = try Self.event()
        let record = EventRecord.record(event)
        #expect(record.text == Self.recorded)
        #expect(try EventRecord.event(record.value()) == event)
        let bare = try Self.event {
            ($0.maxAttendees, $0.coordinates, $0.origin) = (nil, nil, nil)
            $0.attachmentURL = "https://example.com"
        }
        #expect(try EventRecord.event(EventRecord.record(bare).value()) == bare)
    }

    @Test("A change is recorded in format 1 with who did it and how it came in, and read as it was")
    func changeRecord() throws {
        let trace = try #require(TraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
        let source = ChangeSource(.http, address: "192.0.2.1", requestID: "r-1", traceparent: trace)
        let earlier = try Self.event()
        let later = try Self.event {
            ($0.location, $0.maxAttendees, $0.attachmentURL, $0.version) = ("Graz", nil, "https://example.com", 2)
        }
        let change = Change.updated(earlier, to: later, by: Principal(.user(Self.user), via: source), at: Self.then)
        let json = try JSONParser.parse(change.json())
        #expect(json["format"] == 1)
        #expect(json["subject"] == ["type": "event", "id": "01a2233814ca727293e7cbc809e4e7ab"])
        #expect(json["action"] == "updated")
        #expect(json["version"] == 2)
        #expect(json["actor"] == ["type": "user", "id": .string(Self.user.id.description), "name": "ada"])
        #expect(json["source"] == ["kind": "http", "address": "192.0.2.1", "request_id": "r-1"])
        #expect(json["traceparent"] == .string(trace.description))
        #expect(json["before"] == ["location": "Vienna", "max_attendees": 5, "attachment_url": .null])
        #expect(try Change(id: change.id, record: change.json()) == change)
        #expect(try change.event() == later)
        #expect(try change.changedFields() == ["location", "max_attendees", "attachment_url"])
    }

    @Test("A deletion records everything that is gone")
    func deletion() throws {
        let change = Change.deleted(try Self.event(), by: Principal(.operator("root"), via: ChangeSource(.cron)), at: Self.then)
        #expect(change.after == nil)
        #expect(change.before?.text == Self.recorded)
        #expect(try Change(id: change.id, record: change.json()) == change)
        #expect(try change.event() == Self.event())
    }

    @Test("A message shows what clients see, and no more")
    func message() throws {
        let change = try Self.changed { $0.title = "Recital" }
        let body = try change.message()
        let json = try JSONParser.parse(body)
        #expect(json["type"] == "event")
        #expect(json["action"] == "updated")
        #expect(json["data"]?["title"] == "Recital")
        #expect(json["before"]?["title"] == "Concert \u{1F3B5}")
        #expect(json["data"]?["attachment_url"] == .null)
        #expect(!String(decoding: body, as: UTF8.self).contains("private@example.com"))
        let source = ChangeSource(.http, address: "192.0.2.1", requestID: "r")
        let other = Change.created(try Self.event(), by: Principal(.user(Self.user), via: source), at: Self.then)
        let text = String(decoding: try other.message(), as: UTF8.self)
        #expect(!text.contains("192.0.2.1") && text.contains(#""request_id":"r""#))
        let read = try Change(id: change.id, message: body)
        #expect(try read.changedFields() == ["title"])
        #expect(read.actor == change.actor)
        #expect(read.source == change.source)
    }

    @Test("Messages and pending changes of version 0.1.0 are read")
    func oldForms() throws {
        let body = #"""
            {"type":"event","action":"updated","actor":"ada","timestamp":"2026-03-01T09:00:00.000Z","data":{\#
            "event_id":"01a2233814ca727293e7cbc809e4e7ab","title":"Concert","description":"","location":"",\#
            "start_time":"2030-03-17T17:46:40.000Z","end_time":"2030-03-17T18:46:40.000Z","created_by":"operator:root","tags":[],\#
            "max_attendees":null,"status":"scheduled","attachment_url":null,"coordinates":null,\#
            "created_at":"2030-03-17T17:46:40.000Z","updated_at":"2030-03-17T17:46:40.000Z","version":7}}
            """#
        let id = try #require(Self.id)
        for change in [try Change(id: id, message: Array(body.utf8)), try Change(id: id, record: Array(body.utf8))] {
            #expect(change.action == .updated)
            #expect(change.version == 7)
            #expect(change.actor == Actor(kind: .user, id: nil, name: "ada"))
            #expect(change.source == ChangeSource(.broker))
            #expect(try change.event().title == "Concert")
            #expect(try change.changedFields() == [])
            #expect(try NotificationService.addressed(change)?.notification.kind == .eventUpdated)
        }
    }

    @Test(
        "What is no change is refused with a reason",
        arguments: [
            "", "no JSON", "[]", "{}", #"{"format": 2}"#, #"{"format": 1, "subject": {"type": "event", "id": "x"}}"#,
            #"{"format": 1, "action": "exploded", "timestamp": "2026-01-01T00:00:00Z", "subject": {"type": "event", "id": "x"}}"#,
            #"{"format": 1, "action": "created", "timestamp": "2026-01-01T00:00:00Z", "subject": {"type": "planet", "id": "x"}}"#,
        ])
    func damaged(record: String) throws {
        let id = try #require(Self.id)
        #expect(throws: EMSError.self) { try Change(id: id, record: Array(record.utf8)) }
    }

    @Test("The kind of a notification says what matters most of an update")
    func kinds() throws {
        func kind(_ edit: (inout Event) -> Void) throws -> Notification.Kind? {
            try NotificationService.addressed(Self.changed(edit))?.notification.kind
        }
        #expect(try kind { $0.title = "Recital" } == .eventUpdated)
        #expect(try kind { $0.location = "Graz" } == .eventMoved)
        #expect(try kind { $0.coordinates = nil } == .eventMoved)
        #expect(try kind { $0.endTime = $0.endTime.adding(seconds: 1) } == .eventRescheduled)
        #expect(
            try kind {
                $0.startTime = $0.startTime.adding(seconds: 1)
                $0.location = "Graz"
            } == .eventRescheduled)
        #expect(
            try kind {
                $0.startTime = $0.startTime.adding(seconds: 1)
                $0.status = .canceled
            } == .eventCanceled)
        #expect(try kind { $0.status = .completed } == .eventUpdated)
        let notification = try #require(NotificationService.addressed(Self.changed { $0.location = "Graz" })?.notification)
        #expect(notification.changes == ["location"])
        #expect(notification.event?.action == "updated")
    }

    @Test(
        "Only a valid traceparent of version 00 is taken",
        arguments: [
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true),
            ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
            ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", false), ("", false), ("----", false),
        ])
    func traceParent(text: String, isValid: Bool) {
        #expect((TraceParent(text) != nil) == isValid)
    }
}
