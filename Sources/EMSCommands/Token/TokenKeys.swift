import ArgumentParser
import EMSCore
import EMSRuntime

struct TokenKeys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Show which key signs the tokens, by its fingerprint; never the key.",
        discussion: examples("ems token keys", "ems token keys -o json"))

    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let key = try global.settings().signingKey()
        try output.show(
            Facts([
                ("algorithm", .text("HS256")), ("source", .text(key.source)), ("fingerprint", .text(key.fingerprint)),
                ("bytes", .number(key.secret.utf8.count)),
            ]))
    }
}
