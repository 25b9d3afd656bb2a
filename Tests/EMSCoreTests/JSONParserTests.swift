import Testing

@testable import EMSCore

@Suite("Parsing JSON")
struct JSONParserTests {
    @Test(
        "Every kind of value is read",
        arguments: [
            ("null", .null),
            ("true", .bool(true)),
            ("false", .bool(false)),
            ("0", .integer(0)),
            ("-0", .integer(0)),
            ("42", .integer(42)),
            ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)),
            ("1.5", .number(1.5)),
            ("-0.25", .number(-0.25)),
            ("1e2", .number(100)),
            ("1E+2", .number(100)),
            ("12e-1", .number(1.2)),
            ("\"\"", .string("")),
            ("\"Grüße 👩‍👩‍👧 שלום\"", .string("Grüße 👩‍👩‍👧 שלום")),
            ("[]", .array([])),
            ("[1, [2], \"3\"]", .array([.integer(1), .array([.integer(2)]), .string("3")])),
            ("{}", .object([])),
            (" \t\r\n { \"a\" : 1 } \n", .object([.init(name: "a", value: .integer(1))])),
        ] as [(String, JSONValue)])
    func values(text: String, value: JSONValue) throws {
        #expect(try JSONParser.parse(text) == value)
    }

    @Test("Objects keep the order of their members")
    func order() throws {
        let json = try JSONParser.parse(#"{"z": 1, "a": 2, "m": 3}"#)
        guard case .object(let members) = json else {
            Issue.record("\(json) is no object")
            return
        }
        #expect(members.map(\.name) == ["z", "a", "m"])
        #expect(json["a"] == .integer(2))
        #expect(json["b"] == nil)
    }

    @Test("Bytes of any sequence are read")
    func sequences() throws {
        #expect(try JSONParser.parse(AnySequence("[1]".utf8)) == .array([.integer(1)]))
        #expect(try JSONParser.parse(Array("[1]".utf8)) == .array([.integer(1)]))
    }

    @Test("Every escape is read")
    func escapes() throws {
        let json = try JSONParser.parse(#""\" \\ \/ \b \f \n \r \t \u0041 \u00e9 \u00E9 \u20AC \u0000""#)
        #expect(json == .string("\" \\ / \u{8} \u{C} \n \r \t A \u{E9} \u{E9} \u{20AC} \u{0}"))
    }

    @Test("A pair of surrogates is one character")
    func surrogates() throws {
        #expect(try JSONParser.parse(#""\uD83D\uDE00""#) == .string("\u{1F600}"))
        #expect(try JSONParser.parse(#""\udbff\udfff""#) == .string("\u{10FFFF}"))
    }

    @Test(
        "A surrogate without its other half is refused",
        arguments: [
            #""\uD83D""#, #""\uDE00""#, #""\uD83Dx""#, #""\uD83D\n""#, #""\uD83D\uD83D""#, #""\uD83D\u0041""#, #""\uDE00\uD83D""#,
        ])
    func loneSurrogates(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(text) }
    }

    struct Fault: Sendable {
        let text: String
        let line: Int
        let column: Int
        let words: String

        init(_ text: String, _ line: Int, _ column: Int, _ words: String) {
            (self.text, self.line, self.column, self.words) = (text, line, column, words)
        }
    }

    @Test(
        "A syntax error is told with its line and column",
        arguments: [
            Fault("", 1, 1, "ends"),
            Fault("  ", 1, 3, "ends"),
            Fault("\n\n ", 3, 2, "ends"),
            Fault("{", 1, 2, "member name"),
            Fault("{a: 1}", 1, 2, "member name"),
            Fault("{\"a\" 1}", 1, 6, "colon"),
            Fault("{\"a\":}", 1, 6, "value"),
            Fault("{\"a\":1 \"b\":2}", 1, 8, "comma"),
            Fault("{\"a\":1,}", 1, 8, "member name"),
            Fault("{\"a\":1", 1, 7, "brace"),
            Fault("{\"a\":1]", 1, 7, "brace"),
            Fault("[1 2]", 1, 4, "comma"),
            Fault("[1,]", 1, 4, "value"),
            Fault("[,1]", 1, 2, "value"),
            Fault("[1", 1, 3, "bracket"),
            Fault("[1,\n2,\n3", 3, 2, "bracket"),
            Fault("{}x", 1, 3, "after the end"),
            Fault("1 2", 1, 3, "after the end"),
            Fault("tru", 1, 1, "value"),
            Fault("nul1", 1, 1, "value"),
            Fault("True", 1, 1, "value"),
            Fault("NaN", 1, 1, "value"),
            Fault("'a'", 1, 1, "value"),
            Fault("+1", 1, 1, "value"),
            Fault(".5", 1, 1, "value"),
            Fault("01", 1, 2, "zero"),
            Fault("-01", 1, 3, "zero"),
            Fault("-", 1, 2, "digit"),
            Fault("1.", 1, 3, "digit"),
            Fault("1.e5", 1, 3, "digit"),
            Fault("1e", 1, 3, "digit"),
            Fault("1e+", 1, 4, "digit"),
            Fault("[1e999]", 1, 2, "range"),
            Fault("[-1e999]", 1, 2, "range"),
            Fault("\"abc", 1, 5, "string"),
            Fault("\"a\\", 1, 4, "string"),
            Fault("\"a\nb\"", 1, 3, "control character"),
            Fault("\"a\tb\"", 1, 3, "control character"),
            Fault("\"\u{0}\"", 1, 2, "control character"),
            Fault("\"\\x\"", 1, 3, "escape"),
            Fault("\"\\U0041\"", 1, 3, "escape"),
            Fault("\"\\u12g4\"", 1, 6, "hex"),
            Fault("\"\\u12", 1, 6, "hex"),
            Fault("{\"a\":1,\n \"a\":2}", 2, 2, "twice"),
            Fault("{\n  \"a\": 1,\n  \"b\": ?\n}", 3, 8, "value"),
            Fault("[1] // one", 1, 5, "after the end"),
        ])
    func syntaxErrors(_ fault: Fault) throws {
        let error = try #require(throws: JSONSyntaxError.self) { try JSONParser.parse(fault.text) }
        #expect(error.line == fault.line)
        #expect(error.column == fault.column)
        #expect(error.reason.contains(fault.words))
    }

    @Test("The error reads as a sentence with its place")
    func description() throws {
        let error = try #require(throws: JSONSyntaxError.self) { try JSONParser.parse("[1,\n ?]") }
        #expect(error.description == "a value should be here at line 2, column 2")
    }

    @Test("Duplicate names are refused, also where one is written with an escape")
    func duplicates() {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(#"{"a": 1, "b": 2, "a": 1}"#) }
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(#"{"a": 1, "\u0061": 2}"#) }
    }

    @Test("The same name may stand in different objects")
    func sameNames() throws {
        let json = try JSONParser.parse(#"[{"a": {"a": 1}}, {"a": 2}]"#)
        #expect(json != .null)
    }

    @Test("As many levels as the limit are read, one more is refused where it opens")
    func depth() throws {
        let limit = JSONParser.depthLimit
        let deepest = String(repeating: "[", count: limit) + String(repeating: "]", count: limit)
        #expect(throws: Never.self) { try JSONParser.parse(deepest) }
        let error = try #require(throws: JSONSyntaxError.self) { try JSONParser.parse("[" + deepest + "]") }
        #expect(error.line == 1)
        #expect(error.column == limit + 1)
        let objects = String(repeating: "{\"a\":", count: limit + 1) + "1" + String(repeating: "}", count: limit + 1)
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(objects) }
    }

    @Test("A hundred thousand levels are refused, not followed")
    func depthBomb() {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(String(repeating: "[", count: 100_000)) }
    }

    @Test("Only levels count towards the limit, not neighbours")
    func breadth() throws {
        let neighbours = "[" + Array(repeating: "[{}]", count: 500).joined(separator: ",") + "]"
        guard case .array(let elements) = try JSONParser.parse(neighbours) else {
            Issue.record("no array")
            return
        }
        #expect(elements.count == 500)
    }

    @Test(
        "A string that is not UTF-8 is refused at its beginning",
        arguments: [[0xFF], [0x80], [0xC3], [0xC0, 0xAF], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) throws {
        let document = Array("[\"".utf8) + bytes + Array("\"]".utf8)
        let error = try #require(throws: JSONSyntaxError.self) { try JSONParser.parse(document) }
        #expect(error.reason.contains("UTF-8"))
        #expect(error.line == 1)
        #expect(error.column == 3)
    }

    @Test("Bytes that are not UTF-8 are refused outside strings and in names")
    func invalidUTF8Elsewhere() {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse([0xFF] as [UInt8]) }
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(Array("{\"".utf8) + [0xFF] + Array("\":1}".utf8)) }
    }

    @Test("A byte order mark may begin the document, and stand nowhere else")
    func byteOrderMark() throws {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        #expect(try JSONParser.parse(mark + Array("{}".utf8)) == .object([]))
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(Array("{}".utf8) + mark) }
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(mark + mark + Array("{}".utf8)) }
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(mark) }
    }

    @Test("Every beginning of a document is refused, and none is a crash")
    func truncation() {
        let document = Array(#"{"a": [1, -2.5e3, true, null, "\uD83D\uDE00\n"], "b": {"c": false}}"#.utf8)
        for length in 0..<document.count {
            #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(document.prefix(length)) }
        }
    }
}
