import EMSCore

/// Reads iCalendar (RFC 5545): each `VEVENT` as the record that an event is made of. What an event here cannot be (a recurring one, a
/// to-do) is a record that fails and says why.
///
/// An event may be before the zone that it names: either the zones are known from a ``CalendarScan`` of the same file, or the events of a
/// calendar wait for its end.
struct CalendarReader: RecordReading {
    /// Where dates and clock times are at home that name no zone.
    private let zone: Zone
    /// What is known of each calendar of the file, in their order; `nil` if it is still to be found out.
    private let scopes: [CalendarScope]?
    /// Whether a later revision of an event in the same file is meant to change it.
    private let allowsRevisions: Bool
    private var unfolder = LineUnfolder()
    private var structure = CalendarStructure()
    private var component: Component?
    private var scope = CalendarScope()
    private var deferred: [Component] = []
    private var uids: [UInt64: Seen] = [:]
    let remark: String? = nil

    private struct Component {
        let kind: String
        let line: Int
        var lines: [ContentLine] = []
        var byteCount = 0
        /// Why it cannot be read.
        var fault: EMSError?
    }

    /// What an event said that was in the file before, as digests.
    private struct Seen {
        let content: UInt64
        let sequence: Int64
        let line: Int
    }

    init(zone: Zone, scopes: [CalendarScope]? = nil, allowsRevisions: Bool = false) {
        self.zone = zone
        self.scopes = scopes
        self.allowsRevisions = allowsRevisions
    }

    mutating func read(_ bytes: [UInt8]) throws -> [BulkRecord] {
        var records: [BulkRecord] = []
        var lines: [LineUnfolder.Line] = []
        try unfolder.read(bytes) { lines.append($0) }
        for line in lines { take(line, &records) }
        return records
    }

    mutating func finish() throws -> [BulkRecord] {
        var records: [BulkRecord] = []
        var lines: [LineUnfolder.Line] = []
        try unfolder.finish { lines.append($0) }
        for line in lines { take(line, &records) }
        finishCalendar(&records)
        if let component {
            records.append(failure(component, EMSError(.malformed, "the component does not end")))
        }
        guard structure.hasCalendar || unfolder.line == 0 else {
            throw EMSError(.malformed, "no BEGIN:VCALENDAR found: this is not an iCalendar file")
        }
        return records
    }

    private mutating func take(_ line: LineUnfolder.Line, _ records: inout [BulkRecord]) {
        func fail(_ error: EMSError) {
            if component != nil {
                let earlier = component?.fault
                component?.fault = earlier ?? error
            } else {
                records.append(.init(line: line.number, content: .failure(error), source: .component([], calendar: [])))
            }
        }
        guard let text = String(validating: line.bytes, as: UTF8.self) else { return fail(TextFault.notUTF8) }
        guard text.isStreamSafe else { return fail(TextFault.tooManyMarks) }
        guard let content = ContentLine(text) else {
            return fail(EMSError(.malformed, "not a content line: a name and a colon are missing"))
        }
        switch structure.take(content) {
        case .calendarBegan:
            scope = scopes.flatMap { $0.indices.contains(structure.calendars - 1) ? $0[structure.calendars - 1] : nil } ?? CalendarScope()
        case .calendarEnded: finishCalendar(&records)
        case .componentBegan: component = Component(kind: Printable.stripped(String(content.value.prefix(40))), line: line.number)
        case .componentEnded(let kind):
            guard let ended = component else { return }
            component = nil
            finish(kind, ended, &records)
        case .inComponent:
            let size = line.bytes.count
            component?.byteCount += size
            // What is too long is read on, and kept no more.
            if let count = component?.byteCount, count > RecordLimit.bytes {
                let begin = component?.line ?? line.number
                component?.lines = []
                component?.fault = RecordLimit.exceeded(line: begin)
            } else {
                component?.lines.append(content)
            }
        case .inCalendar: if scopes == nil { scope.take(content) }
        case .unbalanced:
            fail(EMSError(.malformed, "END:\(Printable.stripped(String(content.value.prefix(40)))) without its BEGIN"))
        case .tooDeep: fail(EMSError(.malformed, "components are nested more than \(CalendarStructure.depthLimit) deep"))
        }
    }

    private mutating func finish(_ kind: String, _ component: Component, _ records: inout [BulkRecord]) {
        switch kind {
        case "VTIMEZONE":
            if let fault = component.fault {
                records.append(failure(component, fault))
            } else if scopes == nil {
                scope.define(component.lines)
            }
        case "VEVENT":
            if scopes == nil { deferred.append(component) } else { records.append(record(of: component)) }
        default:
            let fault = EMSError(.invalid, "\(Printable.stripped(String(kind.prefix(40)))): only VEVENT can be imported")
            records.append(failure(component, component.fault ?? fault))
        }
    }

    private mutating func finishCalendar(_ records: inout [BulkRecord]) {
        let waiting = deferred
        deferred = []
        for component in waiting { records.append(record(of: component)) }
        if scopes == nil { scope = CalendarScope() }
    }

    private mutating func record(of component: Component) -> BulkRecord {
        do {
            if let fault = component.fault { throw fault }
            let event = try CalendarEvent(component.lines, zone: zone, scope: scope)
            if let fault = repetition(of: event.record, line: component.line) { throw fault }
            return BulkRecord(
                line: component.line, content: .success(event.record), source: source(of: component), warnings: event.warnings,
                isCancellation: event.isCancellation)
        } catch {
            return failure(component, error)
        }
    }

