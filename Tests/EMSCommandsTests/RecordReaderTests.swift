import EMSCore
import Testing

@testable import EMSCommands

@Suite("Reading records")
struct RecordReaderTests {
    /// Reads a text in pieces of so many bytes.
    private func read(_ text: String, _ format: BulkFormat, piece: Int = 7) throws -> [BulkRecord] {
        var reader = RecordReader(format: format)
        var records: [BulkRecord] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            records += try reader.read(Array(bytes[start..<min(start + piece, bytes.count)]))
        }
        if let last = try reader.finish() { records.append(last) }
        return records
    }

    @Test("A line of jsonl is a record, wherever the pieces are cut", arguments: 1...9)
    func lines(piece: Int) throws {
        let records = try read("{\"a\": 1}\n\n{\"a\": \"ü🙂\"}\r\n{\"a\": 3}", .jsonl, piece: piece)
        #expect(records.map(\.line) == [1, 3, 4])
        #expect(try records.map { try $0.content.get()["a"] } == [.integer(1), .string("ü🙂"), .integer(3)])
    }

    @Test("A bad line is told with its number, and the others are read")
    func badLine() throws {
        let records = try read("{\"a\": 1}\nnonsense\n{\"a\": 3}\n", .jsonl)
        #expect(records.map(\.line) == [1, 2, 3])
        #expect(throws: EMSError.self) { try records[1].content.get() }
        #expect(try records[2].content.get()["a"] == .integer(3))
    }

    @Test("Quoted fields of csv may hold commas, quotes and line feeds", arguments: 1...9)
    func quoted(piece: Int) throws {
        let text = "title,description\r\n\"One, two\",\"a \"\"b\"\"\nc\"\r\nThree,\r\n"
        let records = try read(text, .csv, piece: piece)
        #expect(records.map(\.line) == [2, 4])
        let first = try records[0].content.get()
        #expect(first["title"] == .string("One, two"))
        #expect(first["description"] == .string("a \"b\"\nc"))
        #expect(try records[1].content.get()["description"] == nil)
    }

    @Test("Fields of csv become what JSON has for them")
    func types() throws {
        let text = "\u{FEFF}title,tags,max_attendees,latitude,longitude\nX,\"a,b\",500,48.5,16.25\n"
        let record = try #require(try read(text, .csv).first).content.get()
        #expect(record["title"] == .string("X"))
        #expect(record["tags"] == .array([.string("a"), .string("b")]))
        #expect(record["max_attendees"] == .integer(500))
        #expect(record["coordinates"]?["latitude"] == .number(48.5))
    }

    @Test("A line with more or fewer fields than the header is a bad record")
    func wrongCount() throws {
        let records = try read("a,b\n1\n1,2\n1,2,3\n", .csv)
        #expect(records.map { (try? $0.content.get()) != nil } == [false, true, false])
    }

    @Test("A quote that does not end is told")
    func openQuote() {
        #expect(throws: EMSError.self) { try read("a\n\"x\n", .csv) }
    }
}
