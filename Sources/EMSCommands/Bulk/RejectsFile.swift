import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where the records go that an import rejects, each with its reason, ready to be corrected and imported. Only its owner can read it: it may
/// hold passwords.
final class RejectsFile {
    private let descriptor: Int32
    private let name: String
    private let isRaw: Bool
    private var hasHeader = false
    /// What was said for the calendar that the last component went into; `nil` where none is open.
    private var calendar: [String]?

    /// - Parameters:
    ///   - input: the file that is imported, which must be another one.
    ///   - isRaw: whether cells of csv stay as they are.
    /// - Throws: ``EMSError`` where it cannot be written.
    init(_ path: String, besides input: InputFile, isRaw: Bool) throws {
        name = InputFile.displayName(path)
        self.isRaw = isRaw
        descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw unwritable }
        guard !input.isSame(as: descriptor) else {
            throw EMSError(.usage, "--rejects names the file that is imported", fix: "name another file")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw EMSError(.usage, "--rejects: \(name) is not a regular file", fix: "name another file")
        }
        guard fchmod(descriptor, 0o600) == 0, ftruncate(descriptor, 0) == 0 else { throw unwritable }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func write(_ record: BulkRecord, reason: String) throws {
        switch record.source {
        case .text(let text): try write(Self.line(record, text, reason))
        case .cells(let cells, let header):
            try writeCells((isRaw ? cells : cells.map(CSV.neutralised)).map { Array($0.utf8) }, header, reason)
        // As they came: decoded by guess, they would be imported as something else.
        case .bytes(let cells, let header): try writeCells(cells, header, reason)
        case .component(let lines, let calendar): try write(component(lines, in: calendar, reason))
        }
    }

    /// Ends what is open.
    func finish() throws {
        if calendar != nil { try write(ContentLine.folded("END:VCALENDAR")) }
        calendar = nil
    }

    /// An object gets the reason as a member; what is no object is quoted in one.
    private static func line(_ record: BulkRecord, _ text: [UInt8], _ reason: String) -> String {
        var members: [JSONValue.Member] = [.init(name: BulkRecord.rejectReason, value: .string(reason))]
        if case .success(.object(let own)) = record.content {
            members += own.filter { $0.name != BulkRecord.rejectReason }
        } else {
            members.append(.init(name: "reject_line", value: .string(String(decoding: text, as: UTF8.self))))
        }
        return String(decoding: JSONValue.object(members).json(), as: UTF8.self) + "\n"
    }

    private func writeCells(_ cells: [[UInt8]], _ header: [String], _ reason: String) throws {
        let place = header.firstIndex(of: BulkRecord.rejectReason)
        func line(_ cells: [[UInt8]], _ last: String) -> [UInt8] {
            var cells = cells
            if let place, cells.indices.contains(place) { cells.remove(at: place) }
            let width = header.count - (place == nil ? 0 : 1)
            // What has too many cells keeps them behind the reason, what has too few gets empty ones.
            let padded = cells.prefix(width) + Array(repeating: [], count: max(0, width - cells.count))
            let shown = isRaw ? last : CSV.neutralised(last)
            return CSV.line(padded + [Array(shown.utf8)] + cells.dropFirst(width))
        }
        if !hasHeader { try write(line(header.map { Array($0.utf8) }, BulkRecord.rejectReason)) }
        hasHeader = true
        try write(line(cells, reason))
    }

    /// The component, in a calendar with the zones that it may name: a new one where another file's calendar said something else.
    private func component(_ lines: [String], in calendar: [String], _ reason: String) -> String {
        guard let begin = lines.first else { return "" }
        var all: [String] = []
        if calendar != self.calendar {
            if self.calendar != nil { all.append("END:VCALENDAR") }
            all += ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//ems//ems \(EMS.version)//EN"] + calendar
            self.calendar = calendar
        }
        all.append(begin)
        all.append("\(CalendarEvent.rejectReason):\(ContentLine.escaped(reason))")
        all += lines.dropFirst().filter { !$0.uppercased().hasPrefix(CalendarEvent.rejectReason) }
        all.append("END:" + begin.dropFirst("BEGIN:".count))
        return all.map(ContentLine.folded).joined()
    }

    private func write(_ text: String) throws { try write(Array(text.utf8)) }

    private func write(_ bytes: [UInt8]) throws {
        do {
            try FileDescriptor.write(bytes, to: descriptor)
        } catch {
            throw unwritable
        }
    }

    private var unwritable: EMSError {
        EMSError(.inputOutput, "\(name) cannot be written: \(String(cString: strerror(errno)))", fix: "name another file with --rejects")
    }
}
