import ArgumentParser
import EMSCore
import EMSRuntime

struct ConfigShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one setting: its value, who set it, and what it means.",
        discussion: examples("ems config show port", "ems config show login_rate_limit -o json"))

    @Argument(help: "The setting's key, as ems config list shows it.")
    var key: String

    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        guard let known = SettingKey(rawValue: key.lowercased()) else {
            let nearest = Suggestion.nearest(to: key, among: SettingKey.allCases.map(\.rawValue))
            throw EMSError(
                .notFound, "there is no setting \(Printable.quoted(key))",
                fix: nearest.map { "did you mean \($0)?" } ?? "ems config list shows all")
        }
        try output.show(SettingInForce(key: known, found: try global.sources().find(known)))
    }
}
