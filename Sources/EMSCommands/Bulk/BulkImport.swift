import ArgumentParser
import EMSCore
import EMSRuntime

/// The options that all imports share.
struct ImportOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The file; - is stdin, as jsonl.", valueName: "file"), completion: .file())
    var file: String

    @Option(help: ArgumentHelp("The form, where the file's name does not tell.", valueName: "format"))
    var format: BulkFormat?

    @Option(
        name: .customLong("map"),
        help: ArgumentHelp("A column of csv that is called otherwise here; may be given several times.", valueName: "column=field"))
    var names: [ColumnName] = []

    @Flag(help: "Change what exists already, instead of skipping it.")
    var update = false

    @Flag(help: "All or nothing: where one record fails, or the import is interrupted, nothing of the file is stored.")
    var atomic = false

    @Option(
        help: ArgumentHelp("Where to write the records that are rejected, with their reasons, ready to be corrected.", valueName: "file"),
        completion: .file())
    var rejects: String?

    @Option(help: ArgumentHelp("The encoding of the text, such as windows-1252; UTF-8 by default.", valueName: "name"))
    var encoding: String?

    @Option(help: ArgumentHelp("What separates the cells of csv: a character, or tab; found out by default.", valueName: "character"))
    var delimiter: Delimiter?

    @Flag(help: "Take cells of csv as they are, also those with an apostrophe in front of what looks like a formula.")
    var raw = false

    @OptionGroup var summary: SummaryOptions

    func validate() throws {
        let forCSV = [(!names.isEmpty, "--map"), (delimiter != nil, "--delimiter"), (raw, "--raw")].filter(\.0).map(\.1)
        if let option = forCSV.first, try usedFormat() != .csv { throw ValidationError("\(option) is for csv.") }
    }

    var dialect: CSVDialect { CSVDialect(delimiter: delimiter?.byte, isRaw: raw) }

    /// `--delimiter`.
    struct Delimiter: ExpressibleByArgument {
        let byte: UInt8

        init?(argument: String) {
            let text = ["tab", "\\t"].contains(argument.lowercased()) ? "\t" : argument
            guard text.utf8.count == 1, let byte = text.utf8.first, byte != UInt8(ascii: "\""), byte == 0x09 || byte >= 0x20, byte < 0x7F
            else {
                return nil
            }
            self.byte = byte
        }
    }

    func usedFormat() throws -> BulkFormat { try format ?? BulkFormat(path: NamesInBytes.shown(file)) }

    /// The columns of csv by the names they have here.
    var namesByColumn: [String: String] { Dictionary(names.map { ($0.column, $0.field) }) { _, last in last } }

    /// `column=field` of `--map`.
    struct ColumnName: ExpressibleByArgument {
        let column: String
        let field: String

        init?(argument: String) {
            guard let mark = argument.lastIndex(of: "="), mark > argument.startIndex, argument.index(after: mark) < argument.endIndex else {
                return nil
            }
            column = String(argument[..<mark])
            field = String(argument[argument.index(after: mark)...])
        }
    }
}

/// Brings records in, a batch at a time: while one is stored, the next is read and checked. Memory does not grow with the file.
struct BulkImport<Row: Sendable>: Sendable {
    let options: ImportOptions
    /// How many records are stored at once.
    let batchSize: Int
    let isDryRun: Bool
    /// Makes what reads the file, given a way to go through the file before.
    let makeReader: @Sendable (_ preview: () throws -> TextInput) throws -> any RecordReading
    /// Checks a record by itself.
    let check: @Sendable (_ record: JSONValue, _ isCancellation: Bool) throws -> Row
    /// Stores checked records, or says with `dryRun` what storing them would do.
    let store: @Sendable (_ rows: [Row], _ dryRun: Bool) async throws -> [ImportOutcome]
    /// Runs what stores so that all of it is stored, or nothing.
    let atomically: @Sendable (_ body: () async throws -> Void) async throws -> Void
    /// Notes in the journal what was done.
    let note: @Sendable (_ tally: Tally) async -> Void

