import Testing

@testable import EMSCore

@Suite("Identifiers")
struct IdentifierTests {
    enum Thing {}
    enum OtherThing {}

    @Test("A new identifier is a UUID of version 7, as 32 lower-case hex characters")
    func form() throws {
        let characters = Array(ID<Thing>().description)
        try #require(characters.count == 32)
        #expect(characters.allSatisfy { "0123456789abcdef".contains($0) })
        #expect(characters[12] == "7")
        #expect("89ab".contains(characters[16]))
    }

    @Test("A new identifier begins with the present millisecond")
    func time() {
        let before = UInt64(Timestamp.now().milliseconds)
        let id = ID<Thing>()
        #expect(id.high >> 16 >= before)
        #expect(id.high >> 16 <= before + 60_000)
    }

    @Test("Identifiers made one after the other are strictly increasing, as values and as texts")
    func order() {
        let ids = (0..<20_000).map { _ in ID<Thing>() }
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
        let texts = ids.map(\.description)
        #expect(zip(texts, texts.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test("Identifiers made at the same time by many tasks are all different")
    func uniqueness() async {
        let ids = await withTaskGroup(of: [ID<Thing>].self) { group in
            for _ in 0..<8 { group.addTask { (0..<2000).map { _ in ID<Thing>() } } }
            return await group.reduce(into: Set<ID<Thing>>()) { $0.formUnion($1) }
        }
        #expect(ids.count == 16_000)
    }

    @Test("What is written reads back the same")
    func roundTrip() throws {
        for _ in 0..<1000 {
            let id = ID<Thing>()
            let read = try #require(ID<Thing>(id.description))
            #expect(read == id)
        }
    }

    @Test(
        "Hex characters in either case and hyphenated UUIDs are read",
        arguments: [
            "0195d0a0b0c070008000a1b2c3d4e5f6", "0195D0A0B0C070008000A1B2C3D4E5F6", "0195d0a0-b0c0-7000-8000-a1b2c3d4e5f6",
            "0195D0A0-B0C0-7000-8000-A1B2C3D4E5F6",
        ])
    func reading(text: String) throws {
        let id = try #require(ID<Thing>(text))
        #expect(id.description == "0195d0a0b0c070008000a1b2c3d4e5f6")
    }

    @Test(
        "Anything else is no identifier",
        arguments: [
            "", "0", "0195d0a0b0c070008000a1b2c3d4e5f", "0195d0a0b0c070008000a1b2c3d4e5f60", "0195d0a0b0c070008000a1b2c3d4e5fg",
            "0195d0a0b0c070008000a1b2c3d4e5f6 ", " 0195d0a0b0c070008000a1b2c3d4e5f6", "0195d0a0b-0c0-7000-8000-a1b2c3d4e5f6",
            "-0195d0a0b0c070008000a1b2c3d4e5f6", "0195d0a0b0c070008000a1b2c3d4e5f6-", "{0195d0a0-b0c0-7000-8000-a1b2c3d4e5f6}",
            "０195d0a0b0c070008000a1b2c3d4e5f6", "0195d0a0b0c070008000a1b2c3d4e5f\u{0}",
        ])
    func refusal(text: String) {
        #expect(ID<Thing>(text) == nil)
    }

    @Test(
        "A UUID has all of its four hyphens, each once",
        arguments: [
            "0195d0a0--b0c0-7000-8000-a1b2c3d4e5f6", "0195d0a0-b0c070008000a1b2c3d4e5f6", "0195d0a0-b0c0-7000-8000a1b2c3d4e5f6",
        ])
    func hyphens(text: String) {
        #expect(ID<Thing>(text) == nil)
    }

    @Test("An identifier of one thing can become that of another, with the same bits")
    func retyping() {
        let id = ID<Thing>()
        let other = id.retyped(as: OtherThing.self)
        #expect(other.description == id.description)
    }
}
