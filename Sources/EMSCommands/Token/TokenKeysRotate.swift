import ArgumentParser
import EMSCore
import EMSRuntime

struct TokenKeysRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: """
            Make a new key, which signs from now on. Tokens signed before stay valid. Daemons notice within a minute, and at once on SIGHUP.
            """,
        discussion: examples("ems token keys rotate", "ems token keys rotate && systemctl reload ems"))

    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let settings = try global.settings()
        if writing.isDryRun {
            return StandardError.write("would make a new key of \(settings.algorithm.rawValue) in \(settings.tokenKeySource)")
        }
        let key = try settings.rotateTokenKey()
        await KeyNote.add(.rotated, key.id, global)
        try output.show(ListedKey(id: key.id, algorithm: key.algorithm, isSigning: true, source: settings.tokenKeySource))
    }
}