    /// Brings everything in, tells each bad record with its line, and what was done.
    /// - Throws: ``EMSError`` with ``ErrorCode/partial`` where some records failed, ``ErrorCode/invalid`` where all did.
    func run() async throws {
        // What comes through a pipe can be read once: it is kept where it is gone through more than once.
        let format = try options.usedFormat()
        let isReadTwice = (options.atomic && !isDryRun) || format == .ics
        let kept = options.file == "-" && isReadTwice ? try SpoolFile(stdin: ()) : nil
        let open = { try kept?.open() ?? InputFile(options.file) }
        let input = try open()
        let rejects = try options.rejects.map { try RejectsFile($0, besides: input, isRaw: options.raw) }
        // One for all of it: the first signal ends the process neither between check and writing nor while the import is taken back.
        let interruption = Interruption()
        defer { interruption.end() }
        do {
            try await run(input, open, rejects, interruption)
        } catch {
            try? rejects?.finish()
            throw error
        }
        try rejects?.finish()
    }

    private func run(
        _ input: InputFile, _ open: () throws -> InputFile, _ rejects: RejectsFile?, _ interruption: Interruption
    ) async throws {
        guard options.atomic, !isDryRun else {
            let tally = try await pass(input, open, rejects, interruption, dryRun: isDryRun)
            await tell(tally, dryRun: isDryRun)
            guard tally.failed > 0 else { return }
            let isPartial = tally.failed < tally.count
            throw EMSError(isPartial ? .partial : .invalid, "\(Self.records(tally.failed)) could not be imported")
        }
        do {
            _ = try await pass(input, open, rejects, interruption, dryRun: true, isAllOrNothing: true)
        } catch {
            throw Self.nothingImported(error)
        }
        var tally = Tally()
        do {
            try await atomically { tally = try await pass(open(), open, rejects, interruption, dryRun: false, isAllOrNothing: true) }
        } catch let error as EMSError where error.code == .partial {
            // It says what could not be taken back.
            throw error
        } catch {
            options.summary.tell(Tally(), dryRun: false)
            throw Self.nothingImported(error)
        }
        await tell(tally, dryRun: false)
    }

    private func tell(_ tally: Tally, dryRun: Bool) async {
        if !dryRun { await note(tally) }
        options.summary.tell(tally, dryRun: dryRun)
    }

    private static func nothingImported(_ error: any Error) -> EMSError {
        let fault = EMSError(error)
        return EMSError(fault.code, "\(fault.message), so nothing was imported", fix: fault.fix, fields: fault.fields)
    }

    private func pass(
        _ input: InputFile, _ open: () throws -> InputFile, _ rejects: RejectsFile?, _ interruption: Interruption, dryRun: Bool,
        isAllOrNothing: Bool = false
    ) async throws -> Tally {
        let progress = ImportProgress(isAllOrNothing && dryRun ? "checking" : "importing", bytes: input.size)
        defer { progress.end() }
        var tally = Tally()
        do {
            let reader = try makeReader { try TextInput(open(), encoding: options.encoding) }
            let text = try TextInput(input, encoding: options.encoding)
            try await read(text, reader, rejects, dryRun: dryRun, isAllOrNothing: isAllOrNothing, interruption, progress, &tally)
        } catch {
            progress.end()
            if !isAllOrNothing { await tell(tally, dryRun: dryRun) }
            throw error
        }
        guard isAllOrNothing, tally.failed > 0 else { return tally }
        throw EMSError(
            .invalid, "\(Self.records(tally.failed)) \(tally.failed == 1 ? "is" : "are") invalid",
            fix: "fix \(tally.failed == 1 ? "it" : "them") or drop --atomic")
    }

