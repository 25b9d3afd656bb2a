import Testing

@testable import EMSCore

@Suite("Page cursors")
struct PageCursorTests {
    @Test(
        "A cursor's text reads back as the cursor",
        arguments: [
            .key(value: 0, id: "0195d0a0b0c070008000a1b2c3d4e5f6"), .key(value: 1_772_355_600_000, id: "00"),
            .key(value: -62_135_596_800_000, id: "ff"), .key(value: .max, id: "0a"), .key(value: .min, id: "0a"),
            .search(first: 0, second: -1, id: "0195d0a0b0c070008000a1b2c3d4e5f6"),
            .search(first: .min, second: .max, id: "0195d0a0b0c070008000a1b2c3d4e5f6"),
        ] as [PageCursor])
    func roundTrip(cursor: PageCursor) throws {
        #expect(try PageCursor(cursor.text) == cursor)
    }

    @Test(
        "What no page has handed out is refused, as a fault of the parameter",
        arguments: [
            "", "k", "o", "x", "k1", "k.ab", "kx.ab", "k1.xyz", "k1.AB", "k1.ab ", "k1.ab.cd", "k9223372036854775808.ab", "s", "s1.2",
            "s1.2.ab",
            "s1.0195d0a0b0c070008000a1b2c3d4e5f6", "s1.2.3.0195d0a0b0c070008000a1b2c3d4e5f6", "s01.2.0195d0a0b0c070008000a1b2c3d4e5f6",
            "s1.+2.0195d0a0b0c070008000a1b2c3d4e5f6", "s9223372036854775808.0.0195d0a0b0c070008000a1b2c3d4e5f6", "o40", "K1.ab", " k1.ab",
            "k1.\u{0}", "k1.'; drop table events --",
            "k1." + String(repeating: "a", count: 65),
        ])
    func refusal(text: String) throws {
        let found = try faults { _ = try PageCursor(text) }
        #expect(found.map(\.place) == ["after"])
    }

    @Test("A cursor's text needs no escaping in a URL")
    func plainText() {
        let text =
            PageCursor.key(value: -1, id: EventID().description).text
            + PageCursor.search(first: -2, second: 3, id: EventID().description).text
        let plain = Set("abcdefghijklmnopqrstuvwxyz0123456789.-")
        #expect(text.allSatisfy { plain.contains($0) })
    }
}
