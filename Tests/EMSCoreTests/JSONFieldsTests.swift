import Testing

@testable import EMSCore

@Suite("Reading the fields of JSON")
struct JSONFieldsTests {
    @Test("Members of the right type are read")
    func reading() throws {
        let json = try JSONParser.parse(
            #"""
            {"title": "x", "count": 3, "at": "2026-03-01T09:00:00Z", "tags": ["a"], "place": {"latitude": 1, "longitude": -2.5}}
            """#)
        var fields = JSONFields(json)
        #expect(fields.requiredString("title") == "x")
        #expect(fields.integer("count") == 3)
        #expect(fields.requiredTimestamp("at") == Timestamp(milliseconds: 1_772_355_600_000))
        #expect(fields.strings("tags") == ["a"])
        #expect(fields.coordinates("place") == Coordinates(latitude: 1, longitude: -2.5))
        #expect(fields.has("title"))
        #expect(!fields.has("subtitle"))
        try fields.finish()
    }

    @Test("What is absent or null is nil, and no fault where it is not required", arguments: ["{}", #"{"a": null}"#])
    func absence(text: String) throws {
        var fields = JSONFields(try JSONParser.parse(text))
        #expect(fields.string("a") == nil)
        #expect(fields.integer("a") == nil)
        #expect(fields.timestamp("a") == nil)
        #expect(fields.strings("a") == nil)
        #expect(fields.coordinates("a") == nil)
        try fields.finish()
    }

    @Test("Null stands in the object all the same")
    func presence() throws {
        let fields = JSONFields(try JSONParser.parse(#"{"a": null}"#))
        #expect(fields.has("a"))
    }

    @Test("What a person wrote holds no unknown members, and the closest name is in the error; what cannot be written is ignored")
    func unknownMembers() throws {
        var fields = JSONFields(try JSONParser.parse(#"{"title": "x", "locaton": "y", "version": 3, "\u001b[31m": null}"#))
        _ = (fields.string("title"), fields.string("location"))
        let error = #expect(throws: EMSError.self) { try fields.finish(ignoring: ["version"]) }
        let found = try #require(error).fields
        #expect(found.map(\.type) == ["extra_forbidden", "extra_forbidden"])
        #expect(found.first?.location == ["body", "locaton"] && found.first?.message.contains("'location'") == true)
        #expect(found.last?.location == ["body", "\u{FFFD}[31m"])
    }

    @Test("A required member that is absent or null is missing", arguments: ["{}", #"{"a": null}"#])
    func missing(text: String) throws {
        var fields = JSONFields(try JSONParser.parse(text))
        _ = fields.requiredString("a")
        #expect(fields.errors.map(\.place) == ["body.a"])
        #expect(fields.errors.map(\.type) == ["missing"])
    }

    @Test(
        "A member of another type is a fault of its own type, at its place",
        arguments: [
            (#"{"string": 1}"#, "string", "string_type"),
            (#"{"integer": "1"}"#, "integer", "int_type"),
            (#"{"integer": 1.5}"#, "integer", "int_type"),
            (#"{"integer": true}"#, "integer", "int_type"),
            (#"{"timestamp": 1}"#, "timestamp", "datetime_type"),
            (#"{"timestamp": "tomorrow"}"#, "timestamp", "datetime_parsing"),
            (#"{"strings": "a"}"#, "strings", "list_type"),
            (#"{"strings": ["a", 1]}"#, "strings", "list_type"),
            (#"{"strings": [null]}"#, "strings", "list_type"),
            (#"{"coordinates": [1, 2]}"#, "coordinates", "coordinates_type"),
            (#"{"coordinates": {"latitude": 1}}"#, "coordinates", "coordinates_type"),
            (#"{"coordinates": {"latitude": "1", "longitude": 2}}"#, "coordinates", "coordinates_type"),
        ])
    func types(text: String, name: String, type: String) throws {
        var fields = JSONFields(try JSONParser.parse(text), at: ["body", "inner"])
        _ = fields.string("string")
        _ = fields.integer("integer")
        _ = fields.timestamp("timestamp")
        _ = fields.strings("strings")
        _ = fields.coordinates("coordinates")
        #expect(fields.errors.map(\.location) == [["body", "inner", name]])
        #expect(fields.errors.map(\.type) == [type])
    }

    @Test("What is no object is one fault, not one for every member", arguments: ["null", "1", "[]", #""text""#])
    func noObject(text: String) throws {
        var fields = JSONFields(try JSONParser.parse(text))
        _ = fields.requiredString("a")
        _ = fields.requiredTimestamp("b")
        _ = fields.integer("c")
        #expect(fields.errors.map(\.place) == ["body"])
        #expect(fields.errors.map(\.type) == ["object_type"])
    }

    @Test("All faults of a body are gathered and thrown together")
    func gathering() throws {
        let json = try JSONParser.parse(
            #"""
            {"description": 1, "start_time": "soon", "tags": "a", "max_attendees": "many", "status": "open", "coordinates": 7}
            """#)
        let found = try faults { _ = try EventDraft(json) }
        #expect(
            Set(found.map { "\($0.place) \($0.type)" }) == [
                "body.title missing", "body.description string_type", "body.start_time datetime_parsing", "body.end_time missing",
                "body.tags list_type", "body.max_attendees int_type", "body.status enum", "body.coordinates coordinates_type",
            ])
        #expect(found.count == 8)
    }

    @Test("A value that cannot stand is rejected with the caller's words")
    func rejecting() throws {
        var fields = JSONFields(try JSONParser.parse(#"{"a": "b"}"#))
        fields.reject("a", "must be c", type: "enum")
        let error = try #require(throws: EMSError.self) { try fields.finish() }
        #expect(error.code == .invalid)
        #expect(error.fields == [FieldError(["body", "a"], "must be c", type: "enum")])
        #expect(error.message == "a must be c")
    }

    @Test("A fault has loc, msg and type in JSON")
    func encoding() {
        let fault = FieldError(["body", "title"], "is required", type: "missing")
        #expect(String(decoding: fault.json(), as: UTF8.self) == #"{"loc":["body","title"],"msg":"is required","type":"missing"}"#)
    }

    @Test(
        "A merge patch changes what it names, takes away what it nulls, and goes into objects (RFC 7396)",
        arguments: [
            (#"{"a": "b"}"#, #"{"a": "c"}"#, #"{"a": "c"}"#),
            (#"{"a": "b"}"#, #"{"b": "c"}"#, #"{"a": "b", "b": "c"}"#),
            (#"{"a": "b", "b": "c"}"#, #"{"a": null}"#, #"{"b": "c"}"#),
            (#"{"a": ["b"]}"#, #"{"a": "c"}"#, #"{"a": "c"}"#),
            (#"{"a": {"b": "c"}}"#, #"{"a": {"b": "d", "c": null}}"#, #"{"a": {"b": "d"}}"#),
            (#"{"a": "foo"}"#, #"["c"]"#, #"["c"]"#),
            (#"{}"#, #"{"a": {"bb": {"ccc": null}}}"#, #"{"a": {"bb": {}}}"#),
        ])
    func mergePatch(target: String, patch: String, expected: String) throws {
        #expect(try JSONParser.parse(target).merged(with: JSONParser.parse(patch)) == JSONParser.parse(expected))
    }

    @Test("A patch of a hundred thousand members is merged member by member, the last word of each counting")
    func longMergePatch() {
        let members = (0..<100_000).map { JSONValue.Member(name: "m\($0)", value: .integer(Int64($0))) }
        let removals = members.prefix(99_999).map { JSONValue.Member(name: $0.name, value: .null) }
        let all = JSONValue.object([]).merged(with: .object(members))
        #expect(all == .object(members))
        let rest = all.merged(with: .object(removals + [.init(name: "m0", value: "again")]))
        #expect(rest == .object([members[99_999], .init(name: "m0", value: "again")]))
    }

    @Test("A draft after a merge patch is the draft with what it names; required fields cannot be taken away")
    func patchedDraft() throws {
        let day: Int64 = 86_400_000
        let draft = EventDraft(
            title: "One", startTime: Timestamp(milliseconds: day), endTime: Timestamp(milliseconds: 2 * day), tags: ["a"], maxAttendees: 5,
            coordinates: Coordinates(latitude: 1, longitude: 2))
        #expect(try draft.merged(with: JSONParser.parse("{}")) == draft)
        let changed = try draft.merged(with: JSONParser.parse(#"{"max_attendees": null, "coordinates": {"latitude": 3.5}}"#))
        #expect(changed.maxAttendees == nil)
        #expect(changed.coordinates == Coordinates(latitude: 3.5, longitude: 2))
        let found = try faults { _ = try draft.merged(with: JSONParser.parse(#"{"title": null, "tags": "x"}"#)) }
        #expect(Set(found.map(\.location)) == [["body", "title"], ["body", "tags"]])
    }
}
