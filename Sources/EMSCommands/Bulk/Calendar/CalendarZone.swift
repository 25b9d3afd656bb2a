import EMSCore

/// A zone that a calendar defines itself (`VTIMEZONE`, RFC 5545, section 3.6.5): when its clocks are changed, and how far they are ahead.
struct CalendarZone: Sendable {
    private var observances: [Observance] = []
    /// The name that the IANA database has for it, if the calendar tells (`X-LIC-LOCATION`).
    private(set) var ianaName: String?

    /// How many changes a zone may list, and how many rules: a crafted calendar must not make every event of it expensive.
    private static let listLimit = 10_000
    private static let ruleLimit = 100

    /// One `STANDARD` or `DAYLIGHT`: from each of its onsets on, clocks are `offset` seconds ahead.
    private struct Observance: Sendable {
        var start: ClockTime?
        var offset: Int64?
        var offsetBefore: Int64?
        var rules: [RecurrenceRule] = []
        var dates: [ClockTime] = []
    }

    /// - Parameter lines: what is between `BEGIN:VTIMEZONE` and its end.
    init(_ lines: [ContentLine]) {
        var current: Observance?
        var listed = 0
        var ruleCount = 0
        for line in lines {
            switch line.name {
            case "BEGIN": current = Observance()
            case "END":
                if var observance = current, let start = observance.start, observance.offset != nil {
                    observance.rules.removeAll { !$0.occurs(after: start) }
                    observances.append(observance)
                }
                current = nil
            case "X-LIC-LOCATION": ianaName = line.unescaped
            case "DTSTART": if let clock = CalendarTime(line.value)?.clock { current?.start = clock }
            case "TZOFFSETTO": current?.offset = Self.offset(line.value)
            case "TZOFFSETFROM": current?.offsetBefore = Self.offset(line.value)
            case "RRULE":
                // Clocks are changed once a day at most.
                guard ruleCount < Self.ruleLimit, let rule = RecurrenceRule(line.value), rule.timesPerDay <= 1 else { continue }
                ruleCount += 1
                current?.rules.append(rule)
            case "RDATE":
                for text in line.value.split(separator: ",") where listed < Self.listLimit {
                    listed += 1
                    if let clock = CalendarTime(String(text))?.clock { current?.dates.append(clock) }
                }
            default: break
            }
            if observances.count >= Self.listLimit { break }
        }
    }

    var isDefined: Bool { !observances.isEmpty }

    /// Up to when the definition says how the clocks run, in milliseconds of UTC; `nil` where it has no end. Many programs list the changes
    /// of some years only, and trust in the zone's name for later ones.
    var end: Int64? {
        guard observances.contains(where: { $0.offset != $0.offsetBefore ?? $0.offset }) else { return nil }
        var end = Int64.min
        for observance in observances {
            let before = (observance.offsetBefore ?? observance.offset ?? 0) * 1000
            for clock in [observance.start].compactMap({ $0 }) + observance.dates { end = max(end, clock.milliseconds - before) }
            for rule in observance.rules {
                guard let until = rule.until else { return nil }
                end = max(end, until.isUTC ? until.clock.milliseconds : until.clock.milliseconds - before)
            }
        }
        return end
    }

    /// How many seconds clocks are ahead of UTC at the moment.
    func offset(at moment: Timestamp) -> Int64 {
        var latest: (onset: Int64, offset: Int64)?
        var earliest: (onset: Int64, offset: Int64)?
        for observance in observances {
            guard let start = observance.start, let offset = observance.offset else { continue }
            let before = observance.offsetBefore ?? offset
            if let onset = Self.lastOnset(of: observance, start, before, upTo: moment), onset >= latest?.onset ?? .min {
                latest = (onset, offset)
            }
            let first = ([start] + observance.dates).map(\.milliseconds).min() ?? start.milliseconds
            if first - before * 1000 < earliest?.onset ?? .max { earliest = (first - before * 1000, before) }
        }
        return latest?.offset ?? earliest?.offset ?? 0
    }

