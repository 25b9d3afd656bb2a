import ArgumentParser
import EMSCore

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Issue, examine and revoke tokens.",
        discussion: examples(
            "ems token issue --user ada --ttl 12h --label 'nightly import'",
            "ems token list --user ada",
            "ems token revoke $SESSION_ID"),
        subcommands: [
            TokenIssue.self, TokenInspect.self, TokenVerify.self, TokenRevoke.self, TokenList.self, TokenPurge.self, TokenKeys.self,
        ])
}

/// Where a token comes from: never from an argument, which other users of the machine could read.
struct TokenInput: ParsableArguments {
    @Option(help: ArgumentHelp("The file that holds the token; - is stdin.", valueName: "file"), completion: .file())
    var tokenFile = "-"

    func read() throws -> String { try Self.read(tokenFile) }

    static func read(_ file: String) throws -> String {
        let token = try InputFile.word(file)
        guard !token.isEmpty else { throw EMSError(.invalid, "\(InputFile.displayName(file)) holds no token") }
        return token
    }
}
