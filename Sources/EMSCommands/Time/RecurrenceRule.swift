import EMSCore

/// A recurrence rule (RFC 5545, section 3.3.10): which days and times of day a thing recurs at. It is what zones change their clocks by.
///
/// Supported are all parts but the frequencies below a day. Parts that are omitted come from the start, as the RFC says.
struct RecurrenceRule: Equatable, Sendable {
    enum Frequency: String, Sendable {
        case yearly = "YEARLY"
        case monthly = "MONTHLY"
        case weekly = "WEEKLY"
        case daily = "DAILY"
    }

    /// A day of the week, from Monday as 0, and which of a month or year: from 1, from the end from -1, or each with 0.
    struct WeekdayPosition: Equatable, Sendable {
        let weekday: Int64
        let ordinal: Int64
    }

    private(set) var frequency: Frequency
    private var interval: Int64 = 1
    private(set) var count: Int?
    /// The last moment, by the clock of the zone or in UTC.
    private(set) var until: (clock: ClockTime, isUTC: Bool)?
    private var months: [Int64] = []
    private var monthDays: [Int64] = []
    private var yearDays: [Int64] = []
    private var weeks: [Int64] = []
    private var weekdays: [WeekdayPosition] = []
    private var hours: [Int64] = []
    private var minutes: [Int64] = []
    private var seconds: [Int64] = []
    private var positions: [Int64] = []
    private var weekStart: Int64 = 0

