import ArgumentParser
import EMSCore
import EMSRuntime

struct EventExport: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write all events to stdout, the first created first: as jsonl, csv or iCalendar.",
        discussion: examples(
            "ems event export > events.jsonl",
            "ems event export --format csv > events.csv",
            "ems event export --format ics --tag talk --local > talks.ics"))

    @OptionGroup var export: ExportOptions
    @OptionGroup var tags: TagOptions

    @Option(help: "Only scheduled, canceled or completed events.")
    var status: Event.Status?

    @OptionGroup var zoning: ZoneOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let fetch = { (page: PageRequest) in
            let query = EventQuery(tags: tags.tags, tagMatch: tags.tagMatch, status: status, sort: .createdAt, page: page)
            let found = try await runtime.events.events(query)
            return (items: found.events.map(ExportedEvent.init), next: found.next)
        }
        let note = ExportOptions.Note(runtime: runtime, kind: "events", principal: principal)
        guard export.format == .ics else { return try await export.run(note, fetch) }
        var calendar = CalendarWriter(zone: zoning.zone)
        try CalendarWriter.begin()
        try await export.pages(note, fetch) { events in
            for exported in events { try calendar.write(exported.event) }
        }
        try calendar.end()
    }
}

/// An event with all there is of it, so that it can be brought in again as it was.
struct ExportedEvent: Presentable {
    let event: Event

    init(_ event: Event) {
        self.event = event
    }

    static let columns: [Column<ExportedEvent>] =
        Event.columns.map { column in Column(column.name, usual: column.isUsual) { column.value($0.event) } } + [
            Column("external_id") { .text($0.event.origin?.key) },
            Column("external_sequence") { .number($0.event.origin?.sequence) },
            Column("external_properties") { .text($0.event.origin?.properties) },
        ]

    var identifier: String { event.identifier }

    func encode(to writer: inout JSONWriter) {
        writer.object { writer in
            event.encodeMembers(to: &writer)
            event.origin?.encodeMembers(to: &writer)
        }
    }
}
