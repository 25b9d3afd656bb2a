import Testing

@testable import EMSCore

@Suite("What an event must be")
struct EventRulesTests {
    static let now = Timestamp(milliseconds: 1_772_355_600_000)

    private func draft(title: String = "Meeting") -> EventDraft {
        EventDraft(title: title, startTime: Self.now.adding(seconds: 3600), endTime: Self.now.adding(seconds: 7200))
    }

    private func found(_ draft: EventDraft, startsAfter: Timestamp? = now) throws -> [String] {
        try faults { _ = try EventRules.accepted(draft, startsAfter: startsAfter) }.map { "\($0.place) \($0.type)" }
    }

    @Test("A plain draft is accepted as it is")
    func plain() throws {
        #expect(try EventRules.accepted(draft(), startsAfter: Self.now) == draft())
    }

    @Test(
        "A title has 1 to 100 characters",
        arguments: [(0, "body.title string_too_short"), (1, nil), (100, nil), (101, "body.title string_too_long")] as [(Int, String?)])
    func titleLength(count: Int, fault: String?) throws {
        #expect(try found(draft(title: String(repeating: "x", count: count))) == (fault.map { [$0] } ?? []))
    }

    @Test("White space around a title and a location does not count", arguments: [" x ", "\n\tx\u{A0}", "x\u{3000}"])
    func trimming(text: String) throws {
        var draft = draft(title: text)
        draft.location = text
        let accepted = try EventRules.accepted(draft, startsAfter: nil)
        #expect(accepted.title == "x")
        #expect(accepted.location == "x")
    }

    @Test("A title of nothing but white space is empty", arguments: [" ", "\n", "\u{2003}\t"])
    func blank(title: String) throws {
        #expect(try found(draft(title: title)) == ["body.title string_too_short"])
    }

    @Test(
        "Titles in every language and with emoji are accepted, and stay as they are",
        arguments: ["🎉", "👩‍👩‍👧‍👦 family day", "יום הולדת", "حفلة عيد ميلاد", "新年会", "Ёлка", "e\u{301}te\u{301}", "🇩🇪🇫🇷"])
    func languages(title: String) throws {
        let accepted = try EventRules.accepted(draft(title: title), startsAfter: Self.now)
        #expect(Array(accepted.title.unicodeScalars) == Array(title.unicodeScalars))
    }

    @Test(
        "Control characters and bidirectional overrides in a title are refused",
        arguments: ["a\u{0}b", "a\nb", "a\tb", "a\u{1B}[31mb", "a\u{7F}b", "a\u{9B}b", "a\u{202E}b", "a\u{2066}b"])
    func controls(title: String) throws {
        #expect(try found(draft(title: title)) == ["body.title value_error"])
    }

    @Test("A description may have lines and tabs, but no other control characters")
    func description() throws {
        var draft = draft()
        draft.description = "one\r\n\ttwo\n"
        #expect(try found(draft) == [])
        draft.description = "one\u{1B}two"
        #expect(try found(draft) == ["body.description value_error"])
        draft.description = String(repeating: "x", count: 10_000)
        #expect(try found(draft) == [])
        draft.description += "x"
        #expect(try found(draft) == ["body.description string_too_long"])
    }

    @Test("A location has at most 200 characters, and one line")
    func location() throws {
        var draft = draft()
        draft.location = String(repeating: "x", count: 200)
        #expect(try found(draft) == [])
        draft.location += "x"
        #expect(try found(draft) == ["body.location string_too_long"])
        draft.location = "a\nb"
        #expect(try found(draft) == ["body.location value_error"])
    }

    @Test(
        "An event ends after it starts, by a millisecond at least",
        arguments: [(-1, ["body.end_time value_error"]), (0, ["body.end_time value_error"]), (1, [])] as [(Int64, [String])])
    func end(milliseconds: Int64, faults: [String]) throws {
        var draft = draft()
        draft.endTime = Timestamp(milliseconds: draft.startTime.milliseconds + milliseconds)
        #expect(try found(draft) == faults)
    }

    @Test("A new event does not start in the past; one that exists may")
    func past() throws {
        var draft = draft()
        draft.startTime = Self.now.adding(seconds: -1)
        #expect(try found(draft) == ["body.start_time value_error"])
        #expect(try found(draft, startsAfter: nil) == [])
        draft.startTime = Self.now
        #expect(try found(draft) == [])
    }

    @Test(
        "Tags are in lower case, without white space around them, each once, in their order",
        arguments: [
            ([], []), (["Swift"], ["swift"]), (["b", "a"], ["b", "a"]), (["Swift", " swift ", "SWIFT"], ["swift"]),
            (["Neue Musik", "ÄRGER"], ["neue musik", "ärger"]),
        ] as [([String], [String])])
    func tags(given: [String], accepted: [String]) throws {
        var draft = draft()
        draft.tags = given
        #expect(try EventRules.accepted(draft, startsAfter: Self.now).tags == accepted)
    }