    /// The last onset at or before a moment, in milliseconds of UTC.
    private static func lastOnset(of observance: Observance, _ start: ClockTime, _ before: Int64, upTo moment: Timestamp) -> Int64? {
        // What the clock showed, which still ran as before.
        let shown = ClockTime(milliseconds: moment.milliseconds + before * 1000)
        var last: Int64?
        for clock in [start] + observance.dates where clock.milliseconds <= shown.milliseconds {
            last = max(last ?? .min, clock.milliseconds)
        }
        for rule in observance.rules {
            var high = shown
            // UNTIL of a zone is in UTC (section 3.3.10).
            if let until = rule.until, until.isUTC {
                high = ClockTime(milliseconds: min(high.milliseconds, until.clock.milliseconds + before * 1000))
            } else if let until = rule.until {
                high = ClockTime(milliseconds: min(high.milliseconds, until.clock.milliseconds))
            }
            if let onset = lastOccurrence(of: rule, from: start, upTo: high) { last = max(last ?? .min, onset.milliseconds) }
        }
        return last.map { $0 - before * 1000 }
    }

    /// Looked for in ever longer stretches backwards: most often the last year has one.
    private static func lastOccurrence(of rule: RecurrenceRule, from start: ClockTime, upTo high: ClockTime) -> ClockTime? {
        guard high.milliseconds >= start.milliseconds else { return nil }
        var years: Int64 = 2
        while true {
            let low = ClockTime(milliseconds: max(start.milliseconds, high.milliseconds - years * 366 * 86_400_000))
            if let last = rule.occurrences(from: start, between: low, and: high).last { return last }
            if low.milliseconds == start.milliseconds { return nil }
            years *= 8
        }
    }

    /// `+0130`, in seconds; less than a day.
    private static func offset(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 5 || bytes.count == 7, bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-") else { return nil }
        let digits = bytes.dropFirst().map { Int64($0) - 0x30 }
        guard digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
        var seconds = (digits[0] * 10 + digits[1]) * 3600 + (digits[2] * 10 + digits[3]) * 60
        if digits.count == 6 { seconds += digits[4] * 10 + digits[5] }
        guard seconds < 86_400 else { return nil }
        return bytes[0] == UInt8(ascii: "-") ? -seconds : seconds
    }
}

/// What holds for all components of one calendar: its zones, its method, and the zone of times that name none. Components have no order
/// (RFC 5545, section 3.6), so that it is known before the first event is read.
struct CalendarScope: Sendable {
    var zones: [String: CalendarZone] = [:]
    /// `X-WR-TIMEZONE`.
    var defaultZone: Zone?
    var isCancellation = false
    /// The lines that say all this, to be said again elsewhere.
    var lines: [String] = []

    /// Resolves the name that a time gives its zone.
    /// - Returns: `nil` for a zone that the calendar does not define, and whose name nobody else knows.
    func resolve(_ name: String) -> Resolved? {
        for name in [name, ContentLine.unescaped(name)] {
            guard let own = zones[name] else { continue }
            let named = own.ianaName.flatMap { Zone(name: $0) } ?? Self.known(name)
            if own.isDefined { return .own(own, later: named) }
            if let named { return .known(named) }
        }
        return Self.known(name).map { .known($0) }
    }

    enum Resolved {
        /// What the calendar says goes before what others know by that name, as far as it says it.
        case own(CalendarZone, later: Zone?)
        case known(Zone)

        func moment(at clock: ClockTime) -> Timestamp {
            switch self {
            case .own(let zone, let later):
                let moment = clock.moment { zone.offset(at: $0) }
                guard let later, let end = zone.end, moment.milliseconds >= end else { return moment }
                return later.moment(at: clock)
            case .known(let zone): return zone.moment(at: clock)
            }
        }
    }

    /// A name of the IANA database, perhaps behind a prefix (`/freeassociation.sourceforge.net/Europe/Vienna`), or one of Windows'.
    static func known(_ name: String) -> Zone? {
        if let zone = Zone(name: name) {
            if case .system = zone { return nil }
            return zone
        }
        if let iana = WindowsZones.ianaName(of: name) { return Zone(name: iana) }
        guard name.hasPrefix("/") else { return nil }
        let parts = name.split(separator: "/")
        for count in [3, 2] where parts.count > count {
            if let zone = Zone(name: parts.suffix(count).joined(separator: "/")) { return zone }
        }
        return nil
    }
}
