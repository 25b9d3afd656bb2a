import ArgumentParser
import EMSCore

/// A moment as people say it: `2027-03-01T09:00:00Z`, `2027-03-01 9:00`, `+2h`, `tomorrow 9:00`, `monday`.
enum TimeExpression: Equatable, Sendable {
    /// A moment of its own.
    case moment(Timestamp)
    /// What a clock shows in the zone that is asked for.
    case clock(ClockTime)
    /// So many seconds from now.
    case fromNow(Int64)
    /// So many days from today, at this second of the day.
    case day(Int64, second: Int64)
    /// The next such day after today, from Monday, 0.
    case weekday(Int64, second: Int64)

    init?(_ text: String) {
        let words = text.lowercased().split(separator: " ").map(String.init)
        if let relative = Self.relative(words) {
            self = relative
        } else if let moment = Timestamp(text) {
            // A zone at the end makes it a moment; without one, it is what a clock shows.
            self = Self.hasZone(text) ? .moment(moment) : .clock(ClockTime(milliseconds: moment.milliseconds))
        } else if words.count == 2, let day = Timestamp(words[0]), words[0].utf8.count == 10, let second = Self.second(words[1]) {
            self = .clock(ClockTime(milliseconds: day.milliseconds + second * 1000))
        } else {
            return nil
        }
    }

    /// Whether it depends on the moment at which it is read.
    var isRelative: Bool {
        switch self {
        case .moment, .clock: false
        case .fromNow, .day, .weekday: true
        }
    }

    func moment(in zone: Zone, now: Timestamp) -> Timestamp {
        let today = zone.clock(at: now).day
        switch self {
        case .moment(let moment): return moment
        case .clock(let clock): return zone.moment(at: clock)
        case .fromNow(let seconds): return now.adding(seconds: seconds)
        case .day(let days, let second): return zone.moment(at: ClockTime(day: today + days, seconds: second))
        case .weekday(let weekday, let second):
            // 1970-01-01 was a Thursday.
            let current = (today + 3) % 7
            let days = (weekday - current + 6) % 7 + 1
            return zone.moment(at: ClockTime(day: today + days, seconds: second))
        }
    }

    private static func relative(_ words: [String]) -> TimeExpression? {
        guard let first = words.first, words.count <= 2 else { return nil }
        if first == "now", words.count == 1 { return .fromNow(0) }
        if first.hasPrefix("+") || first.hasPrefix("-"), words.count == 1, let span = DurationArgument(argument: String(first.dropFirst()))
        {
            return .fromNow(first.hasPrefix("+") ? span.seconds : -span.seconds)
        }
        let second = words.count == 2 ? second(words[1]) : 0
        guard let second else { return nil }
        if let days = ["yesterday": -1, "today": 0, "tomorrow": 1][first] { return .day(Int64(days), second: second) }
        let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        if let weekday = names.firstIndex(where: { $0 == first || $0.prefix(3) == first }) {
            return .weekday(Int64(weekday), second: second)
        }
        return nil
    }

    /// `9:00`, `09:00:30`.
    private static func second(_ text: String) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts.allSatisfy({ (1...2).contains($0.utf8.count) }) else { return nil }
        let numbers = parts.compactMap { UInt8($0) }.map { Int64($0) }
        guard numbers.count == parts.count, numbers[0] < 24, numbers.dropFirst().allSatisfy({ $0 < 60 }) else { return nil }
        return numbers[0] * 3600 + numbers[1] * 60 + (numbers.count > 2 ? numbers[2] : 0)
    }

    private static func hasZone(_ text: String) -> Bool {
        guard text.utf8.count > 10 else { return false }
        let time = text.utf8.dropFirst(10)
        return time.contains { [UInt8(ascii: "Z"), UInt8(ascii: "z"), UInt8(ascii: "+"), UInt8(ascii: "-")].contains($0) }
    }
}

/// A moment on the command line. A wrong one is a usage error.
struct TimeArgument: ExpressibleByArgument {
    let text: String
    let expression: TimeExpression

    init?(argument: String) {
        guard let expression = TimeExpression(argument) else { return nil }
        text = argument
        self.expression = expression
    }

    static let help = """
        ISO 8601, such as 2027-03-01T09:00:00Z, or +2h, 'tomorrow 9:00', 'monday 10:30'; in the zone of --time-zone where none is said
        """

    /// The moment; one that is said relative to now is said back, with its zone.
    func moment(in zone: Zone) -> Timestamp {
        let moment = expression.moment(in: zone, now: .now())
        if expression.isRelative {
            StandardError.write("ems: \(Printable.quoted(text)) is \(zone.text(moment)) (\(zone.name))")
        }
        return moment
    }
}

/// A moment in the past: a time, or how long ago, such as `180d`.
struct PastArgument: ExpressibleByArgument {
    private let span: DurationArgument?
    private let time: TimeArgument?

    init?(argument: String) {
        span = DurationArgument(argument: argument)
        time = span == nil ? TimeArgument(argument: argument) : nil
        if span == nil, time == nil { return nil }
    }

    func moment(in zone: Zone) -> Timestamp {
        time?.moment(in: zone) ?? Timestamp.now().adding(seconds: -(span?.seconds ?? 0))
    }
}

/// In which zone times are read and shown.
struct ZoneOptions: ParsableArguments {
    @Flag(help: "Times in the local time zone instead of UTC.")
    var local = false

    @Option(
        help: ArgumentHelp("Times in this zone, such as Europe/Vienna, instead of UTC.", valueName: "zone"),
        completion: .shellCommand("sed 's/^[^\\t]*\\t[^\\t]*\\t//;s/\\t.*//;/^#/d' /usr/share/zoneinfo/zone1970.tab 2>/dev/null"))
    var timeZone: ZoneArgument?

    func validate() throws {
        if local, timeZone != nil { throw ValidationError("Use --local or --time-zone, not both.") }
    }

    var zone: Zone { local ? .system : timeZone?.zone ?? .utc }
}

struct ZoneArgument: ExpressibleByArgument {
    let zone: Zone

    init?(argument: String) {
        guard let zone = Zone(name: argument) else { return nil }
        self.zone = zone
    }
}