    @Test(
        "A tag is not empty, not too long, and holds neither commas nor control characters",
        arguments: [
            ("", "string_too_short"), ("  ", "string_too_short"), (String(repeating: "x", count: 51), "string_too_long"),
            ("a,b", "value_error"), ("a\u{0}b", "value_error"),
        ])
    func badTags(tag: String, type: String) throws {
        var draft = draft()
        draft.tags = ["fine", tag]
        #expect(try found(draft) == ["body.tags.1 \(type)"])
    }

    @Test("An event has at most 20 tags")
    func tagCount() throws {
        var draft = draft()
        draft.tags = (0..<20).map { "tag\($0)" }
        #expect(try found(draft) == [])
        draft.tags.append("one more")
        #expect(try found(draft) == ["body.tags too_long"])
    }

    @Test(
        "The number of attendees is positive and possible",
        arguments: [(-1, false), (0, false), (1, true), (10_000_000, true), (10_000_001, false), (.max, false), (.min, false)]
            as [(Int, Bool)])
    func attendees(count: Int, isAccepted: Bool) throws {
        var draft = draft()
        draft.maxAttendees = count
        #expect(try found(draft) == (isAccepted ? [] : ["body.max_attendees out_of_range"]))
    }

    @Test(
        "An attachment is an http or https URL",
        arguments: [
            ("http://example.com", true), ("https://example.com/a?b=c#d", true), ("HTTPS://EXAMPLE.COM/", true),
            ("https://例え.jp/資料", true), ("", false), ("example.com", false), ("/a", false), ("ftp://example.com", false),
            ("javascript:alert(1)", false), ("http:", false), ("http://", false), ("http:/example.com", false), ("https://a b", false),
            (" https://example.com", false), ("https://example.com/\n", false), ("https://example.com/\u{0}", false),
            ("data:text/html,x", false), ("file:///etc/passwd", false), ("https://ada:secret@example.com:8443/", true),
            ("https://[2001:db8::1]:8443/a", true), ("https://[nonsense]/", false), ("https://example.com:port/", false),
            ("https://example.com/%2F", true), ("https://example.com/%2", false), ("https://example.com/%zz", false),
            ("https://example.com/<script>", false), ("https://example.com/a\"b", false), ("https://:8080/", false),
            ("https://example.com/a#b#c", false), ("https://example.com/\u{2028}", false),
        ])
    func attachment(url: String, isAccepted: Bool) throws {
        var draft = draft()
        draft.attachmentURL = url
        #expect(try found(draft) == (isAccepted ? [] : ["body.attachment_url url_parsing"]))
    }

    @Test("An attachment's URL has at most 2000 characters")
    func attachmentLength() throws {
        var draft = draft()
        let url = "https://example.com/"
        draft.attachmentURL = url + String(repeating: "x", count: 2000 - url.count)
        #expect(try found(draft) == [])
        draft.attachmentURL = url + String(repeating: "x", count: 2001 - url.count)
        #expect(try found(draft) == ["body.attachment_url string_too_long"])
    }

    @Test(
        "Coordinates lie on the earth",
        arguments: [
            (Coordinates(latitude: 90, longitude: 180), []), (Coordinates(latitude: -90, longitude: -180), []),
            (Coordinates(latitude: 90.001, longitude: 0), ["body.coordinates.latitude out_of_range"]),
            (Coordinates(latitude: 0, longitude: -180.001), ["body.coordinates.longitude out_of_range"]),
            (
                Coordinates(latitude: .nan, longitude: .infinity),
                ["body.coordinates.latitude out_of_range", "body.coordinates.longitude out_of_range"]
            ),
        ] as [(Coordinates, [String])])
    func coordinates(place: Coordinates, faults: [String]) throws {
        var draft = draft()
        draft.coordinates = place
        #expect(try found(draft) == faults)
    }

    @Test("Everything that is wrong is told at once")
    func gathering() throws {
        let draft = EventDraft(
            title: "", location: "a\u{0}", startTime: Self.now.adding(seconds: -10), endTime: Self.now.adding(seconds: -20), tags: [""],
            maxAttendees: 0, attachmentURL: "x", coordinates: Coordinates(latitude: 100, longitude: 200))
        #expect(
            Set(try found(draft).map { String($0.prefix { $0 != " " }) }) == [
                "body.title", "body.location", "body.start_time", "body.end_time", "body.tags.0", "body.max_attendees",
                "body.attachment_url",
                "body.coordinates.latitude", "body.coordinates.longitude",
            ])
    }
}
