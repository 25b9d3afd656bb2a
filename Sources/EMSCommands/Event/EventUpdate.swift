import ArgumentParser
import EMSCore
import EMSRuntime

struct EventUpdate: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change an event. Its subscribers and its creator are notified.",
        discussion: examples(
            "ems event update $ID --title 'Tech Conference 2027' --location Vienna",
            "ems event update $ID --status canceled --if-version 3"))

    @OptionGroup var event: EventArgument
    @OptionGroup(title: "Event") var fields: EventFieldOptions

    @Option(help: "Only if the event still has this version.")
    var ifVersion: Int?

    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if fields.patch == EventPatch() { throw ValidationError("Nothing to change: give at least one field, such as --title.") }
    }

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let patch = fields.patch
        if writing.isDryRun {
            let changed = try await runtime.events.check(event.id, by: principal, ifVersion: ifVersion) { patch.applied(to: $0) }
            return StandardError.write("would change the event \(Printable.quoted(changed.title))")
        }
        let changed = try await runtime.events.update(event.id, by: principal, ifVersion: ifVersion) { patch.applied(to: $0) }
        await runtime.deliverChangesOrTell()
        try output.show(changed)
    }
}
