import ArgumentParser
import EMSCore

struct TokenInspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a token says, without checking it.",
        discussion: examples("ems token inspect < token.txt", "ems token inspect --token-file token.txt | jq .claims.exp"))

    @OptionGroup var input: TokenInput
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let (header, claims) = try AccessTokens.inspect(try input.read())
        let shown = JSONValue.object([.init(name: "header", value: header), .init(name: "claims", value: claims)])
        try StandardOutput.write(shown.json(pretty: true) + [0x0A])
    }
}
