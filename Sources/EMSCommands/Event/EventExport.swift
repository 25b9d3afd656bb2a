import ArgumentParser
import EMSCore
import EMSRuntime

struct EventExport: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write all events to stdout, the first created first.",
        discussion: examples("ems event export > events.jsonl", "ems event export --format csv > events.csv"))

    @OptionGroup var export: ExportOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        try await export.run { page in
            let found = try await runtime.events.events(EventQuery(sort: .createdAt, page: page))
            return (found.events, found.next)
        }
    }
}
