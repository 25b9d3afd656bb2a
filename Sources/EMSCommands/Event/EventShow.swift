import ArgumentParser
import EMSCore
import EMSRuntime

struct EventShow: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show an event as it is, or as it was.",
        discussion: examples(
            "ems event show 0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4",
            "ems event show $ID -o json",
            "ems event show $ID --at 3d",
            "ems event show $ID --version 2"))

    @OptionGroup var event: EventArgument

    @Option(help: ArgumentHelp("As it was then: a time, or how long ago; also if it was deleted since.", valueName: "time"))
    var at: PastArgument?

    @Option(help: "In this version; also if it was deleted since.")
    var version: Int?

    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if at != nil, version != nil { throw ValidationError("Either --at or --version.") }
    }

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let journal = runtime.journal
        if let at { return try output.show(try await journal.event(event.id, at: at.moment(in: output.zone), by: principal)) }
        if let version { return try output.show(try await journal.event(event.id, version: version, by: principal)) }
        let current = try await runtime.events.event(event.id)
        try output.show(EditedEvent(event: current, editor: try await journal.lastEditor(of: event.id)))
    }
}

/// An event with a column for who changed it last.
private struct EditedEvent: Presentable {
    let event: Event
    let editor: Actor?

    static let columns: [Column<EditedEvent>] =
        Event.columns.map { column in Column(column.name, usual: column.isUsual) { column.value($0.event) } } + [
            Column("last_editor") { .text($0.editor?.name) }
        ]

    var identifier: String { event.identifier }

    /// As over HTTP.
    func encode(to writer: inout JSONWriter) { event.encode(to: &writer) }
}
