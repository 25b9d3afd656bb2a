import ArgumentParser
import EMSCore

extension BulkFormat: ExpressibleByArgument {}

/// What became of one record.
enum BulkOutcome {
    case created, updated, skipped
}

/// The options that all imports share.
struct ImportOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The file: .jsonl or .csv; - is stdin, as jsonl.", valueName: "file"), completion: .file())
    var file: String

    @Option(help: ArgumentHelp("jsonl or csv, where the file's name does not tell.", valueName: "format"))
    var format: BulkFormat?

    /// Reads record after record; a bad one is told with its line, and the others go on.
    /// - Parameter each: what to do with a record.
    /// - Throws: ``EMSError`` with ``ErrorCode/partial`` where some records failed, after the summary.
    func run(_ each: (JSONValue) async throws -> BulkOutcome) async throws {
        var reader = RecordReader(format: try format ?? BulkFormat(path: file))
        let input = try InputFile(file)
        var tally = Tally()
        while let piece = try input.next() {
            for record in try reader.read(piece) { try await take(record, &tally, each) }
        }
        if let record = try reader.finish() { try await take(record, &tally, each) }
        StandardError.write("created \(tally.created), updated \(tally.updated), skipped \(tally.skipped), failed \(tally.failed)")
        if tally.failed > 0 {
            let isPartial = tally.created + tally.updated + tally.skipped > 0
            throw EMSError(
                isPartial ? .partial : .invalid, "\(tally.failed) \(tally.failed == 1 ? "record" : "records") could not be imported")
        }
    }

    private struct Tally {
        var created = 0
        var updated = 0
        var skipped = 0
        var failed = 0
    }

    private func take(_ record: BulkRecord, _ tally: inout Tally, _ each: (JSONValue) async throws -> BulkOutcome) async throws {
        do {
            switch try await each(record.content.get()) {
            case .created: tally.created += 1
            case .updated: tally.updated += 1
            case .skipped: tally.skipped += 1
            }
        } catch let error as EMSError where error.isAboutRecord {
            tally.failed += 1
            StandardError.write("\(InputFile.displayName(file)):\(record.line): \(error)")
        }
    }
}

extension EMSError {
    /// Whether the record is at fault, and the next one may be good.
    fileprivate var isAboutRecord: Bool {
        switch code {
        case .malformed, .invalid, .tooLarge, .exists, .usernameTaken, .emailTaken, .notFound, .versionConflict: true
        default: false
        }
    }
}

/// Where an export goes, and in which form.
struct ExportOptions: ParsableArguments {
    @Option(help: ArgumentHelp("jsonl or csv.", valueName: "format"))
    var format: BulkFormat = .jsonl

    /// Writes page after page to stdout.
    func run<Item: Presentable>(_ fetch: (PageRequest) async throws -> (items: [Item], next: PageCursor?)) async throws {
        var output = try OutputOptions.parse([])
        output.output = format == .csv ? .csv : .jsonl
        try await LimitOptions.list(upTo: .max, output, fetch)
    }
}
