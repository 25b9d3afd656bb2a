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
        case .cells(let cells, let header): try writeCells(cells, header, reason)
        case .component(let lines, let calendar): try write(Self.calendar(lines, calendar, reason))
        }
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

    private func writeCells(_ cells: [String], _ header: [String], _ reason: String) throws {
        let place = header.firstIndex(of: BulkRecord.rejectReason)
        func line(_ cells: [String], _ last: String) -> String {
            var cells = cells
            if let place, cells.indices.contains(place) { cells.remove(at: place) }
            let width = header.count - (place == nil ? 0 : 1)
            // What has too many cells keeps them behind the reason, what has too few gets empty ones.
            let padded = cells.prefix(width) + Array(repeating: "", count: max(0, width - cells.count))
            let all = padded + [last] + cells.dropFirst(width)
            return CSV.line(isRaw ? Array(all) : all.map(CSV.neutralised))
        }
        if !hasHeader { try write(line(header, BulkRecord.rejectReason)) }
        hasHeader = true
        try write(line(cells, reason))
    }

    /// A calendar of its own, with the zones that the event may name.
    private static func calendar(_ lines: [String], _ calendar: [String], _ reason: String) -> String {
        var all = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//ems//ems \(EMS.version)//EN"] + calendar
        guard let begin = lines.first else { return "" }
        all.append(begin)
        all.append("\(CalendarEvent.rejectReason):\(ContentLine.escaped(reason))")
        all += lines.dropFirst().filter { !$0.uppercased().hasPrefix(CalendarEvent.rejectReason) }
        all.append("END:" + begin.dropFirst("BEGIN:".count))
        all.append("END:VCALENDAR")
        return all.map(ContentLine.folded).joined()
    }

    private func write(_ text: String) throws {
        do {
            try FileDescriptor.write(Array(text.utf8), to: descriptor)
        } catch {
            throw unwritable
        }
    }

    private var unwritable: EMSError {
        EMSError(.inputOutput, "\(name) cannot be written: \(String(cString: strerror(errno)))", fix: "name another file with --rejects")
    }
}
