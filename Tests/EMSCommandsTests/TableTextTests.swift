import EMSCore
import Testing

@testable import EMSCommands

@Suite("Tables")
struct TableTextTests {
    @Test(
        "The width of a text is what a terminal gives it",
        arguments: [("abc", 3), ("", 0), ("日本", 4), ("é", 1), ("e\u{301}", 1), ("🙂", 2), ("👩‍👩‍👧", 2), ("שלום", 4), ("ａ", 2)])
    func width(text: String, expected: Int) {
        #expect(DisplayWidth.of(text) == expected)
    }

    @Test("Columns stay aligned with wide characters; nothing trails the last cell")
    func aligned() {
        let table = TableText(header: ["a", "b"], rows: [["日本", "x"], ["z", "y"]])
        #expect(table.headerLine == "A     B\n")
        #expect(table.line(["日本", "x"]) == "日本  x\n")
        #expect(table.line(["z", "y"]) == "z     y\n")
    }

    @Test("What a terminal would obey is not shown")
    func controls() {
        #expect(TableText.shown(.text("a\u{1B}[31mb\nc\u{202E}d"), isLocal: false) == "a\u{FFFD}[31mb c\u{FFFD}d")
        #expect(TableText.shown(.text(""), isLocal: false) == "-")
        #expect(TableText.shown(.none, isLocal: false) == "-")
    }

    @Test(
        "A field of csv is quoted where it must be",
        arguments: [
            ("plain", "plain"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\nb", "\"a\nb\""), ("a\r\nb", "\"a\r\nb\""), ("", ""),
        ])
    func csv(text: String, expected: String) {
        #expect(CSV.line([text, "z"]) == expected + ",z\n")
    }
}
