import ArgumentParser
import EMSRuntime

struct ConfigList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List all settings with their values and who set them. Secrets are not shown.",
        discussion: examples("ems config list", "ems config list -o json"))

    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let sources = try global.sources()
        try output.show(try SettingKey.allCases.map { SettingInForce(key: $0, found: try sources.find($0)) })
    }
}
