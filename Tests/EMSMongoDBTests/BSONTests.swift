@testable import EMSMongoDB
import EMSCore
import Testing

@Suite("BSON")
struct BSONTests {
    @Test("A document is what the specification shows")
    func specification() {
        // bsonspec.org, FAQ: {"hello": "world"}.
        let document = BSONDocument { $0.member("hello", "world") }
        #expect(document.bytes == [0x16, 0, 0, 0, 0x02] + Array("hello\0".utf8) + [6, 0, 0, 0] + Array("world\0".utf8) + [0])
        #expect(BSONDocument.empty.bytes == [5, 0, 0, 0, 0])
    }

    @Test("Every type reads as it was written, in whatever order it is asked for")
    func roundTrip() throws {
        let id = EventID()
        let document = BSONDocument {
            $0.member("text", "Zoë’s “party” 🎉\0!")
            $0.member("whole", Int64.min)
            $0.member("number", -0.5)
            $0.member("flag", true)
            $0.member("moment", Timestamp(milliseconds: -1))
            $0.member("id", id)
            $0.member("data", binary: [0, 255, 1])
            $0.null("nothing")
            $0.document("inner") { $0.member("deep", 7) }
            $0.array("words", ["a", "", "c"])
            $0.array("mixed") {
                $0.element(Int64(1))
                $0.document { $0.member("x", 2) }
            }
        }
        try document.read { reader in
            #expect(try reader.array("words") { $0.text } == ["a", "", "c"])
            #expect(try reader.text("text") == "Zoë’s “party” 🎉\0!")
            #expect(try reader.integer("whole") == .min)
            #expect(try reader.find("number")?.number == -0.5)
            #expect(try reader.bool("flag"))
            #expect(try reader.date("moment") == Timestamp(milliseconds: -1))
            #expect(try reader.id("id") as EventID == id)
            #expect(try reader.binary("data") == [0, 255, 1])
            #expect(try reader.find("nothing")?.isNull == true)
            var inner = try reader.document("inner")
            #expect(try inner.integer("deep") == 7)
            #expect(try reader.find("absent") == nil)
            #expect(try reader.optionalText("absent") == nil)
            var mixed = try reader.document("mixed")
            #expect(try mixed.next()?.integer == 1)
            #expect(try mixed.next()?.nested() != nil)
            #expect(try mixed.next() == nil)
        }
    }

    @Test("A field that is missing or of another type is told by its name")
    func wrongType() throws {
        let document = BSONDocument { $0.member("count", "many") }
        for name in ["count", "absent"] as [StaticString] {
            #expect {
                try document.read { try $0.integer(name) }
            } throws: { error in
                (error as? EMSError)?.code == .storeCorrupt && (error as? EMSError)?.message.contains("\(name)") == true
            }
        }
    }

    @Test("Every cut and every changed byte of a document is read without harm")
    func damaged() {
        let document = BSONDocument {
            $0.member("text", "hello")
            $0.document("inner") { $0.array("list", ["a", "b"]) }
            $0.member("data", binary: [1, 2, 3])
            $0.member("moment", Timestamp(milliseconds: 5))
        }
        func readAll(_ bytes: [UInt8]) {
            _ = try? BSONDocument(bytes: bytes).read { reader in
                while let element = try reader.next() {
                    _ = (element.text, element.integer, element.number, element.bool, element.date, element.binary)
                    if var nested = try? element.nested() { while try nested.next() != nil {} }
                }
            }
        }
        for length in 0..<document.bytes.count { readAll(Array(document.bytes.prefix(length))) }
        for index in document.bytes.indices {
            for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
                var bytes = document.bytes
                bytes[index] = value
                readAll(bytes)
            }
        }
    }
}
