import ArgumentParser
import EMSCore

/// The forms in which many things are brought in and out.
enum BulkFormat: String, CaseIterable, ExpressibleByArgument {
    case jsonl, csv, ics

    /// By the file's name, where the command line does not say.
    init(path: String) throws {
        let name = path.lowercased()
        if path == "-" || name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") {
            self = .jsonl
        } else if name.hasSuffix(".csv") {
            self = .csv
        } else if name.hasSuffix(".ics") || name.hasSuffix(".ical") {
            self = .ics
        } else {
            throw EMSError(.usage, "the form of \(path) cannot be told from its name", fix: "say --format jsonl, csv or ics")
        }
    }
}

/// One record of a bulk file: a JSON object, whatever the form, with the line it begins on.
struct BulkRecord: Sendable {
    let line: Int
    let content: Result<JSONValue, EMSError>
    /// What the record stood as in the file.
    var source = Source.text([])
    /// What of it could not be read and is not needed.
    var warnings: [String] = []
    /// Whether it only says that an event is canceled.
    var isCancellation = false

    enum Source: Sendable {
        /// A line of jsonl.
        case text([UInt8])
        /// Cells of csv under the columns of the file.
        case cells([String], header: [String])
        /// Cells of csv that are no text, byte by byte.
        case bytes([[UInt8]], header: [String])
        /// A component of a calendar, without its `END`, and the lines that are said for the whole calendar.
        case component([String], calendar: [String])
    }

    /// The member, column or property that tells in a file of rejected records why one was rejected. Imports ignore it.
    static let rejectReason = "reject_reason"
}

/// Cuts a stream of bytes into records, holding one record at a time.
protocol RecordReading {
    /// Takes the next bytes.
    /// - Returns: the records that they complete.
    mutating func read(_ bytes: [UInt8]) throws -> [BulkRecord]
    /// - Returns: the records that the end of the file completes.
    mutating func finish() throws -> [BulkRecord]
    /// What of the file is left out, for people to know; said once.
    var remark: String? { get }
}

/// The longest record that is read.
enum RecordLimit {
    static let bytes = 1 << 20

    static func exceeded(line: Int) -> EMSError {
        EMSError(.tooLarge, "line \(line): a record has more than \(bytes) bytes", fix: "is the form right? see --format")
    }
}
