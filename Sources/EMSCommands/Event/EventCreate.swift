import ArgumentParser
import EMSCore
import EMSRuntime

struct EventCreate: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create an event. Everybody is notified.",
        discussion: examples(
            "ems event create --title Gala --start 2027-03-01T19:00Z --end 2027-03-02",
            "ems event create --title Fair --start 'monday 9:00' --end +2w --local",
            "ems event create --json event.json"))

    @OptionGroup(title: "Event") var fields: EventFieldOptions

    @Option(
        name: .customLong("json"),
        help: ArgumentHelp("The event as HTTP takes it: a file, - for stdin, or the object itself.", valueName: "file"))
    var jsonFile: String?

    @Option(help: "The event's id: 32 hex characters. Creating it again is refused.")
    var id: EventID?

    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard jsonFile == nil else { return }
        if fields.title == nil { throw ValidationError("Missing expected argument '--title <title>'") }
        if fields.start == nil { throw ValidationError("Missing expected argument '--start <time>'") }
        if fields.end == nil { throw ValidationError("Missing expected argument '--end <time>'") }
    }

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let draft = try base().merged(with: fields.patch(in: output.zone))
        let id = id ?? EventID()
        if writing.isDryRun {
            try await runtime.events.check(draft, id: id, by: principal)
            return StandardError.write("would create the event \(Printable.quoted(draft.title))")
        }
        let event = try await runtime.events.create(draft, id: id, by: principal).event
        await runtime.deliverChangesOrTell()
        try output.show(event)
    }

    /// What the options are laid over.
    private func base() throws -> EventDraft {
        guard let jsonFile else {
            let unset = Timestamp(milliseconds: 0)
            return EventDraft(title: "", startTime: unset, endTime: unset)
        }
        return try EventDraft(InputFile.json(jsonFile))
    }
}
