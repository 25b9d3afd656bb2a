import Testing

@testable import EMSCore

@Suite("Page cursors")
struct PageCursorTests {
    @Test(
        "A cursor's text reads back as the cursor",
        arguments: [
            .key(value: 0, id: "0195d0a0b0c070008000a1b2c3d4e5f6"), .key(value: 1_772_355_600_000, id: "00"),
            .key(value: -62_135_596_800_000, id: "ff"), .key(value: .max, id: "0a"), .key(value: .min, id: "0a"), .offset(0), .offset(40),
            .offset(EventQuery.candidateLimit),
        ] as [PageCursor])
    func roundTrip(cursor: PageCursor) throws {
        #expect(try PageCursor(cursor.text) == cursor)
    }

    @Test(
        "What no page has handed out is refused, as a fault of the query",
        arguments: [
            "", "k", "o", "x", "k1", "k.ab", "kx.ab", "k1.xyz", "k1.AB", "k1.ab ", "k1.ab.cd", "k9223372036854775808.ab", "o-1", "o10001",
            "o1.5", "o99999999999999999999", "K1.ab", "O1", " o1", "k1.\u{0}", "k1.'; drop table events --",
            "k1." + String(repeating: "a", count: 65),
        ])
    func refusal(text: String) throws {
        let found = try faults { _ = try PageCursor(text) }
        #expect(found.map(\.place) == ["query.after"])
    }

    @Test("A cursor's text needs no escaping in a URL")
    func plainText() {
        let text = PageCursor.key(value: -1, id: EventID().description).text + PageCursor.offset(5).text
        let plain = Set("abcdefghijklmnopqrstuvwxyz0123456789.-")
        #expect(text.allSatisfy { plain.contains($0) })
    }
}
