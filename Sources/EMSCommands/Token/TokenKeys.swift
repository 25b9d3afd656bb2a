import ArgumentParser
import EMSCore
import EMSRuntime

struct TokenKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Show, change and remove the keys that sign the tokens; never their secret part.",
        discussion: examples("ems token keys", "ems token keys rotate", "ems token keys remove $KEY_ID --yes"),
        subcommands: [TokenKeysList.self, TokenKeysRotate.self, TokenKeysRemove.self],
        defaultSubcommand: TokenKeysList.self)
}
