import EMSCore

/// How the cells of csv are to be read.
struct CSVDialect: Sendable {
    /// What is between the cells; `nil` to find it out from the header.
    var delimiter: UInt8?
    /// Whether cells stand as they are, instead of behind the apostrophe that keeps a spreadsheet from taking them for formulas.
    var isRaw = false
}

/// Comma-separated values (RFC 4180) with a header line, as spreadsheets write them: with any of three line ends, with commas, semicolons,
/// tabs or bars between the cells, with or without the line `sep=;` that some begin with.
struct CSVReader: RecordReading {
    private static let columnLimit = 1000
    private static let delimiters = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")]

    /// What the columns are called here, by what the header calls them.
    private let names: [String: String]
    /// The fields that are known; others are left out, and told.
    private let known: Set<String>
    private let isRaw: Bool
    private var delimiter: UInt8?
    /// The first line, while it is not known what separates its cells.
    private var prefix: [UInt8] = []
    private var columns: [String] = []
    private var header: [String]?
    private(set) var remark: String?

    private var cells: [[UInt8]] = []
    private var cell: [UInt8] = []
    private var byteCount = 0
    private var state = State.atStart
    private var line = 1
    private var firstLine = 1
    private var isAfterReturn = false
    /// Whether the prefix holds anything but white space.
    private var hasText = false
    /// What ends the reading.
    private var fault: (any Error)?

    private enum State {
        case atStart, unquoted, quoted
        /// After a quote in a quoted cell: another one is a quote, all else ends the quoting.
        case afterQuote
    }

    /// - Parameters:
    ///   - names: what columns are called here, where the header calls them otherwise.
    ///   - known: the fields that there are; empty for any.
    init(names: [String: String] = [:], known: [String] = [], dialect: CSVDialect = CSVDialect()) {
        self.names = names
        self.known = Set(known)
        delimiter = dialect.delimiter
        isRaw = dialect.isRaw
    }

    /// The records before a fault that ends the reading are returned first; the fault is thrown when more is to be read.
    mutating func read(_ bytes: [UInt8]) throws -> [BulkRecord] {
        if let fault { throw fault }
        var records: [BulkRecord] = []
        do {
            for byte in bytes { try read(byte, &records) }
        } catch {
            guard !records.isEmpty else { throw error }
            fault = error
        }
        return records
    }

    private mutating func read(_ byte: UInt8, _ records: inout [BulkRecord]) throws {
        if delimiter != nil { return try take(byte, &records) }
        prefix.append(byte)
        guard prefix.count <= RecordLimit.bytes else { throw RecordLimit.exceeded(line: 1) }
        hasText = hasText || byte > 0x20
        if byte == UInt8(ascii: "\"") { state = state == .quoted ? .unquoted : .quoted }
        if state != .quoted, hasText, byte == 0x0A || byte == 0x0D { try begin(&records) }
    }

    mutating func finish() throws -> [BulkRecord] {
        if let fault { throw fault }
        var records: [BulkRecord] = []
        if delimiter == nil { try begin(&records) }
        guard state != .quoted else { throw EMSError(.malformed, "line \(firstLine): a quoted field does not end") }
        try finishRecord(&records)
        return records
    }

    /// Reads the first line, now that it is there.
    private mutating func begin(_ records: inout [BulkRecord]) throws {
        let bytes = prefix.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(prefix.dropFirst(3)) : prefix
        prefix = []
        state = .atStart
        delimiter = separator(in: bytes)
        if Self.announced(bytes) != nil {
            // What follows `sep=;` is the header.
            line += 1
            firstLine = line
            isAfterReturn = bytes.last == 0x0D
            return
        }
        for byte in bytes { try take(byte, &records) }
    }

    /// `sep=;`, as the first line.
    private static func announced(_ line: [UInt8]) -> UInt8? {
        let text = line.filter { $0 != 0x0D && $0 != 0x0A && $0 != UInt8(ascii: "\"") }
        guard text.count == 5, text.prefix(4).elementsEqual("sep=".utf8) else { return nil }
        return text[4]
    }

