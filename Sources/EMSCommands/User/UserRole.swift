import ArgumentParser
import EMSCore
import EMSRuntime

struct UserRole: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "role",
        abstract: "Set what a user may do. It counts from the next request on.",
        discussion: examples(
            "ems user role ada admin"))

    @OptionGroup var user: UserArgument

    @Argument(help: "The role: user, organizer or admin.")
    var role: Role

    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let current = try await runtime.users.user(named: user.name)
        if writing.isDryRun { return StandardError.write("would make \(current.username) \(role.rawValue)") }
        try output.show(try await runtime.users.setRole(role, of: current.id, by: principal))
    }
}
