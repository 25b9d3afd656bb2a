import EMSCore
import Testing

@testable import EMSCommands

@Suite("Times as people say them")
struct TimeExpressionTests {
    /// A Wednesday, 12:30 in UTC and 13:30 in Vienna.
    private let now = Timestamp("2026-11-25T12:30:00Z") ?? Timestamp(milliseconds: 0)

    @Test(
        "What is said is found in its zone",
        arguments: [
            ("2027-03-01T09:00:00Z", "2027-03-01T09:00:00.000Z"), ("2027-03-01T09:00:00+05:00", "2027-03-01T04:00:00.000Z"),
            ("2027-03-01T09:00", "2027-03-01T08:00:00.000Z"), ("2027-07-01 9:00", "2027-07-01T07:00:00.000Z"),
            ("2027-07-01", "2027-06-30T22:00:00.000Z"), ("now", "2026-11-25T12:30:00.000Z"), ("+2h", "2026-11-25T14:30:00.000Z"),
            ("-30m", "2026-11-25T12:00:00.000Z"), ("+2w", "2026-12-09T12:30:00.000Z"), ("today", "2026-11-24T23:00:00.000Z"),
            ("tomorrow 9:00", "2026-11-26T08:00:00.000Z"), ("Tomorrow 09:00:30", "2026-11-26T08:00:30.000Z"),
            ("yesterday 23:59", "2026-11-24T22:59:00.000Z"), ("wednesday", "2026-12-01T23:00:00.000Z"),
            ("thu 8:00", "2026-11-26T07:00:00.000Z"), ("tuesday 10:30", "2026-12-01T09:30:00.000Z"),
        ])
    func vienna(text: String, moment: String) throws {
        let zone = try #require(Zone(name: "Europe/Vienna"))
        #expect(TimeExpression(text)?.moment(in: zone, now: now).description == moment)
    }

    @Test(
        "What is no time is none",
        arguments: [
            "", "soon", "tomorrow morning", "tomorrow 25:00", "+2", "+2x", "9:00", "2027-13-01", "monday 9:00 sharp", "2027-03-01 9",
        ])
    func refused(text: String) {
        #expect(TimeExpression(text) == nil)
    }

    @Test("A clock that is set back shows the first of the two; one that is set ahead counts on from before (RFC 5545, section 3.3.5)")
    func clockChanges() throws {
        let zone = try #require(Zone(name: "Europe/Vienna"))
        func moment(_ text: String) -> String? { TimeExpression(text)?.moment(in: zone, now: now).description }
        #expect(moment("2040-10-28T02:30") == "2040-10-28T00:30:00.000Z")
        #expect(moment("2040-03-25T02:30") == "2040-03-25T01:30:00.000Z")
        #expect(moment("2040-10-28T03:00") == "2040-10-28T02:00:00.000Z")
    }

    @Test("A moment is written with the offset of its zone")
    func written() throws {
        let moment = try #require(Timestamp("2027-07-01T07:00:00Z"))
        #expect(Zone.utc.text(moment) == "2027-07-01T07:00:00.000Z")
        #expect(Zone(name: "Europe/Vienna")?.text(moment) == "2027-07-01T09:00:00+02:00")
        #expect(Zone(name: "America/St_Johns")?.text(moment) == "2027-07-01T04:30:00-02:30")
    }

    @Test("A zone has a name of the database, and nothing else", arguments: ["", "Europe/Atlantis", "Vienna", "+02:00", "../etc/passwd"])
    func noZone(name: String) {
        #expect(Zone(name: name) == nil)
    }
}
