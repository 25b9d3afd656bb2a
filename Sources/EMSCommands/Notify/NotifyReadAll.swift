import ArgumentParser
import EMSCore
import EMSRuntime

struct NotifyReadAll: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "read-all",
        abstract: "Mark everything in a user’s inbox as read.",
        discussion: examples(
            "ems notify read-all --user ada"))

    @OptionGroup var inbox: InboxOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let user = try await runtime.users.user(named: inbox.user)
        if writing.isDryRun {
            return StandardError.write("would mark \(try await runtime.notifications.unreadCount(of: user.id)) as read")
        }
        StandardError.write("marked \(try await runtime.notifications.markAllRead(of: user.id)) as read")
    }
}
