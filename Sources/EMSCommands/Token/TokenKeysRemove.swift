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
        await KeyNote.add(.deleted, id, global)
    }
}

/// What the journal notes of a key: its id, and nothing of the key itself.
enum KeyNote {
    /// Keys are not part of the store, which may be missing or unreachable: that is a warning.
    static func add(_ action: Change.Action, _ id: String, _ global: GlobalOptions) async {
        do {
            guard try global.settings().isStoreMade else { return }
            let runtime = try await global.openRuntime()
            await runtime.noteOrTell(action, .key, id, by: global.principal) { _ in }
            await runtime.close()
        } catch {
            StandardError.write("ems: done, but not noted in the journal: \(EMSError(error))")
        }
    }
}
