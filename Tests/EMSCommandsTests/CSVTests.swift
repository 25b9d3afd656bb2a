import Testing

@testable import EMSCommands

@Suite("csv")
struct CSVTests {
    @Test(
        "Fields are quoted where they must be, so that they are read as they were",
        arguments: [
            (["a", "b"], "a,b\n"), (["a,b", ""], "\"a,b\",\n"), (["say \"x\""], "\"say \"\"x\"\"\"\n"),
            (["two\nlines", "cr\r"], "\"two\nlines\",\"cr\r\"\n"),
            (["a,\u{301}b"], "\"a,\u{301}b\"\n"), (["\"\u{301}"], "\"\"\"\u{301}\"\n"), (["crlf\r\n"], "\"crlf\r\n\"\n"),
        ])
    func fields(fields: [String], line: String) {
        #expect(CSV.line(fields).utf8.elementsEqual(line.utf8))
    }
}
