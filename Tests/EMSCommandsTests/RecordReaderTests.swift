import EMSCore
import Testing

@testable import EMSCommands

@Suite("Reading records")
struct RecordReaderTests {
    /// Reads a text in pieces of so many bytes.
    private func read(_ text: String, _ format: BulkFormat, piece: Int = 7) throws -> [BulkRecord] {
        format == .csv ? try read(text, CSVReader(), piece: piece) : try read(text, LineReader(), piece: piece)
    }

    private func read(_ text: String, _ reader: some RecordReading, piece: Int = 7) throws -> [BulkRecord] {
        var reader = reader
        var records: [BulkRecord] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            records += try reader.read(Array(bytes[start..<min(start + piece, bytes.count)]))
        }
        return records + (try reader.finish())
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

    @Test("Columns are called as --map says; what is no field is remarked")
    func mapped() throws {
        var reader = CSVReader(names: ["Name": "title", "Begins": "start_time"], known: ["title", "start_time"])
        let records = try reader.read(Array("Name,Begins,Room\nGala,2040-01-01,7\n".utf8))
        #expect(try records[0].content.get()["title"] == .string("Gala"))
        #expect(try records[0].content.get()["start_time"] == .string("2040-01-01"))
        #expect(reader.remark?.contains("'Room'") == true)
    }

    @Test("A column that is not there cannot be mapped, and two cannot be one")
    func wronglyMapped() {
        #expect(throws: EMSError.self) { try read("a,b\n", CSVReader(names: ["c": "title"])) }
        #expect(throws: EMSError.self) { try read("a,b\n", CSVReader(names: ["a": "b"])) }
    }

    @Test("A record without end is refused, not gathered")
    func tooLong() {
        let text = String(repeating: "x", count: RecordLimit.bytes + 10)
        #expect(throws: EMSError.self) { try read(text, .jsonl, piece: 65_536) }
        #expect(throws: EMSError.self) { try read(text, .csv, piece: 65_536) }
    }

    @Test(
        "Csv is read whatever separates its cells and ends its lines", arguments: [",", ";", "\t", "|"], ["\n", "\r\n", "\r"])
    func dialects(delimiter: String, end: String) throws {
        let lines = ["title\(delimiter)location", "\"a\(end)b\"\(delimiter)x", delimiter, "5\" disk\(delimiter)y", ""]
        for piece in [1, 2, 7, 1000] {
            let records = try read(lines.joined(separator: end), CSVReader(known: ["title", "location"]), piece: piece)
            #expect(records.map(\.line) == [2, 5])
            #expect(try records.map { try $0.content.get()["title"]?.string } == ["a\(end)b", "5\" disk"])
            #expect(try records.map { try $0.content.get()["location"]?.string } == ["x", "y"])
        }
    }

    @Test("A first line sep= says what separates cells, also where the header would say otherwise", arguments: ["\n", "\r\n", "\r"])
    func announced(end: String) throws {
        let records = try read(["sep=;", "title;a,b,c", "x;1", ""].joined(separator: end), CSVReader(known: ["title"]), piece: 1)
        #expect(records.map(\.line) == [3])
        #expect(try records.first?.content.get()["title"] == .string("x"))
    }

    @Test("A place that is no number reaches the check, and is not dropped")
    func badPlace() throws {
        let record = try #require(try read("title,latitude,longitude\nx,north,16\n", .csv).first).content.get()
        #expect(record["coordinates"]?["latitude"] == .string("north"))
        let known = ["title", "latitude", "longitude"]
        let other = try #require(try read("title;latitude;longitude\nx;48,5;16\n", CSVReader(known: known)).first).content.get()
        #expect(other["coordinates"]?["latitude"] == .number(48.5))
    }

    @Test("Text that is not UTF-8 is a bad record, in csv and jsonl")
    func notUTF8() throws {
        var reader = CSVReader()
        let bytes = Array("title\nM".utf8) + [0xFC] + Array("n\nok\n".utf8)
        let records = try reader.read(bytes)
        #expect(records.map(\.line) == [2, 3])
        #expect(records.map { (try? $0.content.get()) != nil } == [false, true])
        var lines = LineReader()
        let record = try #require(try lines.read(Array("{\"a\":\"".utf8) + [0xFC] + Array("\"}\n".utf8)).first)
        guard case .failure(let error) = record.content else {
            Issue.record("taken")
            return
        }
        #expect(error.fix?.contains("--encoding") == true)
    }

    @Test("A header of very many columns is refused at once")
    func wideHeader() {
        #expect(throws: EMSError.self) { try read((0..<120_000).map { "c\($0)" }.joined(separator: ",") + "\n", .csv, piece: 65_536) }
    }

    @Test("Text of another encoding is converted, also where a piece ends within a character")
    func converted() throws {
        let converter = try TextConverter(from: "UTF-16LE")
        let bytes = Array("Grüße 🎉".utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        var text: [UInt8] = []
        for byte in bytes { text += try converter.convert([byte]) }
        text += try converter.finish()
        #expect(String(decoding: text, as: UTF8.self) == "Grüße 🎉")
        #expect(throws: EMSError.self) { try TextConverter(from: "no-such") }
        #expect(throws: EMSError.self) { try TextConverter(from: "utf-8//IGNORE") }
        #expect(throws: EMSError.self) { try TextConverter(from: "ascii").convert([0xFC]) }
    }

    @Test("A quote that does not end is told")
    func openQuote() {
        #expect(throws: EMSError.self) { try read("a\n\"x\n", .csv) }
    }
}
