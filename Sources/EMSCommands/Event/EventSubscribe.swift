import ArgumentParser
import EMSCore
import EMSRuntime

struct EventSubscribe: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscribe",
        abstract: "Let a user hear of the changes of an event.",
        discussion: examples(
            "ems event subscribe $ID --user ada"))

    @OptionGroup var event: EventArgument

    @Option(name: .customLong("user"), help: ArgumentHelp("The user: a username, an email or an id.", valueName: "user"))
    var userName: String

    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let user = try await runtime.users.user(named: userName)
        if writing.isDryRun {
            _ = try await runtime.events.event(event.id)
            return StandardError.write("would subscribe \(user.username)")
        }
        let isNew = try await runtime.subscriptions.subscribe(user.id, to: event.id, by: principal.author)
        StandardError.write("\(user.username) \(isNew ? "is subscribed" : "was subscribed already")")
    }
}