    /// What separates most cells whose names are known; where none are, most cells.
    private func separator(in line: [UInt8]) -> UInt8 {
        if let announced = Self.announced(line) { return announced }
        guard String(decoding: line, as: UTF8.self).isStreamSafe else { return Self.delimiters[0] }
        func rank(_ delimiter: UInt8) -> (known: Int, count: Int) {
            let cells = line.split(separator: delimiter, omittingEmptySubsequences: false)
            let found = cells.count { cell in
                let text = String(decoding: cell.filter { $0 != UInt8(ascii: "\"") && $0 != 0x0D && $0 != 0x0A }, as: UTF8.self)
                return known.contains(TextRules.trimmed(text)) || names[TextRules.trimmed(text)] != nil
            }
            return (found, cells.count)
        }
        return Self.delimiters.max { rank($0) < rank($1) } ?? Self.delimiters[0]
    }

    private mutating func take(_ byte: UInt8, _ records: inout [BulkRecord]) throws {
        defer { isAfterReturn = byte == 0x0D }
        // The line feed of a line end of two characters, whose first has ended the line already.
        let isSecond = byte == 0x0A && isAfterReturn
        if byte == 0x0A || byte == 0x0D, !isSecond { line += 1 }
        byteCount += 1
        guard byteCount <= RecordLimit.bytes else {
            if state == .quoted {
                throw EMSError(
                    .malformed, "line \(firstLine): a quoted field does not end within \(RecordLimit.bytes) bytes",
                    fix: "close the quote")
            }
            throw RecordLimit.exceeded(line: firstLine)
        }
        if state == .quoted {
            if byte == UInt8(ascii: "\"") { state = .afterQuote } else { cell.append(byte) }
        } else if byte == delimiter {
            finishCell()
        } else if byte == 0x0A || byte == 0x0D {
            if isSecond, cells.isEmpty, cell.isEmpty, state == .atStart { return skipLineFeed() }
            try finishRecord(&records)
        } else if byte == UInt8(ascii: "\""), state != .unquoted {
            if state == .afterQuote { cell.append(byte) }
            state = .quoted
        } else {
            // Within a cell that does not begin with one, a quote is a character like others.
            cell.append(byte)
            state = .unquoted
        }
    }

    private mutating func skipLineFeed() {
        byteCount = 0
        firstLine = line
    }

    private mutating func finishCell() {
        cells.append(cell)
        cell.removeAll(keepingCapacity: true)
        state = .atStart
    }

    private mutating func finishRecord(_ records: inout [BulkRecord]) throws {
        finishCell()
        let (texts, number) = (cells, firstLine)
        cells = []
        byteCount = 0
        firstLine = line
        // Rows of nothing but separators are what is left of rows that were cleared.
        if texts.allSatisfy({ $0.allSatisfy { $0 == 0x20 || $0 == 0x09 } }) { return }
        let decoded = texts.map { String(validating: $0, as: UTF8.self) }
        let isStreamSafe = decoded.allSatisfy { $0?.isStreamSafe != false }
        if header == nil, !isStreamSafe { throw EMSError(.malformed, "line \(number): \(TextFault.tooManyMarks.message)") }
        guard isStreamSafe else {
            return records.append(
                BulkRecord(
                    line: number, content: .failure(TextFault.tooManyMarks), source: .cells(decoded.map { $0 ?? "" }, header: columns)))
        }
        let fields = decoded.map { field in isRaw ? field ?? "" : CSV.restored(field ?? "") }
        guard !decoded.contains(where: { $0 == nil }) else {
            if header == nil { throw EMSError(.malformed, "line \(number): \(TextFault.notUTF8.message)", fix: TextFault.notUTF8.fix) }
            return records.append(
                BulkRecord(line: number, content: .failure(TextFault.notUTF8), source: .bytes(texts, header: columns)))
        }
        guard let header else { return try begin(fields) }
        let source = BulkRecord.Source.cells(fields, header: columns)
        guard fields.count == header.count else {
            let fault = EMSError(.malformed, "\(fields.count) fields, but the header has \(header.count)")
            return records.append(BulkRecord(line: number, content: .failure(fault), source: source))
        }
        records.append(BulkRecord(line: number, content: .success(object(header, fields)), source: source))
    }

