import EMSCore

/// A `VEVENT` and the event's fields: one place that knows what stands for what, in both directions.
struct CalendarEvent {
    /// The record that an event is made of; of a cancellation, what names the event.
    let record: JSONValue
    /// What of it could not be read and is not needed.
    let warnings: [String]
    /// Whether it only says that an event is canceled.
    let isCancellation: Bool

    /// The properties that stand for fields of ours, or that are made anew. All others are kept as they came.
    private static let own: Set<String> = [
        "UID", "SEQUENCE", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SUMMARY", "DESCRIPTION", "LOCATION", "DTSTART", "DTEND", "DURATION",
        "STATUS", "CATEGORIES", "GEO", "X-EMS-MAX-ATTENDEES", "X-EMS-STATUS", rejectReason,
    ]
    /// Why the event was rejected, in a file of rejected records.
    static let rejectReason = "X-EMS-REJECT-REASON"
    /// What makes of one event many.
    private static let recurring: Set<String> = ["RRULE", "RDATE", "EXRULE", "RECURRENCE-ID"]
    /// The part of our own `UID`s behind the id.
    private static let domain = "@ems"

    // MARK: Reading

    /// - Parameters:
    ///   - lines: what stands between `BEGIN:VEVENT` and its end.
    ///   - zone: where dates and clock times are at home that name no zone, unless the calendar says so.
    ///   - scope: what holds for the whole calendar.
    init(_ lines: [ContentLine], zone: Zone, scope: CalendarScope) throws(EMSError) {
        let zone = scope.defaultZone ?? zone
        let top = Self.top(of: lines)
        var warnings: [String] = []
        // RFC 5546, section 3.2.5: a cancellation need not say more than what is canceled.
        if scope.isCancellation, !top.contains(where: { $0.name == "DTSTART" }) || !top.contains(where: { $0.name == "SUMMARY" }) {
            record = try Self.cancellation(top)
            isCancellation = true
            self.warnings = []
            return
        }
        isCancellation = false
        if let line = top.first(where: { Self.recurring.contains($0.name) }) {
            throw EMSError(.invalid, "\(line.name): recurring events are not supported", fix: "export its occurrences as single events")
        }
        func first(_ name: String) -> ContentLine? { top.first { $0.name == name } }
        guard let begin = first("DTSTART") else { throw EMSError(.invalid, "DTSTART is missing") }
        guard let title = first("SUMMARY")?.unescaped.replacing("\n", with: " "), !title.isEmpty else {
            throw EMSError(.invalid, "SUMMARY is missing")
        }
        let start = try Self.moment(begin, zone, scope)
        let end = try Self.end(begin, start, first("DTEND"), first("DURATION"), zone, scope)
        var members: [JSONValue.Member] = []
        func add(_ name: String, _ value: JSONValue?) { if let value { members.append(.init(name: name, value: value)) } }
        add("title", .string(title))
        add("description", first("DESCRIPTION").map { .string($0.unescaped) })
        // Some programs write addresses with a line for each part.
        add("location", first("LOCATION").map { .string($0.unescaped.replacing("\n", with: ", ")) })
        add("start_time", .string(start.description))
        add("end_time", .string(end.description))
        let tags = top.filter { $0.name == "CATEGORIES" }.flatMap(\.list).filter { !$0.isEmpty }
        add("tags", tags.isEmpty ? nil : .array(tags.map { .string($0) }))
        // What is optional, and cannot be read, is no reason to lose the event.
        let status = Self.status(first("STATUS")?.value, first("X-EMS-STATUS")?.value)
        if status == nil {
            warnings.append("STATUS \(Printable.quoted(first("STATUS")?.value ?? "")) is ignored: it is not a valid status")
        }
        add("status", .string(scope.isCancellation ? Event.Status.canceled.rawValue : status ?? Event.Status.scheduled.rawValue))
        if let line = first("X-EMS-MAX-ATTENDEES") {
            if let number = Int64(line.value) {
                add("max_attendees", .integer(number))
            } else {
                warnings.append("X-EMS-MAX-ATTENDEES \(Printable.quoted(line.value)) is ignored: it is not a number")
            }
        }
        if let line = first("GEO") {
            let place = Self.coordinates(line)
            if place == nil { warnings.append("GEO \(Printable.quoted(line.value)) is ignored: it is not latitude;longitude") }
            add("coordinates", place)
        }
        let attachment = top.first { $0.name == "ATTACH" && $0["VALUE"] == nil && $0.value.lowercased().hasPrefix("http") }
        add("attachment_url", attachment.map { .string($0.value) })
        let uid = first("UID")?.unescaped ?? ""
        let own = uid.hasSuffix(Self.domain) ? EventID(uid.dropLast(Self.domain.count)) : nil
        let kept = Self.kept(lines, attachment: attachment, isOurs: own != nil)
        if let own { add("event_id", .string(own.description)) }
        // One of ours that comes back as it went has no origin elsewhere.
        if !uid.isEmpty, own == nil || !kept.isEmpty {
            add("external_id", .string(uid))
            add("external_properties", kept.isEmpty ? nil : .string(kept.joined(separator: "\n")))
        }
        add("external_sequence", first("SEQUENCE").flatMap { Int64($0.value) }.map { .integer($0) })
        record = .object(members)
        self.warnings = warnings
    }

