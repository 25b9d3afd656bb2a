import EMSCore

/// The values of `DTSTART` and its like (RFC 5545, sections 3.3.4 to 3.3.6).
enum CalendarTime: Equatable {
    /// All day: days since 1970-01-01.
    case date(Int64)
    /// What a clock shows: in the zone that the property names, or in any.
    case clock(ClockTime)
    case moment(Timestamp)

    init?(_ text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            return bytes[range].reduce(Int64?(0)) { sum, byte in
                guard let sum, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                return sum * 10 + Int64(byte - UInt8(ascii: "0"))
            }
        }
        guard let year = number(0..<4), year > 0, let month = number(4..<6), (1...12).contains(month), let day = number(6..<8),
            (1...CivilDate.daysIn(month: month, year: year)).contains(day)
        else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
        if bytes.count == 8 {
            self = .date(days)
            return
        }
        // A second 60 is a leap second, which this time does not count.
        guard bytes.count == 15 || (bytes.count == 16 && bytes[15] == UInt8(ascii: "Z")), bytes[8] == UInt8(ascii: "T"),
            let hour = number(9..<11), hour < 24, let minute = number(11..<13), minute < 60, let second = number(13..<15), second <= 60
        else { return nil }
        let clock = ClockTime(day: days, seconds: hour * 3600 + minute * 60 + second)
        self = bytes.count == 16 ? .moment(Timestamp(milliseconds: clock.milliseconds)) : .clock(clock)
    }

    /// What a clock shows, where it is no moment of its own; the first moment of a day.
    var clock: ClockTime? {
        switch self {
        case .date(let day): ClockTime(day: day)
        case .clock(let clock): clock
        case .moment: nil
        }
    }

    /// `20270301T090000`
    static func text(_ clock: ClockTime) -> String {
        let text = Timestamp(milliseconds: clock.milliseconds).description
        return String(text.prefix(19)).filter { $0 != "-" && $0 != ":" }
    }

    static func text(utc moment: Timestamp) -> String { text(ClockTime(milliseconds: moment.milliseconds)) + "Z" }

    /// `P1DT2H`: days of the calendar, which may have 23 or 25 hours, and seconds (RFC 5545, section 3.3.6).
    static func duration(_ text: String) -> (days: Int64, seconds: Int64)? {
        var rest = Substring(text)
        if rest.hasPrefix("+") { rest = rest.dropFirst() }
        guard rest.hasPrefix("P") else { return nil }
        rest = rest.dropFirst()
        var days: Int64 = 0
        var seconds: Int64 = 0
        var isTime = false
        var number: Int64?
        for character in rest {
            if let digit = character.wholeNumberValue, character.isASCII {
                let (grown, isTooLong) = (number ?? 0).multipliedReportingOverflow(by: 10)
                guard !isTooLong, grown < 1_000_000_000 else { return nil }
                number = grown + Int64(digit)
            } else if character == "T" {
                isTime = true
            } else {
                let units: [Character: Int64] = isTime ? ["H": 3600, "M": 60, "S": 1] : ["W": 7, "D": 1]
                guard let count = number, let unit = units[character] else { return nil }
                if isTime { seconds += count * unit } else { days += count * unit }
                number = nil
            }
        }
        return number == nil && days + seconds > 0 ? (days, seconds) : nil
    }
}
