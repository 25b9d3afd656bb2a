import EMSCore
import Foundation
import Testing

@testable import EMSCommands

@Suite("Recurrence rules")
struct RecurrenceRuleTests {
    private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/recurrences.jsonl")

    private func clock(_ value: JSONValue?) throws -> ClockTime {
        let digits = try #require(value?.string).filter { $0 != "-" && $0 != ":" }
        return try #require(CalendarTime(digits)?.clock)
    }

    @Test("A thousand rules recur when python-dateutil says (Tests/Tools/recurrences.py)")
    func compared() throws {
        let lines = try String(contentsOf: Self.fixture, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 1000)
        for line in lines {
            let sample = try JSONParser.parse(Array(line.utf8))
            let text = try #require(sample["rule"]?.string)
            let rule = try #require(RecurrenceRule(text), "\(text)")
            let found = rule.occurrences(
                from: try clock(sample["start"]), between: try clock(sample["low"]), and: try clock(sample["high"]))
            let expected = try #require(sample["expected"]).items.map { try clock($0) }
            #expect(found.prefix(8).map(\.milliseconds) == expected.map(\.milliseconds), "\(line)")
        }
    }

    @Test(
        "What is no rule is none",
        arguments: [
            "", "FREQ=NEVER", "BYDAY=MO", "FREQ=YEARLY;BYMONTH=13", "FREQ=YEARLY;BYDAY=XX", "FREQ=DAILY;COUNT=99999999999999999999",
            "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=1;UNTIL=20400101T000000Z", "FREQ=YEARLY;BYMONTHDAY=-9223372036854775808",
            "FREQ=YEARLY;BYDAY=9223372036854775807MO", "FREQ=YEARLY;FREQ=DAILY",
        ])
    func invalid(text: String) {
        #expect(RecurrenceRule(text) == nil)
    }
}

extension JSONValue {
    fileprivate var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }
}
