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

    @Flag(help: "All or nothing: every record is checked before the first is stored.")
    var atomic = false

    @OptionGroup var summary: SummaryOptions

    func validate() throws {
        if !names.isEmpty, try usedFormat() != .csv { throw ValidationError("--map is for csv.") }
    }

    func usedFormat() throws -> BulkFormat { try format ?? BulkFormat(path: file) }

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
    let makeReader: @Sendable () throws -> any RecordReading
    /// Checks a record by itself.
    let check: @Sendable (JSONValue) throws -> Row
    /// Stores checked records, or says with `dryRun` what storing them would do.
    let store: @Sendable (_ rows: [Row], _ dryRun: Bool) async throws -> [ImportOutcome]

    /// Brings everything in, tells each bad record with its line, and what was done.
    /// - Throws: ``EMSError`` with ``ErrorCode/partial`` where some records failed, ``ErrorCode/invalid`` where all did.
    func run() async throws {
        guard options.atomic, !isDryRun else { return try await pass(InputFile(options.file), dryRun: isDryRun) }
        // What comes through a pipe can be read once: it is kept until it was checked.
        let kept = options.file == "-" ? try SpoolFile(stdin: ()) : nil
        try await pass(kept?.open() ?? InputFile(options.file), dryRun: true, isCheck: true)
        try await pass(kept?.open() ?? InputFile(options.file), dryRun: false)
    }

    private func pass(_ input: InputFile, dryRun: Bool, isCheck: Bool = false) async throws {
        let interruption = Interruption()
        defer { interruption.end() }
        let progress = ImportProgress(isCheck ? "checking" : "importing", bytes: input.size)
        var tally = Tally()
        do {
            try await read(input, dryRun: dryRun, interruption, progress, &tally)
        } catch {
            progress.end()
            if !isCheck { options.summary.tell(tally, dryRun: dryRun) }
            throw error
        }
        progress.end()
        if isCheck {
            guard tally.failed > 0 else { return }
            throw EMSError(
                .invalid, "\(Self.records(tally.failed)) could not be imported; nothing was", fix: "mend them, or leave out --atomic")
        }
        options.summary.tell(tally, dryRun: dryRun)
        guard tally.failed > 0 else { return }
        let isPartial = tally.failed < tally.count
        throw EMSError(isPartial ? .partial : .invalid, "\(Self.records(tally.failed)) could not be imported")
    }

    private func read(
        _ input: InputFile, dryRun: Bool, _ interruption: Interruption, _ progress: ImportProgress, _ tally: inout Tally
    ) async throws {
        var reader = try makeReader()
        var batch: [(line: Int, row: Result<Row, EMSError>)] = []
        var storing: Task<[ImportOutcome], any Error>?
        var stored: [(line: Int, row: Result<Row, EMSError>)] = []
        var hasRemarked = false

        func settle() async throws {
            guard let task = storing else { return }
            storing = nil
            try count(await task.value, of: stored, progress, &tally)
        }
        func flush(atLeast size: Int) async throws {
            while batch.count >= size, !batch.isEmpty {
                let next = Array(batch.prefix(batchSize))
                batch.removeFirst(next.count)
                let rows = next.compactMap { try? $0.row.get() }
                try await settle()
                if interruption.isRequested { throw Self.interrupted(before: next[0].line) }
                stored = next
                storing = Task { [store] in rows.isEmpty ? [] : try await store(rows, dryRun) }
            }
        }
        func take(_ records: [BulkRecord]) async throws {
            if !hasRemarked, let remark = reader.remark {
                hasRemarked = true
                progress.write("\(InputFile.displayName(options.file)): \(remark)")
            }
            for record in records { batch.append((record.line, Self.checked(record, check))) }
            try await flush(atLeast: batchSize)
        }
        do {
            while true {
                while !input.isReady() {
                    if interruption.isRequested { throw Self.interrupted(before: batch.first?.line) }
                }
                guard let piece = try input.next() else { break }
                progress.read(piece.count)
                try await take(try reader.read(piece))
            }
            try await take(try reader.finish())
            try await flush(atLeast: 1)
        } catch {
            // What is being stored will be stored: it counts.
            try? await settle()
            throw error
        }
        try await settle()
    }

    private static func interrupted(before line: Int?) -> EMSError {
        EMSError(
            .interrupted, "interrupted\(line.map { " before line \($0)" } ?? "")",
            fix: "the same command goes on: what is stored already is skipped")
    }

    private static func checked(_ record: BulkRecord, _ check: (JSONValue) throws -> Row) -> Result<Row, EMSError> {
        do {
            return .success(try check(record.content.get()))
        } catch {
            return .failure(EMSError(error))
        }
    }

    private func count(
        _ outcomes: [ImportOutcome], of batch: [(line: Int, row: Result<Row, EMSError>)], _ progress: ImportProgress, _ tally: inout Tally
    ) throws {
        var next = 0
        for (line, row) in batch {
            var failure: EMSError?
            switch row {
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
            progress.write("\(InputFile.displayName(options.file)):\(line): \(failure)")
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
}

extension Settings {
    /// As many as memory allows for. In SQLite each batch touches the pages of all indexes: the larger, the fewer times.
    var bulkBatchSize: Int { store == .embedded ? 6000 : 2000 }
}
