import ArgumentParser
import EMSCore
import EMSRuntime

struct UserPassword: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "password",
        abstract: "Set a user’s password, and end all sessions.",
        discussion: examples(
            "ems user password ada",
            "ems user password ada --password-file new.txt"))

    @OptionGroup var user: UserArgument
    @OptionGroup var password: PasswordOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let current = try await runtime.users.user(named: user.name)
        let new = try password.read()
        if writing.isDryRun {
            try runtime.users.check(newPassword: new)
            return StandardError.write("would set the password of \(current.username)")
        }
        try await runtime.users.setPassword(new, of: current.id, by: principal)
        StandardError.write("the password of \(current.username) is set; all sessions are ended")
    }
}
