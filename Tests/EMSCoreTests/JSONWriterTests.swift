import Testing

@testable import EMSCore

@Suite("Writing JSON")
struct JSONWriterTests {
    private func text(pretty: Bool = false, _ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(pretty: pretty)
        body(&writer)
        return writer.text
    }

    @Test(
        "Quotes, backslashes and control characters are escaped, all else stands as it is",
        arguments: [
            ("", #""""#),
            ("plain", #""plain""#),
            ("say \"hi\"", #""say \"hi\"""#),
            (#"a\b"#, #""a\\b""#),
            ("a\nb\rc\td", #""a\nb\rc\td""#),
            ("\u{0}\u{8}\u{C}\u{1F}", #""\u0000\u0008\u000c\u001f""#),
            ("\u{1B}[31m", #""\u001b[31m""#),
            ("\u{7F}", #""\u007f""#),
            ("a/b", #""a/b""#),
            ("Grüße 👩‍👩‍👧 שלום", #""Grüße 👩‍👩‍👧 שלום""#),
        ])
    func escaping(value: String, json: String) {
        #expect(text { $0.string(value) } == json)
        #expect(text { $0.object { $0.member(value, true) } } == "{\(json):true}")
    }

    @Test("The compact form has no white space")
    func compact() {
        let json = text { writer in
            writer.object {
                $0.member("a", 1)
                $0.member("b", ["x", "y"])
                $0.member("c", Optional<String>.none)
                $0.name("d")
                $0.object { _ in }
                $0.name("e")
                $0.array { $0.bool(false) }
            }
        }
        #expect(json == #"{"a":1,"b":["x","y"],"c":null,"d":{},"e":[false]}"#)
    }

    @Test("The pretty form has one member a line and two spaces a level")
    func pretty() throws {
        let value = try JSONParser.parse(#"{"a":1,"b":[1,{"x":true}],"c":{},"d":[]}"#)
        let expected = """
            {
              "a": 1,
              "b": [
                1,
                {
                  "x": true
                }
              ],
              "c": {},
              "d": []
            }
            """
        #expect(String(decoding: value.json(pretty: true), as: UTF8.self) == expected)
    }

    @Test(
        "Numbers have their shortest form that reads back the same",
        arguments: [
            (0, "0"), (1, "1"), (-1, "-1"), (100, "100"), (1.5, "1.5"), (-0.25, "-0.25"), (0.1, "0.1"), (52.520008, "52.520008"),
            (999_999_999_999_999, "999999999999999"), (.infinity, "null"), (-.infinity, "null"), (.nan, "null"),
        ] as [(Double, String)])
    func numbers(value: Double, json: String) {
        #expect(text { $0.number(value) } == json)
    }

    @Test(
        "Numbers of every size read back the same",
        arguments: [
            1e15, 1e21, 1e300, -1e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .leastNormalMagnitude, 0.1 + 0.2, 1.0 / 3,
        ] as [Double])
    func numbersReadBack(value: Double) throws {
        switch try JSONParser.parse(text { $0.number(value) }) {
        case .number(let read): #expect(read == value)
        case .integer(let read): #expect(Double(read) == value)
        case let other: Issue.record("\(other) is no number")
        }
    }

    @Test("Whole numbers of 64 bits are written in full")
    func integers() {
        #expect(text { $0.integer(Int64.max) } == "9223372036854775807")
        #expect(text { $0.integer(Int64.min) } == "-9223372036854775808")
        #expect(text { $0.integer(UInt64.max) } == "18446744073709551615")
    }

    @Test("What is written reads back as what it was, in both forms", arguments: [false, true])
    func readsBack(pretty: Bool) throws {
        let everything = String(String.UnicodeScalarView((0..<0x180).compactMap { Unicode.Scalar($0 as UInt32) }))
        let value = JSONValue.object([
            .init(name: "null", value: .null),
            .init(name: "bools", value: .array([.bool(true), .bool(false)])),
            .init(name: "numbers", value: .array([.integer(.min), .integer(.max), .number(0.1), .number(-2.5e-7)])),
            .init(name: "", value: .string(everything)),
            .init(name: everything, value: .object([.init(name: "deep", value: .array([.array([]), .object([])]))])),
        ])
        #expect(try JSONParser.parse(value.json(pretty: pretty)) == value)
    }

    @Test("An event reads back from its JSON as it was")
    func event() throws {
        let event = Event(
            title: "Launch 🚀", description: "line\nline", location: "Köln", startTime: Timestamp(milliseconds: 1_772_355_600_123),
            endTime: Timestamp(milliseconds: 1_772_359_200_000), createdBy: "operator:root", tags: ["a", "b"], maxAttendees: 7,
            status: .canceled, attachmentURL: "https://example.com/a?b=c", coordinates: Coordinates(latitude: 50.9413, longitude: 7),
            createdAt: Timestamp(milliseconds: 1_700_000_000_000), updatedAt: Timestamp(milliseconds: 1_700_000_000_001), version: 3)
        #expect(try EventRecord.event(JSONParser.parse(event.json())) == event)
    }
}
