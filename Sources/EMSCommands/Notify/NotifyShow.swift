import ArgumentParser
import EMSCore
import EMSRuntime

struct NotifyShow: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one notification of a user.",
        discussion: examples(
            "ems notify show $ID --user ada"))

    @Argument(help: "The notification's id.")
    var id: NotificationID

    @OptionGroup var inbox: InboxOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let user = try await runtime.users.user(named: inbox.user)
        try output.show(try await runtime.notifications.entry(id, of: user.id))
    }
}
