import ArgumentParser
import EMSRuntime

struct ConfigCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the configuration and that the store opens. Says nothing where all is well; a fault ends with its status.",
        discussion: examples("ems config check", "ems config check --config /etc/ems/config.yaml --profile production"))

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        _ = try global.settings().signingKey()
        _ = try await global.openRuntime().health()
    }
}
