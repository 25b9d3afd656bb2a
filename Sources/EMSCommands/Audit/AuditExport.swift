import ArgumentParser
import EMSCore
import EMSRuntime

struct AuditExport: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the journal to stdout, the oldest first: as jsonl or csv.",
        discussion: examples("ems audit export > journal.jsonl", "ems audit export --since 2027-01-01 --format csv > journal.csv"))

    @OptionGroup var filter: AuditFilterOptions
    @OptionGroup var export: ExportOptions
    @OptionGroup var zoning: ZoneOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if export.format == .ics { throw ValidationError("The journal is written as jsonl or csv.") }
    }

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let query = try await filter.query(.oldestFirst, in: zoning.zone, runtime)
        try await export.run(ExportOptions.Note(runtime: runtime, kind: "journal", principal: principal)) { page in
            let found = try await runtime.journal.entries(query, page: page, by: principal)
            return (found.entries, found.next)
        }
    }
}