    private static func cancellation(_ top: [ContentLine]) throws(EMSError) -> JSONValue {
        guard let uid = top.first(where: { $0.name == "UID" })?.unescaped, !uid.isEmpty else {
            throw EMSError(.invalid, "a cancellation without UID names no event")
        }
        if top.contains(where: { $0.name == "RECURRENCE-ID" }) {
            throw EMSError(.invalid, "RECURRENCE-ID: recurring events are not supported", fix: "export its occurrences as single events")
        }
        var members: [JSONValue.Member] = []
        if uid.hasSuffix(domain), let own = EventID(uid.dropLast(domain.count)) {
            members.append(.init(name: "event_id", value: .string(own.description)))
        } else {
            members.append(.init(name: "external_id", value: .string(uid)))
        }
        if let sequence = top.first(where: { $0.name == "SEQUENCE" }).flatMap({ Int64($0.value) }) {
            members.append(.init(name: "external_sequence", value: .integer(sequence)))
        }
        return .object(members)
    }

    /// Without what stands in components inside.
    private static func top(of lines: [ContentLine]) -> [ContentLine] {
        var depth = 0
        return lines.filter { line in
            if line.name == "BEGIN" { depth += 1 }
            defer { if line.name == "END" { depth -= 1 } }
            return depth == 0
        }
    }

    /// What has no field of ours; and of our fields what says more than the field: a parameter, a zone, a date without time.
    private static func kept(_ lines: [ContentLine], attachment: ContentLine?, isOurs: Bool) -> [String] {
        var depth = 0
        // An instant has only a beginning, and goes out again with no more.
        let hasEnd = lines.contains { $0.name == "DTEND" || $0.name == "DURATION" }
        return lines.filter { line in
            if line.name == "BEGIN" { depth += 1 }
            defer { if line.name == "END" { depth -= 1 } }
            if depth > 0 || !own.contains(line.name) { return line != attachment }
            // Our fields say it all, however a program wrote it that passed our event on.
            if isOurs { return false }
            switch line.name {
            case "DTSTART", "DTEND", "DURATION":
                return line.name == "DURATION" || !hasEnd || !line.value.hasSuffix("Z") || !line.parameters.isEmpty
            case "STATUS": return line.value.uppercased() == "TENTATIVE"
            case "SUMMARY", "DESCRIPTION", "LOCATION": return !line.parameters.isEmpty
            default: return false
            }
        }.map { line in
            // Names are the same in small letters; some programs take them for others.
            own.contains(line.name) ? line.name + line.text.dropFirst(line.name.count) : line.text
        }
    }

    private static func moment(_ line: ContentLine, _ zone: Zone, _ scope: CalendarScope) throws(EMSError) -> Timestamp {
        guard let time = CalendarTime(line.value) else {
            throw EMSError(.invalid, "\(line.name) is not a date or time: \(Printable.quoted(line.value))")
        }
        if case .moment(let moment) = time { return moment }
        return try moment(time.clock ?? ClockTime(day: 0), line["TZID"], line.name, zone, scope)
    }

