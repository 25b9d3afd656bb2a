import ArgumentParser
import EMSCore
import EMSRuntime

struct UserImport: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: """
            Bring in accounts as jsonl or csv: username, email, password or password_hash (bcrypt), full_name, role, is_active. A username \
            that is there already is skipped, or changed with --update, its password excepted. Bad records are told with their lines, and \
            the others stored (status 3).
            """,
        discussion: examples(
            "ems user import users.jsonl",
            "ems user import users.csv --dry-run",
            "ems user import members.csv --map Login=username --map Hash=password_hash"))

    static let mode = Runtime.Mode.bulk

    @OptionGroup var input: ImportOptions
    @OptionGroup var locking: LockOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let (format, names, isUpdating, dialect) = (try input.usedFormat(), input.namesByColumn, input.update, input.dialect)
        guard format != .ics else { throw EMSError(.usage, "accounts have no form in iCalendar", fix: "use jsonl or csv") }
        // An import of all or nothing goes through the file twice.
        let (rehearsed, memory, log) = (ImportMemory(), ImportMemory(), ImportLog())
        let bulk = BulkImport<UserImportRow>(options: input, batchSize: runtime.settings.bulkBatchSize, isDryRun: writing.isDryRun) { _ in
            if format == .csv { return CSVReader(names: names, known: ExportedUser.columns.map(\.name) + ["password"], dialect: dialect) }
            return LineReader()
        } check: { record, _ in
            try runtime.users.importRow(record)
        } store: { rows, dryRun in
            try await runtime.users.importBatch(
                rows, updating: isUpdating, dryRun: dryRun, by: principal, memory: dryRun ? rehearsed : memory, log: log)
        } atomically: { body in
            try await runtime.atomically(body) { await runtime.users.undo(log, by: principal) }
        } note: { tally in
            await runtime.noteOrTell(.imported, .import, "users", by: principal) { tally.encodeMembers(to: &$0) }
        }
        try await bulk.run()
    }
}
