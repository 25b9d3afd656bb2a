import ArgumentParser
import EMSCore
import EMSRuntime

struct AuditList: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List what happened, the newest first.",
        discussion: examples(
            "ems audit list --since yesterday --until today",
            "ems audit list --subject event:$ID --columns position,actor,action,address",
            "ems audit list --actor operator:root --action deleted -o jsonl"))

    @OptionGroup var filter: AuditFilterOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let query = try await filter.query(.newestFirst, in: output.zone, runtime)
        try await limits.list(output) { page in
            let found = try await runtime.journal.entries(query, page: page, by: principal)
            return (found.entries, found.next)
        }
    }
}
