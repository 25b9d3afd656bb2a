import ArgumentParser
import EMSCore
import EMSRuntime

struct EventSearchCommand: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find events by what they say, where and when they are.",
        discussion: examples(
            "ems event search 'tech conf'",
            "ems event search --near 48.21,16.37 --radius-km 50 --start-after 2027-03-01",
            "ems event search swift --tag meetup -o id"))

    @Argument(help: "Words in title, description, location or tags; their beginnings are enough.")
    var text: String?

    @OptionGroup var tags: TagOptions

    @Option(help: "Only scheduled, canceled or completed events.")
    var status: Event.Status?

    @Option(help: "Words in the location.")
    var location: String?

    @Option(help: "Only events of this creator: a username, or operator:LOGIN.", completion: .users)
    var createdBy: String?

    @Option(help: ArgumentHelp("Only events that begin then or later.", valueName: "time"))
    var startAfter: TimeArgument?

    @Option(help: ArgumentHelp("Only events that begin before.", valueName: "time"))
    var startBefore: TimeArgument?

    @Option(parsing: .unconditional, help: ArgumentHelp("Only events near this place.", valueName: "lat,lon"))
    var near: PlaceArgument?

    @Option(help: "How near.")
    var radiusKm = EventQuery.Area.usualRadius

    @Option(parsing: .unconditional, help: "relevance, distance, start_time, -start_time, created_at or -created_at.")
    var sort: EventQuery.Sort?

    @OptionGroup var limits: LimitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let creator = try await runtime.creator(named: createdBy)
        let zone = output.zone
        let (after, before) = (startAfter?.moment(in: zone), startBefore?.moment(in: zone))
        let area = near.map { EventQuery.Area(center: $0.coordinates, radiusKilometres: radiusKm) }
        try await limits.list(output) { page in
            let found = try await runtime.events.events(
                EventQuery(
                    text: text, tags: tags.tags, tagMatch: tags.tagMatch, status: status, location: location, createdBy: creator,
                    startsAfter: after, startsBefore: before, area: area, sort: sort, page: page))
            return (found.events, found.next)
        }
    }
}
