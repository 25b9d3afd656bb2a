import ArgumentParser
import EMSCore
import EMSRuntime

struct NotifyCount: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "count",
        abstract: "Count what a user has not read.",
        discussion: examples(
            "ems notify count --user ada",
            "ems notify count --user ada -o json"))

    @OptionGroup var inbox: InboxOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let user = try await runtime.users.user(named: inbox.user)
        try output.show(Facts([("count", .number(try await runtime.notifications.unreadCount(of: user.id)))]))
    }
}
