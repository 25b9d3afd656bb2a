import ArgumentParser
import EMSCore
import EMSRuntime

struct UserList: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List accounts, the oldest first.",
        discussion: examples(
            "ems user list",
            "ems user list --role admin --columns username,email",
            "ems user list --inactive-since 180d --columns username,last_login",
            "ems user list --inactive -o id | xargs -n1 ems user delete --yes"))

    @Option(help: "Only users with this role.")
    var role: Role?

    @Flag(help: "Only users who may log in, or only those who may not.")
    var activity: Activity?

    enum Activity: String, EnumerableFlag {
        case active, inactive
    }

    @Option(
        help: ArgumentHelp(
            "Only users who logged in last, or registered and never did, before then: a time, or how long ago, such as 180d.",
            valueName: "time"))
    var inactiveSince: PastArgument?

    @OptionGroup var limits: LimitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let moment = inactiveSince?.moment(in: output.zone)
        try await limits.list(output) { page in
            let found = try await runtime.users.users(
                UserQuery(role: role, isActive: activity.map { $0 == .active }, unseenSince: moment, page: page), for: principal)
            return (found.users, found.next)
        }
    }
}
