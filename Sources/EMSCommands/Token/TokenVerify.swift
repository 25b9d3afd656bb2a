import ArgumentParser
import EMSCore
import EMSRuntime

struct TokenVerify: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a token as the daemon would, and show whom it speaks for. A bad one ends with status 77.",
        discussion: examples(
            "ems token verify < token.txt",
            "ems token verify --token-file token.txt -o json"))

    @OptionGroup var input: TokenInput
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let identity = try await runtime.authentication().authenticate(input.read())
        try output.show(
            Facts([
                ("valid", .flag(true)), ("user_id", .text(identity.user.id.description)), ("username", .text(identity.user.username)),
                ("role", .text(identity.user.role.rawValue)), ("session_id", .text(identity.sessionID.description)),
                ("expires_at", .time(identity.tokenExpiresAt)),
            ]))
    }
}
