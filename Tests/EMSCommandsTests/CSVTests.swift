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

    @Test(
        "What a spreadsheet would execute gets an apostrophe, which reading takes away again",
        arguments: [
            ("=1+1", "'=1+1"), ("@SUM(1)", "'@SUM(1)"), ("+43 1 234", "'+43 1 234"), ("-x", "'-x"), ("\t=1", "'\t=1"), ("\rx", "'\rx"),
            ("'=1", "\u{27}'=1"), ("-12.5", "-12.5"), ("1e-05", "1e-05"), ("'tis", "'tis"), ("", ""), ("'", "'"),
        ])
    func neutralised(text: String, cell: String) {
        #expect(CSV.neutralised(text) == cell)
        #expect(CSV.restored(cell) == text)
    }
}