    private func failure(_ component: Component, _ fault: any Error) -> BulkRecord {
        BulkRecord(line: component.line, content: .failure(EMSError(fault)), source: source(of: component))
    }

    private func source(of component: Component) -> BulkRecord.Source {
        .component(["BEGIN:\(component.kind)"] + component.lines.map(\.text), calendar: scope.lines)
    }

    /// Two different events that claim to be the same one: one of them would be lost.
    private mutating func repetition(of record: JSONValue, line: Int) -> EMSError? {
        guard let uid = record["external_id"]?.string ?? record["event_id"]?.string else { return nil }
        let key = Self.digest(Array(uid.utf8))
        let seen = Seen(content: Self.digest(record.json()), sequence: record["external_sequence"]?.integer ?? 0, line: line)
        defer { uids[key] = uids[key].map { $0.sequence > seen.sequence ? $0 : seen } ?? seen }
        guard let earlier = uids[key], earlier.content != seen.content, !(allowsRevisions && seen.sequence > earlier.sequence) else {
            return nil
        }
        return EMSError(
            .exists, "the UID \(Printable.quoted(uid)) is that of another event in line \(earlier.line)",
            fix: allowsRevisions ? "give one of them another UID, or the later one a higher SEQUENCE" : "give one of them another UID")
    }

    /// The first eight bytes of a SHA-256.
    private static func digest(_ bytes: [UInt8]) -> UInt64 {
        sha256(bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// The nesting of components: what a line begins, ends, or is part of.
struct CalendarStructure {
    static let depthLimit = 64

    enum Place {
        case calendarBegan, calendarEnded
        case componentBegan
        case componentEnded(String)
        /// A line of a component, or of one within it.
        case inComponent
        /// A property of the calendar.
        case inCalendar
        case unbalanced
        case tooDeep
    }

    private var stack: [String] = []
    /// How many components are open that are no calendars.
    private var depth = 0
    private(set) var calendars = 0

    var hasCalendar: Bool { calendars > 0 }

    mutating func take(_ line: ContentLine) -> Place {
        guard line.name == "BEGIN" || line.name == "END" else { return depth > 0 ? .inComponent : .inCalendar }
        let kind = line.value.uppercased()
        if line.name == "BEGIN" {
            guard stack.count < Self.depthLimit else { return .tooDeep }
            stack.append(kind)
            if kind == "VCALENDAR", depth == 0 {
                calendars += 1
                return .calendarBegan
            }
            depth += 1
            return depth == 1 ? .componentBegan : .inComponent
        }
        guard stack.last == kind else { return .unbalanced }
        stack.removeLast()
        if depth == 0 { return .calendarEnded }
        depth -= 1
        return depth == 0 ? .componentEnded(kind) : .inComponent
    }
}

/// Goes through a file before its events are read, for what holds for all of a calendar's components.
struct CalendarScan {
    private var unfolder = LineUnfolder()
    private var structure = CalendarStructure()
    private var component: (isZone: Bool, lines: [ContentLine], byteCount: Int) = (false, [], 0)
    private(set) var scopes: [CalendarScope] = []

    /// Everything that an input holds, decoded.
    static func scopes(of input: TextInput) throws -> [CalendarScope] {
        var scan = CalendarScan()
        while let piece = try input.next() { try scan.read(piece.bytes) }
        try scan.finish()
        return scan.scopes
    }

    mutating func read(_ bytes: [UInt8]) throws {
        var lines: [LineUnfolder.Line] = []
        try unfolder.read(bytes) { lines.append($0) }
        for line in lines { take(line) }
    }

    mutating func finish() throws {
        var lines: [LineUnfolder.Line] = []
        try unfolder.finish { lines.append($0) }
        for line in lines { take(line) }
    }

    private mutating func take(_ line: LineUnfolder.Line) {
        guard let text = String(validating: line.bytes, as: UTF8.self), let content = ContentLine(text) else { return }
        switch structure.take(content) {
        case .calendarBegan: scopes.append(CalendarScope())
        case .componentBegan: component = (content.value.uppercased() == "VTIMEZONE", [], 0)
        case .inComponent where component.isZone:
            component.byteCount += line.bytes.count
            if component.byteCount <= RecordLimit.bytes { component.lines.append(content) }
        case .componentEnded:
            if component.isZone, !scopes.isEmpty { scopes[scopes.count - 1].define(component.lines) }
            component = (false, [], 0)
        case .inCalendar: if !scopes.isEmpty { scopes[scopes.count - 1].take(content) }
        case .calendarEnded, .inComponent, .unbalanced, .tooDeep: break
        }
    }
}

extension CalendarScope {
    private static let zoneLimit = 1000
    private static let linesLimit = 16

    /// Takes a property of the calendar.
    mutating func take(_ line: ContentLine) {
        switch line.name {
        case "METHOD": isCancellation = line.value.uppercased() == "CANCEL"
        case "X-WR-TIMEZONE": defaultZone = Self.known(line.unescaped) ?? defaultZone
        default: return
        }
        // What is said once for a calendar is repeated with each event that is rejected.
        if self.lines.count < Self.linesLimit { self.lines.append(line.text) }
    }

    /// Takes a `VTIMEZONE`. Its name is a text, in which commas are escaped (RFC 5545, section 3.8.3.1).
    mutating func define(_ lines: [ContentLine]) {
        guard zones.count < Self.zoneLimit, let name = lines.first(where: { $0.name == "TZID" })?.unescaped else { return }
        zones[name] = CalendarZone(lines)
        self.lines += ["BEGIN:VTIMEZONE"] + lines.map(\.text) + ["END:VTIMEZONE"]
    }
}