    private mutating func begin(_ fields: [String]) throws {
        guard fields.count <= Self.columnLimit else {
            throw EMSError(.tooLarge, "the header has \(fields.count) columns; \(Self.columnLimit) are read at most")
        }
        guard !fields.contains(where: { $0.utf8.contains(0) }) else {
            throw EMSError(
                .malformed, "the header holds NUL characters, as UTF-16 and UTF-32 do", fix: "name the encoding: --encoding utf-16le")
        }
        let columns = fields.map(TextRules.trimmed)
        let shown = columns.prefix(20).map(Printable.quoted).joined(separator: ", ") + (columns.count > 20 ? ", …" : "")
        for column in names.keys.sorted() where !columns.contains(column) {
            throw EMSError(.usage, "there is no column \(Printable.quoted(column)) to map", fix: "the header has: \(shown)")
        }
        let header = columns.map { names[$0] ?? $0 }
        var seen: Set<String> = []
        if let twice = header.first(where: { !$0.isEmpty && !seen.insert($0).inserted }) {
            throw EMSError(.malformed, "two columns are \(Printable.quoted(twice))", fix: "map one of them to another name, or remove it")
        }
        guard known.isEmpty || header.contains(where: known.contains) else {
            throw EMSError(
                .invalid, "no column is a field; the header has: \(shown)",
                fix: "name the fields with --map COLUMN=FIELD, or what separates them with --delimiter")
        }
        let unknown = header.filter { !known.isEmpty && !known.contains($0) && $0 != BulkRecord.rejectReason && !$0.isEmpty }
        if !unknown.isEmpty {
            remark =
                "left out, being no fields: \(unknown.prefix(20).map(Printable.quoted).joined(separator: ", "))"
                + "\(unknown.count > 20 ? ", …" : ""); name them with --map COLUMN=FIELD"
        }
        self.columns = columns
        self.header = header
    }

    /// A line as the JSON it stands for: empty fields are absent, numbers and lists are made what JSON has for them.
    private func object(_ header: [String], _ fields: [String]) -> JSONValue {
        var members: [JSONValue.Member] = []
        var place: [JSONValue.Member] = []
        for (name, text) in zip(header, fields) where !text.isEmpty && !name.isEmpty {
            switch name {
            case "tags": members.append(.init(name: name, value: .array(EventRules.tags(in: text).map { .string($0) })))
            case "max_attendees", "version", "external_sequence":
                members.append(.init(name: name, value: Int64(text).map { .integer($0) } ?? .string(text)))
            case "is_active", "is_verified":
                let folded = text.lowercased()
                members.append(.init(name: name, value: folded == "true" ? .bool(true) : folded == "false" ? .bool(false) : .string(text)))
            case "latitude", "longitude": place.append(.init(name: name, value: number(text).map { .number($0) } ?? .string(text)))
            case BulkRecord.rejectReason: break
            default: members.append(.init(name: name, value: .string(text)))
            }
        }
        if !place.isEmpty { members.append(.init(name: "coordinates", value: .object(place.sorted { $0.name < $1.name }))) }
        return .object(members)
    }

    /// Where a comma separates no cells, it may be the sign before the decimals.
    private func number(_ text: String) -> Double? {
        let trimmed = TextRules.trimmed(text)
        let plain = delimiter == UInt8(ascii: ",") ? trimmed : trimmed.replacing(",", with: ".")
        return CSV.isNumber(plain) ? Double(plain) : nil
    }
}
