import ArgumentParser
import EMSRuntime

struct ConfigCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract:
            "Check the configuration, and that store and broker answer. Says nothing where all is well; a fault ends with its status.",
        discussion: examples("ems config check", "ems config check --config /etc/ems/config.yaml --profile production"))

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        // What is not there yet is made by the first command, not by a look.
        let settings = try global.settings()
        guard settings.isStoreMade else { return }
        _ = try settings.tokenKeys()
        let runtime = try await global.openRuntime(.inspection)
        _ = try await runtime.health().broker.get()
        await runtime.close()
    }
}
