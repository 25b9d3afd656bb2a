import ArgumentParser
import EMSCore
import EMSRuntime

struct TokenRevoke: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "End a session with all its tokens, at once and everywhere.",
        discussion: examples(
            "ems token revoke 0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4",
            "ems token revoke --user ada",
            "ems token revoke --token-file token.txt"))

    @Argument(help: "The session's id, as ems token list shows it.")
    var session: SessionID?

    @Option(help: "End all sessions of this user.", completion: .users)
    var user: String?

    @Option(help: ArgumentHelp("End the session of the token in this file; - is stdin.", valueName: "file"), completion: .file())
    var tokenFile: String?

    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard [session != nil, user != nil, tokenFile != nil].filter({ $0 }).count == 1 else {
            throw ValidationError("Say what to end: a session's id, --user or --token-file.")
        }
    }

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let authentication = try await runtime.authentication()
        if let user {
            let owner = try await runtime.users.user(named: user)
            if writing.isDryRun { return StandardError.write("would end all sessions of \(owner.username)") }
            return StandardError.write("ended \(try await authentication.revokeAll(of: owner.id, by: principal))")
        }
        let id = try await sessionID(authentication)
        let known = try await authentication.session(id)
        if writing.isDryRun { return StandardError.write("would end the session \(known.id)") }
        StandardError.write(try await authentication.revoke(id, by: principal) ? "ended" : "had ended before")
    }

    private func sessionID(_ authentication: AuthenticationService) async throws -> SessionID {
        if let session { return session }
        return try await authentication.authenticate(TokenInput.read(tokenFile ?? "-")).sessionID
    }
}
