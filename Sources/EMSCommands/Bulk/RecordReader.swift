import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// JSON, an object a line.
struct LineReader: RecordReading {
    private var line = 0
    private var rest: [UInt8] = []
    let remark: String? = nil

    mutating func read(_ bytes: [UInt8]) throws -> [BulkRecord] {
        var records: [BulkRecord] = []
        try bytes.withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count, let base = bytes.baseAddress {
                guard let end = memchr(base + start, 0x0A, bytes.count - start).map({ $0 - UnsafeMutableRawPointer(mutating: base) }) else {
                    rest += bytes[start...]
                    break
                }
                line += 1
                if rest.isEmpty {
                    try append(Array(bytes[start..<end]), to: &records)
                } else {
                    rest += bytes[start..<end]
                    try append(rest, to: &records)
                    rest = []
                }
                start = end + 1
            }
        }
        guard rest.count <= RecordLimit.bytes else { throw RecordLimit.exceeded(line: line + 1) }
        return records
    }

    mutating func finish() throws -> [BulkRecord] {
        var records: [BulkRecord] = []
        line += 1
        try append(rest, to: &records)
        rest = []
        return records
    }

    private func append(_ text: [UInt8], to records: inout [BulkRecord]) throws {
        guard text.count <= RecordLimit.bytes else { throw RecordLimit.exceeded(line: line) }
        if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
        do {
            records.append(BulkRecord(line: line, content: .success(try JSONParser.parse(text))))
        } catch {
            let fault = EMSError(.malformed, "not JSON: \(error.reason), column \(error.column)")
            records.append(BulkRecord(line: line, content: .failure(fault)))
        }
    }
}

/// Comma-separated values (RFC 4180) with a header line.
struct CSVReader: RecordReading {
    /// What the columns are called here, by what the header calls them.
    private let names: [String: String]
    /// The fields that are known; others are left out, and told.
    private let known: Set<String>
    private var current: [UInt8] = []
    private var line = 1
    private var firstLine = 1
    private var isQuoted = false
    private var header: [String]?
    private(set) var remark: String?

    /// - Parameters:
    ///   - names: what columns are called here, where the header calls them otherwise.
    ///   - known: the fields that there are; empty for any.
    init(names: [String: String] = [:], known: [String] = []) {
        self.names = names
        self.known = Set(known)
    }

    mutating func read(_ bytes: [UInt8]) throws -> [BulkRecord] {
        var records: [BulkRecord] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == 0x0A {
                line += 1
                if !isQuoted {
                    try finishRecord(&records)
                    continue
                }
            }
            current.append(byte)
            guard current.count <= RecordLimit.bytes else { throw RecordLimit.exceeded(line: firstLine) }
        }
        return records
    }

    mutating func finish() throws -> [BulkRecord] {
        guard !isQuoted else { throw EMSError(.malformed, "line \(firstLine): a quoted field does not end") }
        var records: [BulkRecord] = []
        try finishRecord(&records)
        return records
    }

    private mutating func finishRecord(_ records: inout [BulkRecord]) throws {
        if current.last == 0x0D { current.removeLast() }
        defer {
            current.removeAll(keepingCapacity: true)
            firstLine = line
        }
        if current.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return }
        let fields = Self.fields(current)
        guard let header else { return try begin(fields) }
        guard fields.count == header.count else {
            let fault = EMSError(.malformed, "\(fields.count) fields, but the header has \(header.count)")
            return records.append(BulkRecord(line: firstLine, content: .failure(fault)))
        }
        records.append(BulkRecord(line: firstLine, content: .success(Self.object(header, fields))))
    }

    private mutating func begin(_ fields: [String]) throws {
        let columns = fields.map { $0.hasPrefix("\u{FEFF}") ? String($0.dropFirst()) : $0 }
        for column in names.keys.sorted() where !columns.contains(column) {
            throw EMSError(
                .usage, "there is no column \(Printable.quoted(column)) to map",
                fix: "the header has: \(columns.map(Printable.quoted).joined(separator: ", "))")
        }
        let header = columns.map { names[$0] ?? $0 }
        if let twice = header.first(where: { name in !name.isEmpty && header.count(where: { $0 == name }) > 1 }) {
            throw EMSError(.malformed, "two columns are \(Printable.quoted(twice))", fix: "map one of them to another name, or remove it")
        }
        guard known.isEmpty || header.contains(where: known.contains) else {
            throw EMSError(
                .invalid, "no column is a field; the header has: \(columns.map(Printable.quoted).joined(separator: ", "))",
                fix: "name the fields with --map COLUMN=FIELD")
        }
        let unknown = header.filter { !known.isEmpty && !known.contains($0) }
        if !unknown.isEmpty {
            remark =
                "left out, being no fields: \(unknown.map(Printable.quoted).joined(separator: ", ")); name them with --map COLUMN=FIELD"
        }
        self.header = header
    }

    /// RFC 4180, section 2.
    private static func fields(_ bytes: [UInt8]) -> [String] {
        var fields: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                if isQuoted, index + 1 < bytes.count, bytes[index + 1] == byte {
                    field.append(byte)
                    index += 1
                } else {
                    isQuoted.toggle()
                }
            } else if byte == UInt8(ascii: ","), !isQuoted {
                fields.append(String(decoding: field, as: UTF8.self))
                field = []
            } else {
                field.append(byte)
            }
            index += 1
        }
        fields.append(String(decoding: field, as: UTF8.self))
        return fields
    }

    /// A line as the JSON it stands for: empty fields are absent, numbers and lists are made what JSON has for them.
    private static func object(_ header: [String], _ fields: [String]) -> JSONValue {
        var members: [JSONValue.Member] = []
        var place: [String: Double] = [:]
        for (name, text) in zip(header, fields) where !text.isEmpty {
            switch name {
            case "tags": members.append(.init(name: name, value: .array(EventRules.tags(in: text).map { .string($0) })))
            case "max_attendees", "version", "external_sequence":
                members.append(.init(name: name, value: Int64(text).map { .integer($0) } ?? .string(text)))
            case "is_active":
                members.append(.init(name: name, value: text == "true" ? .bool(true) : text == "false" ? .bool(false) : .string(text)))
            case "latitude", "longitude": place[name] = Double(text)
            default: members.append(.init(name: name, value: .string(text)))
            }
        }
        if !place.isEmpty {
            let coordinates = place.sorted { $0.key < $1.key }.map { JSONValue.Member(name: $0.key, value: .number($0.value)) }
            members.append(.init(name: "coordinates", value: .object(coordinates)))
        }
        return .object(members)
    }
}
