import ArgumentParser
import EMSCore
import EMSRuntime

struct StoreStatus: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the store is: versions, missing indexes, how much it holds, what is pending.",
        discussion: examples("ems store status", "ems store status -o json | jq -e '.missing_indexes == 0'"))

    static let mode = Runtime.Mode.inspection

    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let report = try await runtime.storeAdministration.report()
        // Without its index, what is pending cannot be found.
        let pending = report.missingIndexes.isEmpty ? try await runtime.pendingChanges() : nil
        try output.show(
            Facts([
                ("kind", .text(report.kind)), ("location", .text(NamesInBytes.shown(report.location))), ("version", .text(report.version)),
                ("schema_version", .number(report.schemaVersion)), ("latest_schema_version", .number(report.latestSchemaVersion)),
                ("missing_indexes", .number(report.missingIndexes.count)), ("users", .number(report.users)),
                ("events", .number(report.events)),
                ("journal_entries", .number(report.journalEntries)), ("bytes", .number(Int(report.bytes))),
                ("pending_changes", .number(pending?.count)),
                ("oldest_pending_change", .time(pending?.oldest)),
            ]))
        if !report.missingIndexes.isEmpty {
            StandardError.write("missing: \(report.missingIndexes.joined(separator: ", ")); make them with: ems store migrate")
        }
    }
}
