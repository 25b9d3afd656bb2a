import ArgumentParser
import EMSCore
import EMSRuntime

struct TokenIssue: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Issue an access token for a user, and print it.",
        discussion: examples(
            "ems token issue --user ada",
            "TOKEN=$(ems token issue --user ada --ttl 12h --label 'nightly import')"))

    @Option(help: "For whom: a username, an email or an id.", completion: .users)
    var user: String

    @Option(help: ArgumentHelp("How long it lives, such as 30m or 12h; as configured where nothing is said.", valueName: "time"))
    var ttl: DurationArgument?

    @Option(help: "What it is for: shown by ems token list.")
    var label = "issued by an operator"

    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let user = try await runtime.users.user(named: user)
        if writing.isDryRun { return StandardError.write("would issue a token for \(user.username)") }
        let (token, session) = try await runtime.authentication().issue(for: user, seconds: ttl?.seconds, label: label, by: principal)
        // The token alone, so that $(…) can take it, unless another form is asked for.
        if output.output == .table { return try StandardOutput.write(token + "\n") }
        try output.show(
            Facts([
                ("access_token", .text(token)), ("token_type", .text("bearer")), ("session_id", .text(session.id.description)),
                ("user_id", .text(session.userID.description)), ("expires_at", .time(session.expiresAt)),
            ]))
    }
}
