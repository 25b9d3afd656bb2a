import ArgumentParser
import EMSCore
import EMSRuntime

struct UserUnlock: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock",
        abstract: "Clear a user’s failed log-ins, and end the delay they cause.",
        discussion: examples(
            "ems user unlock ada"))

    @OptionGroup var user: UserArgument
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let current = try await runtime.users.user(named: user.name)
        if writing.isDryRun { return StandardError.write("would clear the failed log-ins of \(current.username)") }
        let hadFailures = try await runtime.users.unlock(current.id)
        StandardError.write(
            hadFailures
                ? "cleared the failed log-ins of \(current.username)" : "\(current.username) has no failed log-ins; nothing was changed")
    }
}
