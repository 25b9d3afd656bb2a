import ArgumentParser
import EMSCore
import EMSRuntime

struct UserUpdate: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change what an account is called.",
        discussion: examples(
            "ems user update ada --email ada@example.org",
            "ems user update ada --full-name 'Ada Lovelace'"))

    @OptionGroup var user: UserArgument

    @Option(help: "The new username.")
    var username: String?

    @Option(help: "The new email address.")
    var email: String?

    @Option(help: "The new name people are shown; an empty one takes it away.")
    var fullName: String?

    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if username == nil, email == nil, fullName == nil {
            throw ValidationError("Nothing to change: give --username, --email or --full-name.")
        }
    }

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let current = try await runtime.users.user(named: user.name)
        let patch = UserPatch(username: username, email: email, fullName: fullName.map { .some($0) })
        if writing.isDryRun {
            try await runtime.users.check(patch, of: current)
            return StandardError.write("would change the user \(current.username)")
        }
        try output.show(try await runtime.users.update(current.id, with: patch, by: principal))
    }
}
