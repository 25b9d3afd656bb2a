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
        #expect(table.headerLine() == "A     B\n")
        #expect(table.line(["日本", "x"]) == "日本  x\n")
        #expect(table.line(["z", "y"]) == "z     y\n")
    }

    @Test(
        "On a terminal lines fit: times lose their seconds, texts are cut, and what finds no room is left out",
        arguments: [60, 80, 100, 200])
    func fitted(width: Int) {
        let names = ["event_id", "title", "location", "start_time", "status", "tags"]
        let row = [String(repeating: "a", count: 32), "日本語のとても長い題名です", "Wien 🎉 Hauptplatz", "2040-03-01T09:00:00.000Z", "scheduled", "a,b"]
        let table = TableText(header: names, rows: [row], width: width, mayOmit: true)
        let line = table.line(row)
        if width >= 80 { #expect(DisplayWidth.of(String(line.dropLast())) <= width) }
        #expect(line.contains(row[0]))
        #expect(line.contains(width == 200 ? row[3] : "2040-03-01T09:00Z"))
        #expect(table.omitted == (width >= 100 ? [] : ["location", "tags"]))
    }

    @Test("Columns that were asked for are all shown, cut where they must be")
    func chosen() {
        let table = TableText(header: ["title", "location"], rows: [[String(repeating: "x", count: 50), "Wien"]], width: 30)
        #expect(table.omitted.isEmpty)
        #expect(table.line([String(repeating: "x", count: 50), "Wien"]) == String(repeating: "x", count: 19) + "…  Wien\n")
    }

    @Test("What a terminal would obey is not shown")
    func controls() {
        #expect(TableText.shown(.text("a\u{1B}[31mb\nc\u{202E}d"), in: .utc) == "a\u{FFFD}[31mb c\u{FFFD}d")
        #expect(TableText.shown(.text(""), in: .utc) == "-")
        #expect(TableText.shown(.none, in: .utc) == "-")
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
