import ArgumentParser
import EMSCore
import EMSRuntime

struct NotifyList: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the notifications of a user, the newest first.",
        discussion: examples(
            "ems notify list --user ada",
            "ems notify list --user ada --unread -o json"))

    @OptionGroup var inbox: InboxOptions

    @Flag(help: "Only what is not read yet.")
    var unread = false

    @OptionGroup var limits: LimitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let user = try await runtime.users.user(named: inbox.user)
        try await limits.list(output) { page in
            let found = try await runtime.notifications.inbox(of: user.id, InboxQuery(unreadOnly: unread, page: page))
            return (found.entries, found.next)
        }
    }
}
