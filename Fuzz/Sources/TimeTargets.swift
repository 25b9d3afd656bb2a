@testable import EMSCommands
@testable import EMSCore

/// A length of time is read within the years there are, or refused; an event that has it ends after it begins. Input: lines.
@Sendable func fuzzDuration(_ bytes: [UInt8]) {
    var script = Script(bytes)
    let text = script.line()
    if let (days, seconds) = CalendarTime.duration(text) {
        expect(days >= 0 && seconds >= 0 && days <= 3_652_059 && seconds <= 3_652_059 * 86_400, "\(text) is \(days) days and \(seconds) s")
    }
    if let argument = DurationArgument(argument: text) { expect(argument.seconds > 0, "\(text) is not positive") }
    let (begin, rule) = (script.line(), script.line())
    let lines = ["UID:u", "SUMMARY:s", "DTSTART\(begin)", "DURATION:\(text)"].compactMap { ContentLine($0) }
    if let event = accepted({ try CalendarEvent(lines, zone: .utc, scope: CalendarScope()) }),
        let start = event.record["start_time"]?.string.flatMap({ Timestamp($0) }),
        let end = event.record["end_time"]?.string.flatMap({ Timestamp($0) })
    {
        expect(start < end, "the event lasts from \(start) to \(end)")
    }
    guard let rule = RecurrenceRule(rule), rule.timesPerDay <= 4 else { return }
    let start = ClockTime(milliseconds: Int64(script.integer(as: Int32.self)) * 60_000)
    let end = ClockTime(milliseconds: start.milliseconds + 366 * 86_400_000)
    let found = rule.occurrences(from: start, between: start, and: end)
    expect(
        found.allSatisfy { $0.milliseconds >= start.milliseconds && $0.milliseconds <= end.milliseconds }, "an occurrence is out of range")
}
