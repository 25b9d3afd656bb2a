import ArgumentParser
import EMSCore
import EMSRuntime

struct ConfigList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List all settings with their values and who set them. Secrets are not shown.",
        discussion: examples("ems config list", "ems config list -o json", "ems config list --profiles"))

    @Flag(help: "List the profiles, and which is in use, instead of the settings.")
    var profiles = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let sources = try global.sources()
        if profiles { return try output.show(try sources.profiles()) }
        try output.show(try SettingKey.allCases.map { SettingInForce(key: $0, found: try sources.find($0)) })
    }
}

extension ProfileEntry: Presentable {
    static let columns: [Column<ProfileEntry>] = [
        Column("profile") { .text($0.name) },
        Column("store") { .text($0.store) },
        Column("production") { .flag($0.isProduction) },
        Column("in_use") { .flag($0.isInUse) },
    ]

    var identifier: String { name }

    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("profile", name)
            $0.member("store", store)
            $0.member("production", isProduction)
            $0.member("in_use", isInUse)
        }
    }
}