    private func read(
        _ input: TextInput, _ reader: any RecordReading, _ rejects: RejectsFile?, dryRun: Bool, isAllOrNothing: Bool,
        _ interruption: Interruption,
        _ progress: ImportProgress, _ tally: inout Tally
    ) async throws {
        var reader = reader
        var batch: [Entry] = []
        var storing: Task<[ImportOutcome], any Error>?
        var stored: [Entry] = []
        var hasRemarked = false

        func settle() async throws {
            guard let task = storing else { return }
            storing = nil
            try count(await task.value, of: stored, rejects, progress, &tally)
        }
        func flush(atLeast size: Int) async throws {
            while batch.count >= size, !batch.isEmpty {
                let next = Array(batch.prefix(batchSize))
                batch.removeFirst(next.count)
                let rows = next.compactMap { try? $0.row.get() }
                try await settle()
                if interruption.isRequested { throw Self.interrupted(before: next[0].record.line, isAllOrNothing: isAllOrNothing) }
                stored = next
                storing = Task { [store] in rows.isEmpty ? [] : try await store(rows, dryRun) }
            }
        }
        func take(_ records: [BulkRecord]) async throws {
            if !hasRemarked, let remark = reader.remark {
                hasRemarked = true
                progress.write("\(InputFile.displayName(options.file)): \(remark)")
            }
            for record in records {
                for warning in record.warnings {
                    progress.write("\(InputFile.displayName(options.file)):\(record.line): warning: \(warning)")
                }
                let row = Self.checked(record, check)
                // What will not be told as rejected need not be kept.
                let isKept = rejects != nil
                batch.append(Entry(record: isKept ? record : BulkRecord(line: record.line, content: .success(.null)), row: row))
            }
            try await flush(atLeast: batchSize)
        }
        do {
            while true {
                while !input.isReady() {
                    if interruption.isRequested { throw Self.interrupted(before: batch.first?.record.line, isAllOrNothing: isAllOrNothing) }
                }
                guard let piece = try input.next() else { break }
                progress.read(piece.count)
                try await take(try reader.read(piece.bytes))
            }
            try await take(try reader.finish())
            try await flush(atLeast: 1)
        } catch {
            // What is being stored will be stored, and what was read before the fault is not to be lost: it counts.
            let fault = EMSError(error)
            let isOfFile = fault.code == .malformed || fault.code == .tooLarge
            if isOfFile, !isAllOrNothing { try? await flush(atLeast: 1) }
            try? await settle()
            guard isOfFile, !isAllOrNothing, tally.count > tally.failed else { throw error }
            throw EMSError(
                .partial, "\(fault.message); what stands before it \(dryRun ? "would be" : "was") imported", fix: fault.fix)
        }
        try await settle()
    }

    private static func interrupted(before line: Int?, isAllOrNothing: Bool) -> EMSError {
        EMSError(
            .interrupted, "interrupted\(line.map { " before line \($0)" } ?? "")",
            fix: isAllOrNothing ? nil : "the same command goes on: what is stored already is skipped")
    }

    /// A record and what it was checked to be.
    private struct Entry {
        let record: BulkRecord
        let row: Result<Row, EMSError>
    }

    private static func checked(_ record: BulkRecord, _ check: (JSONValue, Bool) throws -> Row) -> Result<Row, EMSError> {
        do {
            var content = try record.content.get()
            if case .object(let members) = content, members.contains(where: { $0.name == BulkRecord.rejectReason }) {
                content = .object(members.filter { $0.name != BulkRecord.rejectReason })
            }
            return .success(try check(content, record.isCancellation))
        } catch {
            return .failure(EMSError(error))
        }
    }

    private func count(
        _ outcomes: [ImportOutcome], of batch: [Entry], _ rejects: RejectsFile?, _ progress: ImportProgress, _ tally: inout Tally
    ) throws {
        var next = 0
        for entry in batch {
            var failure: EMSError?
            switch entry.row {
            case .failure(let error): failure = error
            case .success:
                switch outcomes[next] {
                case .created: tally.created += 1
                case .updated: tally.updated += 1
                case .skipped: tally.skipped += 1
                case .failed(let error): failure = error
                }
                next += 1
            }
            guard let failure else { continue }
            // A fault of the program, or of the world, is none of the record.
            guard !failure.code.isPassing, failure.code != .internal, failure.code != .forbidden else { throw failure }
            tally.failed += 1
            progress.write("\(InputFile.displayName(options.file)):\(entry.record.line): \(failure)")
            try rejects?.write(entry.record, reason: failure.description)
        }
        progress.show(tally.count)
    }

    private static func records(_ count: Int) -> String { "\(count) \(count == 1 ? "record" : "records")" }
}

/// What an import has done.
struct Tally {
    var created = 0
    var updated = 0
    var skipped = 0
    var failed = 0

    var count: Int { created + updated + skipped + failed }

    func encodeMembers(to writer: inout JSONWriter) {
        writer.member("created", created)
        writer.member("updated", updated)
        writer.member("skipped", skipped)
        writer.member("failed", failed)
    }
}

extension Settings {
    /// As many as memory allows for. In SQLite each batch touches the pages of all indexes: the larger, the fewer times.
    var bulkBatchSize: Int { store == .embedded ? 6000 : 2000 }
}
