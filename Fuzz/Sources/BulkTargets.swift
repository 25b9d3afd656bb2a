@testable import EMSCommands
@testable import EMSCore

/// A file of records means the same however it was cut, and every record is one or is told with its line. Input: the form, how many bytes
/// come at a time, and the bytes.
@Sendable func fuzzBulk(_ bytes: [UInt8]) {
    var script = Script(bytes)
    let format = BulkFormat.allCases[Int(script.byte()) % BulkFormat.allCases.count]
    let step = Int(script.byte()) + 1
    let file = script.remainder()
    let whole = accepted { try records(in: file, format, step: max(1, file.count)) }
    let pieces = accepted { try records(in: file, format, step: step) }
    expect(whole == pieces, "in pieces of \(step) bytes, the file means something else")
    let lines = (whole ?? []).map(\.line)
    // A component that does not end is told at the end, with the line that it began on.
    expect(format == .ics || (lines == lines.sorted() && Set(lines).count == lines.count), "the records begin on the lines \(lines)")
    for case let record? in (whole ?? []).map(\.json) {
        roundTrip(accepted { try EventRules.accepted(EventDraft(imported: record), startsAfter: nil) })
        _ = accepted { try UserDraft(record) }
    }
}

/// An accepted event that is written as iCalendar is read as the same event.
private func roundTrip(_ draft: EventDraft?) {
    // A calendar counts in seconds, and knows no NUL.
    guard let draft, draft.startTime.milliseconds % 1000 == 0, draft.endTime.milliseconds % 1000 == 0, draft.origin == nil,
        draft.description.utf8.allSatisfy({ $0 != 0x0D })
    else { return }
    let event = Event(
        title: draft.title, description: draft.description, location: draft.location, startTime: draft.startTime, endTime: draft.endTime,
        createdBy: "operator:fuzz", tags: draft.tags, maxAttendees: draft.maxAttendees, status: draft.status,
        attachmentURL: draft.attachmentURL, coordinates: draft.coordinates, createdAt: draft.startTime)
    let text = "BEGIN:VCALENDAR\r\n" + CalendarEvent.text(of: event, in: .utc) + "END:VCALENDAR\r\n"
    let read = accepted { try records(in: Array(text.utf8), .ics, step: 4096) }
    let again = read?.first?.json.flatMap { json in accepted { try EventDraft(imported: json) } }
    expect(again == draft, "\(draft) came back from iCalendar as \(String(describing: again))")
}

/// What is written as CSV is read as the same fields. Input: the fields, with a unit separator (1F) between them.
@Sendable func fuzzCSV(_ bytes: [UInt8]) {
    let fields = bytes.split(separator: 0x1F, omittingEmptySubsequences: false).prefix(50).map { String(decoding: $0, as: UTF8.self) }
    let row = CSV.line(fields.map(CSV.neutralised))
    // A line without anything is no record, nor is a row of blank cells.
    guard fields.contains(where: { $0.utf8.contains { ![0x09, 0x20].contains($0) } }) else { return }
    guard row.utf8.contains(where: { ![0x09, 0x0A, 0x0D, 0x20].contains($0) }) else { return }
    let header = CSV.line(fields.indices.map { "field\($0)" })
    let read = accepted { try records(in: Array((header + row).utf8), .csv, step: 4096) }
    let members = fields.enumerated().filter { !$0.element.isEmpty }.map { ("field\($0.offset)", $0.element) }
    let wanted = JSONValue.object(members.map { .init(name: $0.0, value: .string($0.1)) })
    expect(read?.count == 1 && read?.first?.json?.json() == wanted.json(), "\(fields) came back as \(String(describing: read))")
}

private struct Record: Equatable {
    let line: Int
    /// `nil` for a bad one.
    let json: JSONValue?

    /// What is not a number differs from itself, but is written the same.
    static func == (left: Record, right: Record) -> Bool {
        left.line == right.line && left.json?.json() == right.json?.json()
    }
}

private func records(in file: [UInt8], _ format: BulkFormat, step: Int) throws -> [Record] {
    var reader: any RecordReading =
        format == .csv ? CSVReader() : format == .ics ? CalendarReader(zone: .utc) : LineReader() as any RecordReading
    var records: [BulkRecord] = []
    var rest = file[...]
    while !rest.isEmpty {
        records += try reader.read(Array(rest.prefix(step)))
        rest = rest.dropFirst(step)
    }
    records += try reader.finish()
    return records.map { Record(line: $0.line, json: try? $0.content.get()) }
}
