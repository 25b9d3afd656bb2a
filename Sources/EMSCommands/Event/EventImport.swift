import ArgumentParser
import EMSCore
import EMSRuntime

struct EventImport: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: """
            Bring in events as jsonl, csv or iCalendar. A record is known by its event_id, its external_id (UID), or all it says: one that is \
            there already is skipped, or changed with --update; so an import that was cut short goes on when it is run again. Bad records \
            are told with their lines, and the others stored (status 3).
            """,
        discussion: examples(
            "ems event import events.jsonl",
            "ems event import calendar.ics --time-zone Europe/Vienna --update",
            "ems event import talks.csv --map Name=title --map Begin=start_time",
            "ems event export | ems event import - --data-dir copy --allow-past"))

    static let mode = Runtime.Mode.bulk

    @OptionGroup var input: ImportOptions

    @Flag(help: "Also events that have begun already.")
    var allowPast = false

    @Flag(help: "Tell nobody of it: neither inboxes nor connected clients.")
    var noNotifications = false

    @OptionGroup var zoning: ZoneOptions
    @OptionGroup var locking: LockOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let principal = principal.via(.import)
        let isUndoable = input.atomic && !runtime.hasTransaction
        let options = EventImportOptions(
            isUpdating: input.update, isNotifying: !noNotifications, allowsPast: allowPast, log: isUndoable ? ImportLog() : nil)
        let (isAtomic, isUpdating, dialect) = (input.atomic, input.update, input.dialect)
        let delivery = BackgroundDelivery(runtime)
        let (format, names, zone) = (try input.usedFormat(), input.namesByColumn, zoning.zone)
        let bulk = BulkImport<EventImportRow>(options: input, batchSize: runtime.settings.bulkBatchSize, isDryRun: writing.isDryRun) {
            preview in
            switch format {
            case .jsonl: return LineReader()
            case .csv: return CSVReader(names: names, known: ExportedEvent.columns.map(\.name), dialect: dialect)
            case .ics: return CalendarReader(zone: zone, scopes: try CalendarScan.scopes(of: preview()), allowsRevisions: isUpdating)
            }
        } check: { record, isCancellation in
            try KeptLines.check(record)
            return try runtime.events.importRow(record, isCancellation: isCancellation, options, by: principal)
        } store: { rows, dryRun in
            var options = options
            options.isDryRun = dryRun
            let outcomes = try await runtime.events.importBatch(rows, options, by: principal)
            // What may still be taken back is not told.
            if !dryRun, !isAtomic { await delivery.begin() }
            return outcomes
        } atomically: { body in
            try await runtime.atomically(body) { await runtime.events.undo(options, by: principal) }
        } note: { tally in
            await runtime.noteOrTell(.imported, .import, "events", by: principal) { tally.encodeMembers(to: &$0) }
        }
        do {
            try await bulk.run()
        } catch {
            // What was taken back is not told.
            if !writing.isDryRun, !isAtomic { await delivery.finish() }
            throw error
        }
        if !writing.isDryRun { await delivery.finish() }
    }
}

/// Delivers what is stored while more is being stored, by one task.
private actor BackgroundDelivery {
    private let runtime: Runtime
    private var current: Task<Void, Never>?

    init(_ runtime: Runtime) {
        self.runtime = runtime
    }

    /// Begins to deliver, unless that is under way: then what was stored since is delivered with it, or in the end.
    func begin() {
        guard current == nil else { return }
        current = Task {
            await runtime.deliverChangesOrTell()
            current = nil
        }
    }

    /// Delivers all that is left.
    func finish() async {
        let current = current
        await withTaskCancellationHandler {
            await current?.value
        } onCancel: {
            current?.cancel()
        }
        await runtime.deliverChangesOrTell()
    }
}
