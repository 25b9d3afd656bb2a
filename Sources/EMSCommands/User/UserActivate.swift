import ArgumentParser
import EMSCore
import EMSRuntime

struct UserActivate: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "activate",
        abstract: "Let a user log in again.",
        discussion: examples(
            "ems user activate ada"))

    @OptionGroup var user: UserArgument
    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let current = try await runtime.users.user(named: user.name)
        if writing.isDryRun { return StandardError.write("would activate \(current.username)") }
        try output.show(try await runtime.users.setActive(true, of: current.id, by: principal))
    }
}
