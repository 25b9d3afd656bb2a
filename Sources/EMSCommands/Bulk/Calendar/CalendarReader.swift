import EMSCore

/// Reads iCalendar (RFC 5545): each `VEVENT` as the record that an event is made of. What an event here cannot be (a recurring one, a
/// to-do) is a record that fails and says why.
struct CalendarReader: RecordReading {
    /// Where dates and clock times are at home that name no zone.
    private let zone: Zone
    private var physical: [UInt8] = []
    private var logical: [UInt8] = []
    private var line = 0
    private var logicalLine = 0
    private var stack: [String] = []
    private var component: (line: Int, lines: [ContentLine])?
    private var zones: [String: CalendarZone] = [:]
    private var hasCalendar = false
    let remark: String? = nil

    init(zone: Zone) {
        self.zone = zone
    }

    mutating func read(_ bytes: [UInt8]) throws -> [BulkRecord] {
        var records: [BulkRecord] = []
        for byte in bytes {
            if byte == 0x0A {
                try finishPhysical(&records)
            } else {
                physical.append(byte)
                guard physical.count <= RecordLimit.bytes else { throw RecordLimit.exceeded(line: line + 1) }
            }
        }
        return records
    }

    mutating func finish() throws -> [BulkRecord] {
        var records: [BulkRecord] = []
        if !physical.isEmpty { try finishPhysical(&records) }
        try finishLogical(&records)
        if let component {
            records.append(.init(line: component.line, content: .failure(EMSError(.malformed, "the component does not end"))))
        }
        guard hasCalendar || line == 0 else { throw EMSError(.malformed, "there is no BEGIN:VCALENDAR: this is no iCalendar file") }
        return records
    }

    /// A line that begins with white space goes on with the one before (section 3.1).
    private mutating func finishPhysical(_ records: inout [BulkRecord]) throws {
        line += 1
        if physical.last == 0x0D { physical.removeLast() }
        if let first = physical.first, first == 0x20 || first == 0x09, logicalLine > 0 {
            logical += physical.dropFirst()
            guard logical.count <= RecordLimit.bytes else { throw RecordLimit.exceeded(line: logicalLine) }
        } else {
            try finishLogical(&records)
            logical = physical
            logicalLine = line
        }
        physical.removeAll(keepingCapacity: true)
    }

    private mutating func finishLogical(_ records: inout [BulkRecord]) throws {
        defer { logical = [] }
        var bytes = logical[...]
        if logicalLine == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        guard bytes.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return }
        guard let content = ContentLine(String(decoding: bytes, as: UTF8.self)) else {
            records.append(
                .init(line: logicalLine, content: .failure(EMSError(.malformed, "no content line: a name and a colon are missing"))))
            return
        }
        take(content, &records)
    }

    private mutating func take(_ content: ContentLine, _ records: inout [BulkRecord]) {
        let kind = content.value.uppercased()
        switch content.name {
        case "BEGIN":
            if kind == "VCALENDAR" { hasCalendar = true }
            if component != nil {
                component?.lines.append(content)
            } else if kind != "VCALENDAR" {
                component = (logicalLine, [])
            }
            stack.append(kind)
        case "END":
            guard stack.last == kind else {
                records.append(
                    .init(line: logicalLine, content: .failure(EMSError(.malformed, "END:\(kind) without its BEGIN"))))
                return
            }
            stack.removeLast()
            guard let ended = component else { return }
            let isWhole = stack.allSatisfy { $0 == "VCALENDAR" }
            guard isWhole else {
                component?.lines.append(content)
                return
            }
            component = nil
            finish(kind, ended.line, ended.lines, &records)
        default: component?.lines.append(content)
        }
    }

    private mutating func finish(_ kind: String, _ line: Int, _ lines: [ContentLine], _ records: inout [BulkRecord]) {
        switch kind {
        case "VTIMEZONE":
            if let name = lines.first(where: { $0.name == "TZID" })?.value { zones[name] = CalendarZone(lines) }
        case "VEVENT":
            let content = Result { () throws(EMSError) in try CalendarEvent(lines, zone: zone, zones: zones).record }
            records.append(.init(line: line, content: content))
        default:
            let fault = EMSError(.invalid, "\(Printable.stripped(kind)): only VEVENT can be brought in")
            records.append(.init(line: line, content: .failure(fault)))
        }
    }
}
