import ArgumentParser
import EMSCore
import EMSRuntime

struct EventDelete: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete an event. Its subscribers and its creator are notified.",
        discussion: examples(
            "ems event delete $ID",
            "ems event delete $ID --yes"))

    @OptionGroup var event: EventArgument
    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let current = try await runtime.events.event(event.id)
        let title = Printable.quoted(current.title)
        if writing.isDryRun { return StandardError.write("would delete the event \(title)") }
        try confirmation.confirm("Delete the event \(title)", runtime.settings)
        try await runtime.events.delete(current.id, by: principal)
        await runtime.deliverChangesOrTell()
    }
}
