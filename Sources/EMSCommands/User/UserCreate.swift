import ArgumentParser
import EMSCore
import EMSRuntime

struct UserCreate: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create an account. This is how the first administrator comes to be.",
        discussion: examples(
            "ems user create ada --email ada@example.com --role admin",
            "ems user create bob --email bob@example.com --password-file bob.txt",
            "pass show bob | ems user create bob --email bob@example.com --password-stdin"))

    @Argument(help: "The username: 3 to 50 letters, digits or _.")
    var username: String

    @Option(help: "The email address.")
    var email: String

    @Option(help: "The name people are shown.")
    var fullName: String?

    @Option(help: "What the user may do.")
    var role: Role = .user

    @OptionGroup var password: PasswordOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let draft = UserDraft(username: username, email: email, password: try password.read(), fullName: fullName)
        if writing.isDryRun {
            try await runtime.users.check(draft)
            return StandardError.write("would create the user \(draft.username)")
        }
        try output.show(try await runtime.users.create(draft, role: role, by: principal))
    }
}
