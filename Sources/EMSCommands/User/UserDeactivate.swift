import ArgumentParser
import EMSCore
import EMSRuntime

struct UserDeactivate: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "deactivate",
        abstract: "Keep a user out, and end all sessions at once.",
        discussion: examples(
            "ems user deactivate ada"))

    @OptionGroup var user: UserArgument
    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let current = try await runtime.users.user(named: user.name)
        if writing.isDryRun { return StandardError.write("would deactivate \(current.username)") }
        try output.show(try await runtime.users.setActive(false, of: current.id, by: principal))
    }
}