    private static let weekdayNames = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]

    static func == (left: RecurrenceRule, right: RecurrenceRule) -> Bool { left.text == right.text }

    private let text: String

    /// - Returns: `nil` for what is not a rule, or one of hours, minutes or seconds.
    init?(_ text: String) {
        self.text = text.uppercased()
        var frequency: Frequency?
        var seen: Set<Substring> = []
        for part in self.text.split(separator: ";") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, !pair[1].isEmpty, seen.insert(pair[0]).inserted else { return nil }
            let value = pair[1]
            func numbers(_ range: ClosedRange<Int64>, negative: Bool = false) -> [Int64]? {
                let parsed = value.split(separator: ",", omittingEmptySubsequences: false).map {
                    Int64($0.hasPrefix("+") ? $0.dropFirst() : $0)
                }
                let valid = parsed.compactMap { number in
                    number.flatMap { range.contains($0) || (negative && $0 < 0 && $0 >= -range.upperBound) ? $0 : nil }
                }
                return valid.count == parsed.count && valid.count <= 400 ? valid : nil
            }
            switch pair[0] {
            case "FREQ": frequency = Frequency(rawValue: String(value))
            case "INTERVAL":
                guard let number = numbers(1...10_000)?.first else { return nil }
                interval = number
            case "COUNT":
                guard let number = numbers(1...1_000_000)?.first else { return nil }
                count = Int(number)
            case "UNTIL":
                switch CalendarTime(String(value)) {
                case .moment(let moment): until = (ClockTime(milliseconds: moment.milliseconds), true)
                case .clock(let clock): until = (clock, false)
                case .date(let day): until = (ClockTime(day: day, seconds: 86_399), false)
                case nil: return nil
                }
            case "BYMONTH": if let list = numbers(1...12) { months = list } else { return nil }
            case "BYMONTHDAY": if let list = numbers(1...31, negative: true) { monthDays = list } else { return nil }
            case "BYYEARDAY": if let list = numbers(1...366, negative: true) { yearDays = list } else { return nil }
            case "BYWEEKNO": if let list = numbers(1...53, negative: true) { weeks = list } else { return nil }
            case "BYHOUR": if let list = numbers(0...23) { hours = list } else { return nil }
            case "BYMINUTE": if let list = numbers(0...59) { minutes = list } else { return nil }
            case "BYSECOND": if let list = numbers(0...60) { seconds = list } else { return nil }
            case "BYSETPOS": if let list = numbers(1...366, negative: true) { positions = list } else { return nil }
            case "BYDAY":
                for element in value.split(separator: ",", omittingEmptySubsequences: false) {
                    guard let day = Self.weekdayNames.firstIndex(of: String(element.suffix(2))) else { return nil }
                    let text = element.dropLast(2)
                    let ordinal = text.isEmpty ? 0 : Int64(text.hasPrefix("+") ? text.dropFirst() : text)
                    guard let ordinal, text.isEmpty || (ordinal != 0 && (-53...53).contains(ordinal)), weekdays.count < 400 else {
                        return nil
                    }
                    weekdays.append(WeekdayPosition(weekday: Int64(day), ordinal: ordinal))
                }
            case "WKST":
                guard let day = Self.weekdayNames.firstIndex(of: String(value)) else { return nil }
                weekStart = Int64(day)
            default: guard pair[0].hasPrefix("X-") else { return nil }
            }
        }
        guard let frequency, count == nil || until == nil else { return nil }
        self.frequency = frequency
    }

    // MARK: Occurrences

    /// How many occurrences a day can have.
    var timesPerDay: Int {
        [hours, minutes, seconds].reduce(1) { $0 * max(1, $1.count) }
    }

    /// Whether the rule has an occurrence in the eight years after a start, the longest that leap years keep one waiting. One that has none
    /// names a day such as the 31st of February.
    func occurs(after start: ClockTime) -> Bool {
        let end = ClockTime(milliseconds: start.milliseconds + 9 * 366 * 86_400_000)
        return !occurrences(from: start, between: start, and: end).isEmpty
    }

    /// The occurrences from one clock time up to another, in their order; of a rule that counts, from the start on.
    func occurrences(from start: ClockTime, between low: ClockTime, and high: ClockTime) -> [ClockTime] {
        var found: [ClockTime] = []
        var counted = 0
        let first = period(of: start.day)
        // Without a count, periods before the stretch need not be looked at.
        let skipped = count == nil ? max(0, (period(of: max(low.day, start.day)) - first) / interval - 1) : 0
        let last = min(period(of: high.day), first + Self.periodLimit)
        var current = first + skipped * interval
        while current <= last {
            for clock in times(in: current, start) where clock.milliseconds >= start.milliseconds {
                if let until, !until.isUTC, clock.milliseconds > until.clock.milliseconds { return found }
                counted += 1
                if let count, counted > count { return found }
                if clock.milliseconds > high.milliseconds { return found }
                if clock.milliseconds >= low.milliseconds { found.append(clock) }
            }
            current += interval
        }
        return found
    }

    /// A rule of days from the year 1 on has fewer periods than this.
    private static let periodLimit: Int64 = 4_000_000

    /// The number of the year, month, week or day that a day is in.
    private func period(of day: Int64) -> Int64 {
        let date = CivilDate(daysSinceEpoch: day)
        switch frequency {
        case .yearly: return date.year
        case .monthly: return date.year * 12 + date.month - 1
        case .weekly: return Self.floored(day - Self.weekdayOffset(from: weekStart, of: day), 7)
        case .daily: return day
        }
    }

    /// The occurrences of one period, in their order.
    private func times(in period: Int64, _ start: ClockTime) -> [ClockTime] {
        let days = days(in: period, start)
        guard !days.isEmpty else { return [] }
        let second = start.milliseconds / 1000 - start.day * 86_400
        var clocks: [Int64] = []
        for hour in (hours.isEmpty ? [second / 3600] : Array(Set(hours)).sorted()) {
            for minute in (minutes.isEmpty ? [second / 60 % 60] : Array(Set(minutes)).sorted()) {
                for second in (seconds.isEmpty ? [second % 60] : Array(Set(seconds)).sorted()) {
                    clocks.append(hour * 3600 + minute * 60 + second)
                }
            }
        }
        let all = days.flatMap { day in clocks.map { ClockTime(day: day, seconds: $0) } }
        guard !positions.isEmpty else { return all }
        let places = Set(
            positions.compactMap { position -> Int? in
                let place = position > 0 ? Int(position) - 1 : all.count + Int(position)
                return all.indices.contains(place) ? place : nil
            })
        return places.sorted().map { all[$0] }
    }

    /// The days of one period that the rule chooses, in their order.
    private func days(in period: Int64, _ start: ClockTime) -> [Int64] {
        let begin = CivilDate(daysSinceEpoch: start.day)
        let candidates: ClosedRange<Int64>
        switch frequency {
        case .yearly:
            let first = CivilDate(year: period, month: 1, day: 1).daysSinceEpoch
            candidates = weeks.isEmpty ? first...(first + Self.daysIn(year: period) - 1) : weekYear(period)
        case .monthly:
            let (year, month) = (Self.floored(period, 12), period - Self.floored(period, 12) * 12 + 1)
            let first = CivilDate(year: year, month: month, day: 1).daysSinceEpoch
            candidates = first...(first + CivilDate.daysIn(month: month, year: year) - 1)
        case .weekly:
            let first = period * 7 + (weekStart - Self.weekday(of: period * 7) + 7) % 7
            candidates = first...(first + 6)
        case .daily: candidates = period...period
        }
        let isUnspecified = monthDays.isEmpty && yearDays.isEmpty && weeks.isEmpty && weekdays.isEmpty
        return candidates.filter { day in
            let date = CivilDate(daysSinceEpoch: day)
            if !months.isEmpty, !months.contains(date.month) { return false }
            if !weeks.isEmpty, frequency == .yearly, !isInWeeks(day, period) { return false }
            if !yearDays.isEmpty, !matchesYearDay(day, date) { return false }
            if !monthDays.isEmpty, !matchesMonthDay(date) { return false }
            if !weekdays.isEmpty, !matchesWeekday(day, date) { return false }
            guard isUnspecified else {
                // Weeks by themselves choose the weekday of the start.
                return weeks.isEmpty || !weekdays.isEmpty || !monthDays.isEmpty || !yearDays.isEmpty
                    || Self.weekday(of: day) == Self.weekday(of: start.day)
            }
            switch frequency {
            case .yearly: return date.day == begin.day && (!months.isEmpty || date.month == begin.month)
            case .monthly: return date.day == begin.day
            case .weekly: return Self.weekday(of: day) == Self.weekday(of: start.day)
            case .daily: return true
            }
        }
    }

    private func matchesYearDay(_ day: Int64, _ date: CivilDate) -> Bool {
        let number = day - CivilDate(year: date.year, month: 1, day: 1).daysSinceEpoch + 1
        return yearDays.contains { $0 == number || $0 == number - Self.daysIn(year: date.year) - 1 }
    }

    private func matchesMonthDay(_ date: CivilDate) -> Bool {
        let length = CivilDate.daysIn(month: date.month, year: date.year)
        return monthDays.contains { $0 == date.day || $0 == date.day - length - 1 }
    }

    /// With a number, it counts within the month where months are what is meant, otherwise within the year.
    private func matchesWeekday(_ day: Int64, _ date: CivilDate) -> Bool {
        let weekday = Self.weekday(of: day)
        return weekdays.contains { wanted in
            guard wanted.weekday == weekday else { return false }
            if wanted.ordinal == 0 || frequency == .weekly || frequency == .daily { return true }
            let (number, length): (Int64, Int64)
            if frequency == .monthly || !months.isEmpty {
                (number, length) = (date.day, CivilDate.daysIn(month: date.month, year: date.year))
            } else {
                number = day - CivilDate(year: date.year, month: 1, day: 1).daysSinceEpoch + 1
                length = Self.daysIn(year: date.year)
            }
            return wanted.ordinal == (number - 1) / 7 + 1 || wanted.ordinal == -((length - number) / 7 + 1)
        }
    }

    // MARK: Weeks (the first one of a year has at least four of its days)

    private func firstWeek(of year: Int64) -> Int64 {
        let first = CivilDate(year: year, month: 1, day: 1).daysSinceEpoch
        let offset = Self.weekdayOffset(from: weekStart, of: first)
        return offset <= 3 ? first - offset : first - offset + 7
    }

    /// The days of the weeks that belong to a year.
    private func weekYear(_ year: Int64) -> ClosedRange<Int64> {
        firstWeek(of: year)...(firstWeek(of: year + 1) - 1)
    }

    private func isInWeeks(_ day: Int64, _ year: Int64) -> Bool {
        let (first, next) = (firstWeek(of: year), firstWeek(of: year + 1))
        let (number, total) = ((day - first) / 7 + 1, (next - first) / 7)
        return weeks.contains { $0 == number || $0 == number - total - 1 }
    }

    // MARK: Calendar

    private static func daysIn(year: Int64) -> Int64 { CivilDate.daysIn(month: 2, year: year) == 29 ? 366 : 365 }

    /// From Monday, 0; 1970-01-01 was a Thursday.
    private static func weekday(of day: Int64) -> Int64 { day + 3 - floored(day + 3, 7) * 7 }

    /// How many days after the last start of a week.
    private static func weekdayOffset(from weekStart: Int64, of day: Int64) -> Int64 {
        (weekday(of: day) - weekStart + 7) % 7
    }

    private static func floored(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
