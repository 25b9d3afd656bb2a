import ArgumentParser
import EMSCore
import EMSRuntime

struct EventUnsubscribe: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "unsubscribe",
        abstract: "Let a user hear no more of an event.",
        discussion: examples(
            "ems event unsubscribe $ID --user ada"))

    @OptionGroup var event: EventArgument

    @Option(name: .customLong("user"), help: ArgumentHelp("The user: a username, an email or an id.", valueName: "user"))
    var userName: String

    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let user = try await runtime.users.user(named: userName)
        if writing.isDryRun {
            return StandardError.write("would unsubscribe \(user.username)")
        }
        let isNew = try await runtime.subscriptions.unsubscribe(user.id, from: event.id, by: principal.author)
        StandardError.write("\(user.username) \(isNew ? "is unsubscribed" : "was not subscribed")")
    }
}
