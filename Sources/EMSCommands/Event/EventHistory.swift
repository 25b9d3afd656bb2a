import ArgumentParser
import EMSCore
import EMSRuntime

struct EventHistory: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List what happened to an event, the newest first; also after it was deleted.",
        discussion: examples("ems event history $ID", "ems event history $ID -o json | jq '.[].changes'"))

    @OptionGroup var event: EventArgument
    @OptionGroup var limits: LimitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        try await limits.list(output) { page in
            let found = try await runtime.journal.history(of: event.id, page: page, by: principal)
            return (try found.entries.map { try HistoryEntry($0) }, found.next)
        }
    }
}

extension HistoryEntry: Presentable {
    static let columns: [Column<HistoryEntry>] =
        JournalEntry.columns.filter { !["subject_type", "subject_id", "before", "after"].contains($0.name) }.map { column in
            Column(column.name, usual: column.isUsual || column.name == "version") { column.value($0.entry) }
        } + [
            Column("changes") { entry in
                // Of a new or a deleted event, these would be all its fields.
                entry.entry.change.action == .updated ? .text(entry.changes.map(\.field).joined(separator: ",")) : .none
            }
        ]

    var identifier: String { entry.identifier }
}
