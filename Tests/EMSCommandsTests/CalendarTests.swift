import EMSCore
import Testing

@testable import EMSCommands

@Suite("iCalendar")
struct CalendarTests {
    private func read(_ lines: String, zone: Zone = .utc, piece: Int = 1000) throws -> [BulkRecord] {
        let bytes = Array("BEGIN:VCALENDAR\nVERSION:2.0\n\(lines)\nEND:VCALENDAR\n".utf8)
        var scan = CalendarScan()
        try scan.read(bytes)
        try scan.finish()
        var reader = CalendarReader(zone: zone, scopes: scan.scopes)
        var records: [BulkRecord] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            records += try reader.read(Array(bytes[start..<min(start + piece, bytes.count)]))
        }
        return records + (try reader.finish())
    }

    private func event(_ lines: String..., zone: Zone = .utc) throws -> JSONValue {
        let all = ["BEGIN:VEVENT", "SUMMARY:Gala"] + lines + ["END:VEVENT"]
        let records = try read(all.joined(separator: "\n"), zone: zone)
        return try #require(records.first).content.get()
    }

    private func times(_ record: JSONValue) -> [String?] { [record["start_time"]?.string, record["end_time"]?.string] }

    @Test("Folded lines are one, wherever the pieces are cut", arguments: 1...9)
    func folded(piece: Int) throws {
        let text = "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Ga\r\n la \r\n\tä\r\nDTSTART:20400101T000000Z\r\nDURATION:PT1H\r\nEND:VEVENT"
        let record = try #require(try read(text, piece: piece).first)
        #expect(record.line == 3)
        #expect(try record.content.get()["title"] == .string("Gala ä"))
    }

    @Test("Escaped texts mean what RFC 5545, section 3.3.11, says")
    func escapes() throws {
        let record = try event(
            "DTSTART:20400101T000000Z", "DTEND:20400101T010000Z", #"DESCRIPTION:a\, b\; c\\ d\ne\Nf"#, #"CATEGORIES:one,t\\wo"#,
            "CATEGORIES:three")
        #expect(record["description"] == .string("a, b; c\\ d\ne\nf"))
        #expect(record["tags"] == .array([.string("one"), .string("t\\wo"), .string("three")]))
    }

    @Test("Times are found by zone, by date, and by duration")
    func zones() throws {
        let vienna = try #require(Zone(name: "Europe/Vienna"))
        #expect(
            try times(event("DTSTART;TZID=America/New_York:20400701T090000", "DTEND:20400701T140000Z"))
                == ["2040-07-01T13:00:00.000Z", "2040-07-01T14:00:00.000Z"])
        #expect(
            try times(event("DTSTART:20400701T090000", "DURATION:P1DT2H", zone: vienna))
                == ["2040-07-01T07:00:00.000Z", "2040-07-02T09:00:00.000Z"])
        #expect(
            try times(event("DTSTART;VALUE=DATE:20401028", zone: vienna)) == ["2040-10-27T22:00:00.000Z", "2040-10-28T23:00:00.000Z"])
    }

    @Test("A zone that the calendar defines itself counts, with its yearly rules")
    func ownZone() throws {
        let zone = """
            BEGIN:VTIMEZONE
            TZID:Büro
            BEGIN:STANDARD
            DTSTART:16010101T030000
            TZOFFSETFROM:+0200
            TZOFFSETTO:+0100
            RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
            END:STANDARD
            BEGIN:DAYLIGHT
            DTSTART:16010101T020000
            TZOFFSETFROM:+0100
            TZOFFSETTO:+0200
            RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
            END:DAYLIGHT
            END:VTIMEZONE
            """
        for (clock, moment) in [
            ("20400115T090000", "2040-01-15T08:00:00.000Z"), ("20400715T090000", "2040-07-15T07:00:00.000Z"),
            ("20400325T030000", "2040-03-25T01:00:00.000Z"), ("20400325T015900", "2040-03-25T00:59:00.000Z"),
            ("20401028T023000", "2040-10-28T00:30:00.000Z"), ("20401028T030000", "2040-10-28T02:00:00.000Z"),
        ] {
            let lines = "\(zone)\nBEGIN:VEVENT\nSUMMARY:x\nDTSTART;TZID=Büro:\(clock)\nDURATION:PT1H\nEND:VEVENT"
            let record = try #require(try read(lines).first).content.get()
            #expect(record["start_time"] == .string(moment), "\(clock)")
        }
    }

    @Test(
        "What an event here cannot be is told, with its line",
        arguments: [
            ("RRULE:FREQ=DAILY", "RRULE"), ("RECURRENCE-ID:20400101T000000Z", "RECURRENCE-ID"), ("RDATE:20400102T000000Z", "RDATE"),
            ("EXRULE:FREQ=DAILY", "EXRULE"),
        ])
    func refused(line: String, word: String) throws {
        let text = "BEGIN:VEVENT\nSUMMARY:x\nDTSTART:20400101T000000Z\nDTEND:20400101T010000Z\n\(line)\nEND:VEVENT\nBEGIN:VTODO\nEND:VTODO"
        let records = try read(text)
        #expect(records.map(\.line) == [3, 9])
        #expect(throws: EMSError.self) { try records[0].content.get() }
        guard case .failure(let error) = records[0].content else { return }
        #expect(error.message.contains(word))
        #expect(throws: EMSError.self) { try records[1].content.get() }
    }

    @Test(
        "What is optional and cannot be read is told, and the event is not lost",
        arguments: [
            ("STATUS:DONE", "STATUS"), ("GEO:1", "GEO"), ("GEO:null;null", "GEO"), ("GEO:91;0", "GEO"), ("X-EMS-MAX-ATTENDEES:many", "MAX"),
        ])
    func optional(line: String, word: String) throws {
        let text = "BEGIN:VEVENT\nSUMMARY:x\nDTSTART:20400101T000000Z\nDTEND:20400101T010000Z\n\(line)\nEND:VEVENT"
        let record = try #require(try read(text).first)
        #expect(try record.content.get()["title"] == .string("x"))
        #expect(record.warnings.count == 1)
        #expect(record.warnings.first?.contains(word) == true)
    }

    @Test("An event without an end is an instant: one second, the shortest there is")
    func instant() throws {
        #expect(try times(event("DTSTART:20400101T000000Z")) == ["2040-01-01T00:00:00.000Z", "2040-01-01T00:00:01.000Z"])
        #expect(
            try times(event("DTSTART:20400101T000000Z", "DTEND:20400101T000000Z"))
                == ["2040-01-01T00:00:00.000Z", "2040-01-01T00:00:01.000Z"])
        #expect(
            try times(event("DTSTART:20400101T000000Z", "DURATION:PT0S"))
                == ["2040-01-01T00:00:00.000Z", "2040-01-01T00:00:01.000Z"])
    }

    @Test(
        "A duration that no event can have is refused",
        arguments: ["P999999999999W", "PT999999999999999999S", "-PT1H", "P", "PT", "P1D1D", "PT1H1H"])
    func duration(text: String) {
        #expect(throws: EMSError.self) { try event("DTSTART:20400101T000000Z", "DURATION:\(text)") }
    }

    @Test("Windows' names are zones, abbreviations are none, and the calendar's own zone goes before both")
    func zoneNames() throws {
        #expect(
            try times(event("DTSTART;TZID=\"W. Europe Standard Time\":20400701T090000", "DURATION:PT1H")).first
                == "2040-07-01T07:00:00.000Z")
        for name in ["EST", "IST", "BST"] {
            #expect(throws: EMSError.self) { try event("DTSTART;TZID=\(name):20400701T090000", "DURATION:PT1H") }
        }
        let own =
            "BEGIN:VTIMEZONE\nTZID:Europe/Vienna\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0500\n"
            + "TZOFFSETTO:+0500\nEND:STANDARD\nEND:VTIMEZONE\n"
        let text = own + "BEGIN:VEVENT\nSUMMARY:x\nDTSTART;TZID=Europe/Vienna:20400701T090000\nDURATION:PT1H\nEND:VEVENT"
        #expect(try #require(try read(text).first).content.get()["start_time"] == .string("2040-07-01T04:00:00.000Z"))
    }

    @Test("Behind the last change that a definition lists, a zone of the same name goes on")
    func listedZone() throws {
        let own =
            "BEGIN:VTIMEZONE\nTZID:Europe/Vienna\nBEGIN:STANDARD\nDTSTART:20361026T030000\nTZOFFSETFROM:+0200\n"
            + "TZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n"
        let text = own + "BEGIN:VEVENT\nSUMMARY:x\nDTSTART;TZID=Europe/Vienna:20400701T090000\nDURATION:PT1H\nEND:VEVENT"
        #expect(try #require(try read(text).first).content.get()["start_time"] == .string("2040-07-01T07:00:00.000Z"))
    }

    @Test("X-WR-TIMEZONE is the zone of times that name none")
    func defaultZone() throws {
        let text = "X-WR-TIMEZONE:America/New_York\nBEGIN:VEVENT\nSUMMARY:x\nDTSTART:20400701T090000\nDURATION:PT1H\nEND:VEVENT"
        #expect(try #require(try read(text).first).content.get()["start_time"] == .string("2040-07-01T13:00:00.000Z"))
    }

    @Test("A zone that is not known, a time that there is not, a file that is no calendar: told")
    func broken() throws {
        #expect(throws: EMSError.self) { try event("DTSTART;TZID=Nowhere:20400101T000000", "DURATION:PT1H") }
        #expect(throws: EMSError.self) { try event("DTSTART:20400132T000000Z", "DURATION:PT1H") }
        var reader = CalendarReader(zone: .utc)
        _ = try reader.read(Array("{}\n".utf8))
        #expect(throws: EMSError.self) { try reader.finish() }
    }

    @Test("What is no field of ours goes through unchanged, as does what says more than our field")
    func kept() throws {
        let lines = [
            "UID:a\\,b@example.com", "SEQUENCE:4", "SUMMARY;LANGUAGE=de:Gala", "DTSTART;TZID=Europe/Vienna:20400701T090000",
            "DTEND;TZID=Europe/Vienna:20400701T100000", "STATUS:TENTATIVE", "X-ROOM;X-A=\"b:c\":7",
            "ATTENDEE;CN=\"A, B\":mailto:a@example.com",
            "URL:https://example.com/x", "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:soon", "TRIGGER:-PT5M", "END:VALARM",
        ]
        let record = try #require(try read((["BEGIN:VEVENT"] + lines + ["END:VEVENT"]).joined(separator: "\n")).first).content.get()
        let draft = try EventRules.accepted(EventDraft(imported: record), startsAfter: nil)
        #expect(draft.origin?.key == "a,b@example.com")
        #expect(draft.origin?.sequence == 4)
        let event = Event(
            title: draft.title, description: draft.description, location: draft.location, startTime: draft.startTime,
            endTime: draft.endTime, createdBy: "operator:root", createdAt: draft.startTime, origin: draft.origin)
        let written = CalendarEvent.text(of: event, in: .utc).replacing("\r\n ", with: "").split(separator: "\r\n").map(String.init)
        for line in lines { #expect(written.contains(line), "\(line)") }
        // An event that was moved since is written where it is now.
        var moved = event
        moved.endTime = event.endTime.adding(seconds: 60)
        #expect(CalendarEvent.text(of: moved, in: .utc).contains("DTEND:20400701T080100Z"))
    }

    @Test("What is written is read as the same event, and no line is longer than 75 bytes")
    func roundTrip() throws {
        let event = Event(
            title: "Größe; \\ Komma, 🙂", description: String(repeating: "日本語 äöü, ", count: 30) + "\nZeile", location: "Wien\\",
            startTime: Timestamp(milliseconds: 2_214_126_000_000), endTime: Timestamp(milliseconds: 2_214_129_600_000),
            createdBy: "operator:root", tags: ["a b", "c;d"], maxAttendees: 7, status: .completed,
            attachmentURL: "https://example.com/a?b=c,d",
            coordinates: Coordinates(latitude: -1.5, longitude: 100.25), createdAt: Timestamp(milliseconds: 2_000_000_000_000))
        let text = CalendarEvent.text(of: event, in: Zone(name: "Europe/Vienna") ?? .utc)
        #expect(text.utf8.split(separator: 0x0A).allSatisfy { $0.count <= 76 })
        let record = try #require(try read(text).first).content.get()
        #expect(record["event_id"] == .string(event.id.description))
        #expect(try EventDraft(imported: record) == EventDraft(event))
    }
}
