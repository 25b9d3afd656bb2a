import EMSCore

/// The forms in which many things are brought in and out.
enum BulkFormat: String, CaseIterable {
    case jsonl, csv

    /// By the file's name, where the command line does not say.
    init(path: String) throws {
        if path == "-" || path.hasSuffix(".jsonl") || path.hasSuffix(".ndjson") {
            self = .jsonl
        } else if path.hasSuffix(".csv") {
            self = .csv
        } else {
            throw EMSError(.usage, "the form of \(path) cannot be told from its name", fix: "say --format jsonl or --format csv")
        }
    }
}

/// One record of a bulk file: a JSON object, whatever the form, with the line it begins on.
struct BulkRecord {
    let line: Int
    let content: Result<JSONValue, EMSError>
}

/// Cuts a stream of bytes into records, holding one record at a time.
struct RecordReader {
    /// The longest record that is read.
    static let recordLimit = 1 << 20

    private let format: BulkFormat
    private var current: [UInt8] = []
    private var line = 1
    private var firstLine = 1
    private var isQuoted = false
    private var header: [String]?

    init(format: BulkFormat) {
        self.format = format
    }

    /// Takes the next bytes.
    /// - Returns: the records that they complete.
    mutating func read(_ bytes: [UInt8]) throws -> [BulkRecord] {
        var records: [BulkRecord] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\""), format == .csv { isQuoted.toggle() }
            if byte == 0x0A {
                line += 1
                if !isQuoted {
                    if let record = try finishRecord() { records.append(record) }
                    continue
                }
            }
            current.append(byte)
            guard current.count <= Self.recordLimit else {
                throw EMSError(.tooLarge, "line \(firstLine): a record has more than \(Self.recordLimit) bytes")
            }
        }
        return records
    }

    /// The record at the end of a file that does not end with a line feed.
    mutating func finish() throws -> BulkRecord? {
        guard !isQuoted else { throw EMSError(.malformed, "line \(firstLine): a quoted field does not end") }
        return try finishRecord()
    }

    private mutating func finishRecord() throws -> BulkRecord? {
        if current.last == 0x0D { current.removeLast() }
        defer {
            current.removeAll(keepingCapacity: true)
            firstLine = line
        }
        if current.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return nil }
        switch format {
        case .jsonl:
            do {
                return BulkRecord(line: firstLine, content: .success(try JSONParser.parse(current)))
            } catch {
                return BulkRecord(
                    line: firstLine, content: .failure(EMSError(.malformed, "not JSON: \(error.reason), column \(error.column)")))
            }
        case .csv:
            let fields = Self.fields(current)
            guard let header else {
                self.header = fields.map { $0.hasPrefix("\u{FEFF}") ? String($0.dropFirst()) : $0 }
                return nil
            }
            guard fields.count == header.count else {
                let message = "\(fields.count) fields, but the header has \(header.count)"
                return BulkRecord(line: firstLine, content: .failure(EMSError(.malformed, message)))
            }
            return BulkRecord(line: firstLine, content: .success(Self.object(header, fields)))
        }
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
            case "max_attendees", "version": members.append(.init(name: name, value: Int64(text).map { .integer($0) } ?? .string(text)))
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
