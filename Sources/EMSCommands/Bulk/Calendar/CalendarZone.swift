import EMSCore

/// A zone that a calendar defines itself (`VTIMEZONE`, RFC 5545, section 3.6.5): when its clocks are changed, and how far they are ahead.
struct CalendarZone {
    private var observances: [Observance] = []
    /// The name by which the IANA database has it, where the calendar tells (`X-LIC-LOCATION`).
    private(set) var ianaName: String?

    /// One `STANDARD` or `DAYLIGHT`: from each of its onsets on, clocks are `offset` seconds ahead.
    private struct Observance {
        var start: ClockTime?
        var offset: Int64?
        var offsetBefore: Int64?
        var rule: YearlyRule?
        var dates: [ClockTime] = []
    }

    /// - Parameter lines: what stands between `BEGIN:VTIMEZONE` and its end.
    init(_ lines: [ContentLine]) {
        var current: Observance?
        for line in lines {
            switch (line.name, line.value.uppercased()) {
            case ("BEGIN", _): current = Observance()
            case ("END", _):
                if let observance = current, observance.start != nil, observance.offset != nil { observances.append(observance) }
                current = nil
            case ("X-LIC-LOCATION", _): ianaName = line.value
            case ("DTSTART", _): if case .clock(let clock)? = CalendarTime(line.value) { current?.start = clock }
            case ("TZOFFSETTO", _): current?.offset = Self.offset(line.value)
            case ("TZOFFSETFROM", _): current?.offsetBefore = Self.offset(line.value)
            case ("RRULE", _): current?.rule = YearlyRule(line.value)
            case ("RDATE", _):
                for case .clock(let clock)? in line.value.split(separator: ",").map({ CalendarTime(String($0)) }) {
                    current?.dates.append(clock)
                }
            default: break
            }
        }
    }

    var isDefined: Bool { !observances.isEmpty }

    /// How many seconds clocks are ahead of UTC at the moment.
    func offset(at moment: Timestamp) -> Int64 {
        let year = CivilDate(daysSinceEpoch: ClockTime(milliseconds: moment.milliseconds).day).year
        var latest: (onset: Int64, offset: Int64)?
        var earliest: (onset: Int64, offset: Int64)?
        for observance in observances {
            let offset = observance.offset ?? 0
            for clock in onsets(of: observance, around: year) {
                let onset = clock.milliseconds - (observance.offsetBefore ?? offset) * 1000
                if onset <= moment.milliseconds, onset >= latest?.onset ?? .min { latest = (onset, offset) }
                if onset < earliest?.onset ?? .max { earliest = (onset, observance.offsetBefore ?? offset) }
            }
        }
        return latest?.offset ?? earliest?.offset ?? 0
    }

    /// Those that may be the last before a moment of the year.
    private func onsets(of observance: Observance, around year: Int64) -> [ClockTime] {
        guard let start = observance.start else { return [] }
        guard let rule = observance.rule else { return [start] + observance.dates }
        let first = CivilDate(daysSinceEpoch: start.day).year
        let years = [year - 1, year, year + 1].filter { $0 >= first }
        let repeated = years.compactMap { rule.onset(in: $0, like: start) }.filter { $0.milliseconds >= start.milliseconds }
        return [start] + observance.dates + repeated
    }

    /// `+0130`, in seconds.
    private static func offset(_ text: String) -> Int64? {
        let digits = text.utf8.dropFirst().compactMap { byte -> Int64? in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int64(byte - UInt8(ascii: "0")) : nil
        }
        guard digits.count == 4 || digits.count == 6, text.hasPrefix("+") || text.hasPrefix("-") else { return nil }
        var seconds = (digits[0] * 10 + digits[1]) * 3600 + (digits[2] * 10 + digits[3]) * 60
        if digits.count == 6 { seconds += digits[4] * 10 + digits[5] }
        return text.hasPrefix("-") ? -seconds : seconds
    }
}

/// `FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU`: the rules by which clocks are changed (RFC 5545, section 3.3.10, as far as zones use it).
struct YearlyRule {
    private var month: Int64 = 1
    private var monthDays: [Int64] = []
    /// From Monday, 0.
    private var weekday: Int64?
    /// Which of the month's: from 1, or from the end, from -1; 0 for the first that ``monthDays`` holds.
    private var ordinal: Int64 = 0
    private var until: Timestamp?

    init?(_ text: String) {
        var isYearly = false
        for part in text.uppercased().split(separator: ";") {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard pair.count == 2 else { return nil }
            switch pair[0] {
            case "FREQ": isYearly = pair[1] == "YEARLY"
            case "BYMONTH":
                guard let number = Int64(pair[1]), (1...12).contains(number) else { return nil }
                month = number
            case "BYMONTHDAY": monthDays = pair[1].split(separator: ",").compactMap { Int64($0) }
            case "BYDAY":
                let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
                guard let day = names.firstIndex(of: String(pair[1].suffix(2))) else { return nil }
                weekday = Int64(day)
                ordinal = Int64(pair[1].dropLast(2)) ?? 0
            case "UNTIL":
                switch CalendarTime(pair[1]) {
                case .moment(let moment): until = moment
                case .clock(let clock): until = Timestamp(milliseconds: clock.milliseconds)
                case .date(let day): until = Timestamp(milliseconds: (day + 1) * 86_400_000)
                case nil: return nil
                }
            default: break
            }
        }
        guard isYearly else { return nil }
    }

    /// When clocks are changed in the year, at the time of day of `start`.
    func onset(in year: Int64, like start: ClockTime) -> ClockTime? {
        let length = CivilDate.daysIn(month: month, year: year)
        let first = CivilDate(year: year, month: month, day: 1).daysSinceEpoch
        let time = start.milliseconds - start.day * 86_400_000
        func fits(_ day: Int64) -> Bool {
            let isWeekday = weekday.map { (first + day - 1 + 3) % 7 == $0 } ?? true
            return isWeekday && (monthDays.isEmpty || monthDays.contains(day))
        }
        let days = (1...length).filter(fits)
        let place = ordinal < 0 ? days.count + Int(ordinal) : max(0, Int(ordinal) - 1)
        guard days.indices.contains(place) else { return nil }
        let clock = ClockTime(milliseconds: (first + days[place] - 1) * 86_400_000 + time)
        if let until, clock.milliseconds > until.milliseconds + 86_400_000 { return nil }
        return clock
    }
}
