import ArgumentParser
import EMSCore
import EMSRuntime

struct EventList: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List events, the earliest first.",
        discussion: examples(
            "ems event list",
            "ems event list --tag conference --sort -start_time --limit 20",
            "ems event list --all -o jsonl > events.jsonl"))

    @OptionGroup var tags: TagOptions

    @Option(help: "Only scheduled, canceled or completed events.")
    var status: Event.Status?

    @Option(help: "Only events of this creator: a username, or operator:LOGIN.", completion: .users)
    var createdBy: String?

    @Option(parsing: .unconditional, help: "start_time, -start_time, created_at or -created_at.")
    var sort: EventQuery.Sort?

    @OptionGroup var limits: LimitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let creator = try await runtime.creator(named: createdBy)
        try await limits.list(output) { page in
            let found = try await runtime.events.events(
                EventQuery(
                    tags: tags.tags, tagMatch: tags.tagMatch, status: status, createdBy: creator, sort: sort, page: page))
            return (found.events, found.next)
        }
    }
}
