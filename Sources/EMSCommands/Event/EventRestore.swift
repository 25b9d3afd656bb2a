import ArgumentParser
import EMSCore
import EMSRuntime

struct EventRestore: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a new version of an event that says what an earlier one said; a deleted event comes back.",
        discussion: examples(
            "ems event history $ID", "ems event restore $ID --version 3", "ems event restore $ID --version 3 --if-version 7"))

    @OptionGroup var event: EventArgument

    @Option(help: "The version to restore.")
    var version: Int

    @Option(help: "Only if the event still has this version, or had it when it was deleted.")
    var ifVersion: Int?

    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        if writing.isDryRun {
            let restored = try await runtime.events.checkRestoration(of: event.id, version: version, by: principal, ifVersion: ifVersion)
            return StandardError.write("would restore the event \(Printable.quoted(restored.title))")
        }
        let restored = try await runtime.events.restore(event.id, version: version, by: principal, ifVersion: ifVersion)
        await runtime.deliverChangesOrTell()
        try output.show(restored)
    }
}
