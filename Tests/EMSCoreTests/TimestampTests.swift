import Testing

@testable import EMSCore

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "The forms of ISO 8601 are read",
        arguments: [
            ("2026-03-01T09:00:00Z", 1_772_355_600_000),
            ("2026-03-01T09:00:00.000Z", 1_772_355_600_000),
            ("2026-03-01t09:00:00z", 1_772_355_600_000),
            ("2026-03-01 09:00:00Z", 1_772_355_600_000),
            ("2026-03-01T09:00:00", 1_772_355_600_000),
            ("2026-03-01T09:00", 1_772_355_600_000),
            ("2026-03-01T09:00Z", 1_772_355_600_000),
            ("2026-03-01", 1_772_323_200_000),
            ("2026-03-01T09:00:00.1Z", 1_772_355_600_100),
            ("2026-03-01T09:00:00.12Z", 1_772_355_600_120),
            ("2026-03-01T09:00:00,123Z", 1_772_355_600_123),
            ("2026-03-01T09:00:00.1239999Z", 1_772_355_600_123),
            ("2026-03-01T09:00:00.005", 1_772_355_600_005),
        ] as [(String, Int64)])
    func forms(text: String, milliseconds: Int64) {
        #expect(Timestamp(text)?.milliseconds == milliseconds)
    }

    @Test(
        "An offset is taken off, so that the moment is UTC",
        arguments: [
            ("2026-03-01T11:00:00+02:00", 1_772_355_600_000),
            ("2026-03-01T11:00:00+0200", 1_772_355_600_000),
            ("2026-03-01T11:00+02:00", 1_772_355_600_000),
            ("2026-03-01T03:30:00-05:30", 1_772_355_600_000),
            ("2026-03-02T00:00:00+15:00", 1_772_355_600_000),
            ("2026-02-28T18:00:00-15:00", 1_772_355_600_000),
            ("2026-03-01T09:00:00+00:00", 1_772_355_600_000),
            ("2026-03-01T09:00:00-00:00", 1_772_355_600_000),
            ("2026-03-01T09:00:00.123+02:00", 1_772_348_400_123),
        ] as [(String, Int64)])
    func offsets(text: String, milliseconds: Int64) {
        #expect(Timestamp(text)?.milliseconds == milliseconds)
    }

    @Test(
        "Days that the calendar has are read, 29 February in leap years only",
        arguments: [
            ("2024-02-29", 1_709_164_800_000),
            ("2000-02-29T12:30:45.678Z", 951_827_445_678),
            ("1900-03-01", -2_203_891_200_000),
            ("1582-10-15", -12_219_292_800_000),
            ("0001-01-01", -62_135_596_800_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
            ("1970-01-01", 0),
            ("1969-12-31T23:59:59.999Z", -1),
        ] as [(String, Int64)])
    func calendar(text: String, milliseconds: Int64) {
        #expect(Timestamp(text)?.milliseconds == milliseconds)
    }

    @Test(
        "Days and times that do not exist are refused",
        arguments: [
            "2023-02-29", "1900-02-29", "2100-02-29", "2026-02-30", "2026-04-31", "2026-06-31", "2026-09-31", "2026-11-31", "2026-01-32",
            "2026-00-01", "2026-13-01", "2026-01-00", "0000-01-01", "2026-03-01T24:00:00Z", "2026-03-01T09:60:00Z", "2026-03-01T09:00:60Z",
            "2026-03-01T09:00:00+24:00", "2026-03-01T09:00:00+01:60", "9999-12-31T23:59:59.999-00:01",
        ])
    func impossible(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test(
        "What is no ISO 8601 is refused",
        arguments: [
            "", " ", "now", "2026", "2026-03", "2026-3-1", "20260301", "26-03-01", "+2026-03-01", "-2026-03-01", "12026-03-01",
            "2026/03/01",
            "2026-03-01T", "2026-03-01T09", "2026-03-01T9:00", "2026-03-01T09:00:", "2026-03-01T09:00:0Z", "2026-03-01T09:00:00.",
            "2026-03-01T09:00:00.Z", "2026-03-01T09:00:00ZZ", "2026-03-01T09:00:00Z ", " 2026-03-01T09:00:00Z", "2026-03-01T09:00:00+",
            "2026-03-01T09:00:00+2", "2026-03-01T09:00:00+02:0", "2026-03-01T09:00:00 CET",
            "2026-03-01_09:00:00Z",
            "2026-03-01T09:00:00Z\u{0}", "２026-03-01",
        ])
    func nonsense(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test(
        "The text has milliseconds and Z",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_772_355_600_000, "2026-03-01T09:00:00.000Z"),
            (951_827_445_678, "2000-02-29T12:30:45.678Z"),
            (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func text(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
    }

    @Test("What is written reads back the same, before 1970 as after")
    func roundTrip() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let moment = Timestamp(milliseconds: Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &generator))
            let read = try #require(Timestamp(moment.description), "\(moment)")
            #expect(read == moment)
        }
    }

    @Test("Every day from 1896 to 2104 follows the one before")
    func days() {
        let first = CivilDate(year: 1896, month: 1, day: 1).daysSinceEpoch
        let last = CivilDate(year: 2104, month: 12, day: 31).daysSinceEpoch
        var expected = (year: Int64(1896), month: Int64(1), day: Int64(1))
        for number in first...last {
            let date = CivilDate(daysSinceEpoch: number)
            guard date.year == expected.year, date.month == expected.month, date.day == expected.day, date.daysSinceEpoch == number else {
                Issue.record("day \(number) should be \(expected) and is \(date)")
                return
            }
            expected.day += 1
            if expected.day > CivilDate.daysIn(month: expected.month, year: expected.year) {
                expected = (expected.year, expected.month + 1, 1)
            }
            if expected.month > 12 { expected = (expected.year + 1, 1, 1) }
        }
    }

    @Test("What is read can be written and read again, also where an offset leads out of the year 1")
    func beginningOfTime() {
        // Refusing it would be as good as reading it right.
        guard let moment = Timestamp("0001-01-01T00:00:00+01:00") else { return }
        #expect(Timestamp(moment.description) == moment)
    }

    @Test("Whole seconds are rounded down on both sides of 1970", arguments: [(1999, 1), (0, 0), (-1, -1), (-1000, -1), (-1001, -2)])
    func seconds(milliseconds: Int64, seconds: Int64) {
        #expect(Timestamp(milliseconds: milliseconds).secondsSinceEpoch == seconds)
    }

    @Test("Seconds are added and taken away")
    func addition() {
        let moment = Timestamp(milliseconds: 500)
        #expect(moment.adding(seconds: 2).milliseconds == 2500)
        #expect(moment.adding(seconds: -2).milliseconds == -1500)
        #expect(moment.adding(seconds: -2) < moment)
    }
}
