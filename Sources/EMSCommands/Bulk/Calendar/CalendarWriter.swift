import EMSCore
import Foundation

/// Writes a calendar (RFC 5545), an event at a time. The zones that its times name are defined at the end, for the years they are of.
struct CalendarWriter {
    /// For how many years a zone is defined at most.
    private static let yearLimit = 200

    private let zone: Zone
    private var used: [String: (zone: TimeZone, years: ClosedRange<Int>)] = [:]

    init(zone: Zone) {
        // A calendar cannot name the machine's zone by nothing: it is called by its name.
        if case .system = zone { self.zone = Zone(name: TimeZone.current.identifier) ?? .utc } else { self.zone = zone }
    }

    static func begin() throws {
        try StandardOutput.write("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//ems//ems \(EMS.version)//EN\r\nCALSCALE:GREGORIAN\r\n")
    }

    mutating func write(_ event: Event) throws {
        if case .named(let named) = zone { note(named, event) }
        for line in KeptLines(event.origin?.properties ?? "").lines where line.name == "DTSTART" || line.name == "DTEND" {
            guard let name = line["TZID"], case .named(let named)? = Zone(name: name) else {
                continue
            }
            note(named, as: name, event)
        }
        try StandardOutput.write(CalendarEvent.text(of: event, in: zone))
    }

    func end() throws {
        for (name, use) in used.sorted(by: { $0.key < $1.key }) { try StandardOutput.write(Self.definition(name, use.zone, use.years)) }
        try StandardOutput.write("END:VCALENDAR\r\n")
    }

    private mutating func note(_ zone: TimeZone, as name: String? = nil, _ event: Event) {
        let years = [event.startTime, event.endTime].map { Int($0.description.prefix(4)) ?? 1970 }
        let known = used[name ?? zone.identifier]?.years
        let first = min(known?.lowerBound ?? .max, years.min() ?? 1970)
        // An event of a thousand years is a slip of the pen, and no reason to list all changes of them.
        let last = min(max(known?.upperBound ?? .min, years.max() ?? 1970), first + Self.yearLimit)
        used[name ?? zone.identifier] = (zone, first...last)
    }

    /// `VTIMEZONE` with every change of the clocks in those years.
    private static func definition(_ name: String, _ zone: TimeZone, _ years: ClosedRange<Int>) -> String {
        var lines = ["BEGIN:VTIMEZONE", "TZID:\(ContentLine.escaped(name))"]
        func moment(_ year: Int) -> Date {
            Date(timeIntervalSince1970: Double(CivilDate(year: Int64(year), month: 1, day: 1).daysSinceEpoch) * 86_400)
        }
        let begin = moment(years.lowerBound - 1)
        lines += observance(zone, at: begin, before: zone.secondsFromGMT(for: begin))
        var last = begin
        let end = moment(years.upperBound + 1)
        while let next = zone.nextDaylightSavingTimeTransition(after: last), next < end, next > last {
            lines += observance(zone, at: next, before: zone.secondsFromGMT(for: next.addingTimeInterval(-1)))
            last = next
        }
        lines.append("END:VTIMEZONE")
        return lines.map(ContentLine.folded).joined()
    }

    private static func observance(_ zone: TimeZone, at moment: Date, before: Int) -> [String] {
        let kind = zone.isDaylightSavingTime(for: moment) ? "DAYLIGHT" : "STANDARD"
        let seconds = Int64(moment.timeIntervalSince1970.rounded()) + Int64(before)
        var lines = ["BEGIN:\(kind)", "DTSTART:\(CalendarTime.text(ClockTime(milliseconds: seconds * 1000)))"]
        lines.append("TZOFFSETFROM:\(offset(before))")
        lines.append("TZOFFSETTO:\(offset(zone.secondsFromGMT(for: moment)))")
        return lines + ["END:\(kind)"]
    }

    /// `+0130`
    private static func offset(_ seconds: Int) -> String {
        let digits = [abs(seconds) / 3600, abs(seconds) / 60 % 60, abs(seconds) % 60].map { ($0 < 10 ? "0" : "") + String($0) }
        return (seconds < 0 ? "-" : "+") + digits[0] + digits[1] + (digits[2] == "00" ? "" : digits[2])
    }
}