    /// - Parameters:
    ///   - name: the `TZID` of the property; `nil` for a time that is at home in any zone.
    ///   - property: for messages.
    private static func moment(
        _ clock: ClockTime, _ name: String?, _ property: String, _ zone: Zone, _ scope: CalendarScope
    ) throws(EMSError) -> Timestamp {
        guard let name else { return zone.moment(at: clock) }
        guard let found = scope.resolve(name) else {
            throw EMSError(
                .invalid, "\(property): zone \(Printable.quoted(name)) is not defined in the calendar, and is not a known name",
                fix: "use a name such as Europe/Vienna")
        }
        return found.moment(at: clock)
    }

    private static func end(
        _ begin: ContentLine, _ start: Timestamp, _ end: ContentLine?, _ duration: ContentLine?, _ zone: Zone,
        _ scope: CalendarScope
    ) throws(EMSError) -> Timestamp {
        if let end {
            let moment = try moment(end, zone, scope)
            // An end that is the beginning is an instant as well.
            return moment == start ? instant(start) : moment
        }
        if let duration {
            let invalid = EMSError(.invalid, "DURATION is not a valid length of time: \(Printable.quoted(duration.value))")
            guard let (days, seconds) = CalendarTime.duration(duration.value) else { throw invalid }
            let end: Timestamp
            if days > 0, let clock = CalendarTime(begin.value)?.clock {
                let day = ClockTime(milliseconds: clock.milliseconds + days * 86_400_000)
                guard Timestamp(stored: day.milliseconds) != nil else { throw invalid }
                end = try moment(day, begin["TZID"], begin.name, zone, scope).adding(seconds: seconds)
            } else {
                end = start.adding(seconds: days * 86_400 + seconds)
            }
            // Beyond the year 9999 there is no time to write.
            guard end < .latest else {
                throw EMSError(.invalid, "the event ends after the year 9999: DURATION is \(Printable.quoted(duration.value))")
            }
            return end == start ? instant(start) : end
        }
        // A date alone is that day (section 3.6.1).
        if case .date(let day)? = CalendarTime(begin.value) { return zone.moment(at: ClockTime(day: day + 1)) }
        // A time without an end is an instant.
        return instant(start)
    }

    /// An event ends after it begins: the shortest has a second, which is what a calendar counts in.
    private static func instant(_ start: Timestamp) -> Timestamp { start.adding(seconds: 1) }

    /// - Returns: `nil` for what is not a status.
    private static func status(_ text: String?, _ own: String?) -> String? {
        if own?.uppercased() == "COMPLETED" { return Event.Status.completed.rawValue }
        switch text?.uppercased() {
        case nil, "CONFIRMED", "TENTATIVE": return Event.Status.scheduled.rawValue
        case "CANCELLED": return Event.Status.canceled.rawValue
        default: return nil
        }
    }

    private static func coordinates(_ line: ContentLine) -> JSONValue? {
        let numbers = line.value.split(separator: ";", omittingEmptySubsequences: false).map { Double(decimal: $0) }
        guard numbers.count == 2, let latitude = numbers[0], let longitude = numbers[1], (-90...90).contains(latitude),
            (-180...180).contains(longitude)
        else { return nil }
        return .object([.init(name: "latitude", value: .number(latitude)), .init(name: "longitude", value: .number(longitude))])
    }

    // MARK: Writing

