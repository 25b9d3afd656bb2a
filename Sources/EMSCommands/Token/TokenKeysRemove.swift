import ArgumentParser
import EMSCore
import EMSRuntime

struct TokenKeysRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a key that does not sign any more: the tokens it signed are not valid from then on.",
        discussion: examples("ems token keys remove 0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4 --yes"))

    @Argument(help: "The key's id, as ems token keys shows it.")
    var id: String

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let settings = try global.settings()
        guard try settings.tokenKeys().contains(where: { $0.id == id }) else { throw EMSError.notFound("key", id) }
        if writing.isDryRun { return StandardError.write("would remove the key \(Printable.stripped(id))") }
        try confirmation.confirm("Remove the key \(Printable.stripped(id)), and end the tokens it signed", settings)
        try settings.removeTokenKey(id)
    }
}
