@testable import EMSCommands
@testable import EMSCore

/// A file of records means the same however it was cut, and every record is one or is told with its line. Input: the form, how many bytes
/// come at a time, and the bytes.
@Sendable func fuzzBulk(_ bytes: [UInt8]) {
    var script = Script(bytes)
    let format: BulkFormat = script.flag() ? .csv : .jsonl
    let step = Int(script.byte()) + 1
    let file = script.remainder()
    let whole = accepted { try records(in: file, format, step: max(1, file.count)) }
    let pieces = accepted { try records(in: file, format, step: step) }
    expect(whole == pieces, "in pieces of \(step) bytes, the file means something else")
    let lines = (whole ?? []).map(\.line)
    expect(lines == lines.sorted() && Set(lines).count == lines.count, "the records begin on the lines \(lines)")
    for case let record? in (whole ?? []).map(\.json) {
        _ = accepted { try EventRules.accepted(try EventDraft(record), startsAfter: nil) }
        _ = accepted { try UserDraft(record) }
    }
}

/// What is written as CSV is read as the same fields. Input: the fields, with a unit separator (1F) between them.
@Sendable func fuzzCSV(_ bytes: [UInt8]) {
    let fields = bytes.split(separator: 0x1F, omittingEmptySubsequences: false).prefix(50).map { String(decoding: $0, as: UTF8.self) }
    let row = CSV.line(fields)
    // A line without anything is no record.
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
    var reader = RecordReader(format: format)
    var records: [BulkRecord] = []
    var rest = file[...]
    while !rest.isEmpty {
        records += try reader.read(Array(rest.prefix(step)))
        rest = rest.dropFirst(step)
    }
    if let last = try reader.finish() { records.append(last) }
    return records.map { Record(line: $0.line, json: try? $0.content.get()) }
}
