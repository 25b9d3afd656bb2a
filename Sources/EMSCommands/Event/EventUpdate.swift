import ArgumentParser
import EMSCore
import EMSRuntime

struct EventUpdate: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change an event. Its subscribers and its creator are notified.",
        discussion: examples(
            "ems event update $ID --title 'Tech Conference 2027' --location Vienna",
            "ems event update $ID --status canceled --if-version 3",
            "ems event update $ID --clear max_attendees --clear tags"))

    @OptionGroup var event: EventArgument
    @OptionGroup(title: "Event") var fields: EventFieldOptions

    @Option(
        name: .customLong("json"),
        help: ArgumentHelp("A merge patch, as HTTP takes it: a file, - for stdin, or the object itself.", valueName: "file"))
    var jsonFile: String?

    @Option(name: .customLong("clear"), help: ArgumentHelp("Take a field away; may be given several times.", valueName: "field"))
    var cleared: [ClearableField] = []

    @Option(help: "Only if the event still has this version.")
    var ifVersion: Int?

    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    struct ClearableField: ExpressibleByArgument {
        let name: String

        init?(argument: String) {
            guard Self.allValueStrings.contains(argument) else { return nil }
            name = argument
        }

        static let defaultCompletionKind = CompletionKind.list(allValueStrings)
        static let allValueStrings = EventDraft.writableFields.filter { !EventDraft.requiredFields.contains($0) && $0 != "status" }
    }

    func validate() throws {
        if fields.isEmpty, cleared.isEmpty, jsonFile == nil {
            throw ValidationError("Nothing to change: give at least one field, such as --title.")
        }
    }

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let patches = [
            try jsonFile.map(InputFile.json), fields.patch(in: output.zone),
            .object(cleared.map { JSONValue.Member(name: $0.name, value: .null) }),
        ]
        let edit = { (draft: EventDraft) in
            try patches.compactMap(\.self).reduce(draft) { draft, patch in try draft.merged(with: patch) }
        }
        if writing.isDryRun {
            let changed = try await runtime.events.check(event.id, by: principal, ifVersion: ifVersion, edit)
            return StandardError.write("would change the event \(Printable.quoted(changed.title))")
        }
        let changed = try await runtime.events.update(event.id, by: principal, ifVersion: ifVersion, edit)
        await runtime.deliverChangesOrTell()
        try output.show(changed)
    }
}
