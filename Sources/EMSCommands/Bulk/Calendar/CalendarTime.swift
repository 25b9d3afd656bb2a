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
    /// - Returns: `nil` for what is not a duration, is negative, or is longer than the years 0001 to 9999.
    static func duration(_ text: String) -> (days: Int64, seconds: Int64)? {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        guard rest.first == UInt8(ascii: "P") else { return nil }
        rest = rest.dropFirst()
        var days: Int64 = 0
        var seconds: Int64 = 0
        var isTime = false
        var count = 0
        // Each unit comes once, the larger before the smaller.
        var units: [(mark: UInt8, size: Int64)] = [(UInt8(ascii: "W"), 7), (UInt8(ascii: "D"), 1)]
        while let byte = rest.first {
            if byte == UInt8(ascii: "T") {
                guard !isTime else { return nil }
                isTime = true
                units = [(UInt8(ascii: "H"), 3600), (UInt8(ascii: "M"), 60), (UInt8(ascii: "S"), 1)]
                rest = rest.dropFirst()
                continue
            }
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            rest = rest.dropFirst(digits.count)
            guard (1...12).contains(digits.count), let number = Int64(String(decoding: digits, as: UTF8.self)), let mark = rest.first,
                let place = units.firstIndex(where: { $0.mark == mark })
            else { return nil }
            // Twelve digits of weeks are far from the end of the type.
            if isTime { seconds += number * units[place].size } else { days += number * units[place].size }
            units.removeFirst(place + 1)
            count += 1
            rest = rest.dropFirst()
        }
        guard count > 0, days <= longestDays, seconds <= longestDays * 86_400 else { return nil }
        return (days, seconds)
    }

    /// From the year 0001 to the year 9999.
    private static let longestDays: Int64 = 3_652_059
}