    /// The event as a component, its lines folded.
    /// - Parameter zone: in which zone its times are written; UTC needs no definition.
    static func text(of event: Event, in zone: Zone) -> String {
        let kept = KeptLines(event.origin?.properties ?? "").lines
        let top = top(of: kept)
        var lines = ["BEGIN:VEVENT"]
        func add(_ name: String, _ value: String, else isSame: (ContentLine) -> Bool = { _ in false }) {
            // What came is given back as it came, where it still says the same.
            lines.append(top.first { $0.name == name && isSame($0) }?.text ?? "\(name):\(value)")
        }
        lines.append("UID:\(event.origin.map { ContentLine.escaped($0.key) } ?? event.id.description + domain)")
        lines.append("DTSTAMP:\(CalendarTime.text(utc: event.updatedAt))")
        lines.append("CREATED:\(CalendarTime.text(utc: event.createdAt))")
        lines.append("LAST-MODIFIED:\(CalendarTime.text(utc: event.updatedAt))")
        lines.append("SEQUENCE:\(event.origin?.sequence ?? event.version - 1)")
        lines += times(of: event, kept: top, zone)
        add("SUMMARY", ContentLine.escaped(event.title)) { $0.unescaped == event.title }
        if !event.description.isEmpty {
            add("DESCRIPTION", ContentLine.escaped(event.description)) { $0.unescaped == event.description }
        }
        if !event.location.isEmpty { add("LOCATION", ContentLine.escaped(event.location)) { $0.unescaped == event.location } }
        switch event.status {
        case .scheduled: add("STATUS", "CONFIRMED") { $0.value.uppercased() == "TENTATIVE" }
        case .canceled: lines.append("STATUS:CANCELLED")
        case .completed: lines += ["STATUS:CONFIRMED", "X-EMS-STATUS:COMPLETED"]
        }
        if !event.tags.isEmpty { lines.append("CATEGORIES:\(event.tags.map(ContentLine.escaped).joined(separator: ","))") }
        if let place = event.coordinates { lines.append("GEO:\(decimal(place.latitude));\(decimal(place.longitude))") }
        if let url = event.attachmentURL { lines.append("ATTACH:\(url)") }
        if let attendees = event.maxAttendees { lines.append("X-EMS-MAX-ATTENDEES:\(attendees)") }
        var depth = 0
        for line in kept {
            if line.name == "BEGIN" { depth += 1 }
            if depth > 0 || !own.contains(line.name) { lines.append(line.text) }
            if line.name == "END" { depth -= 1 }
        }
        lines.append("END:VEVENT")
        return lines.map(ContentLine.folded).joined()
    }

    private static func isDate(_ line: ContentLine) -> Bool { if case .date? = CalendarTime(line.value) { true } else { false } }

    /// Without an exponent, which iCalendar has not (RFC 5545, section 3.3.7).
    private static func decimal(_ number: Double) -> String {
        let text = number.description
        guard text.contains("e"), abs(number) < 1 else { return text }
        let billionths = String(Int64((abs(number) * 1e12).rounded()))
        return (number < 0 ? "-0." : "0.") + String(repeating: "0", count: max(0, 12 - billionths.count)) + billionths
    }

    private static func times(of event: Event, kept: [ContentLine], _ zone: Zone) -> [String] {
        let came = kept.filter { ["DTSTART", "DTEND", "DURATION"].contains($0.name) }
        // A zone goes out again under a name that all know.
        let isNamed = came.allSatisfy { line in line["TZID"].map { Zone(name: $0) != nil } ?? true }
        if isNamed, let begin = came.first(where: { $0.name == "DTSTART" }), let start = try? moment(begin, zone, CalendarScope()),
            start == event.startTime,
            let end = try? end(
                begin, start, came.first { $0.name == "DTEND" }, came.first { $0.name == "DURATION" }, zone, CalendarScope()),
            end == event.endTime
        {
            // Programs differ in what a time without an end means.
            let isEndless = came.count == 1 && !isDate(begin)
            return came.map(\.text) + (isEndless ? ["DTEND:\(CalendarTime.text(utc: event.endTime))"] : [])
        }
        // A calendar counts in seconds; an event ends after it begins.
        let end = event.endTime.secondsSinceEpoch > event.startTime.secondsSinceEpoch ? event.endTime : event.startTime.adding(seconds: 1)
        let times = [("DTSTART", event.startTime), ("DTEND", end)]
        // In the hour that clocks show twice, programs differ in which of the two is meant.
        guard case .named(let named) = zone, !times.contains(where: { zone.isAmbiguous($0.1) }) else {
            return times.map { "\($0):\(CalendarTime.text(utc: $1))" }
        }
        return times.map { name, moment in
            "\(name);TZID=\(named.identifier):\(CalendarTime.text(zone.clock(at: moment)))"
        }
    }
}
