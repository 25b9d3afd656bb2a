import ArgumentParser
import EMSCore
import EMSRuntime

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show and check the configuration, and choose its profile.",
        discussion: examples("ems config list", "ems config show port", "ems config list --profiles", "ems config use staging"),
        subcommands: [ConfigList.self, ConfigShow.self, ConfigCheck.self, ConfigUse.self])
}

/// One setting as it is in force.
struct SettingInForce: Presentable {
    let key: SettingKey
    let found: SettingSources.Found?

    /// A secret's value is never shown, only that there is one.
    var shownValue: String? { found.map { key.isSecret ? "********" : $0.value } }

    var identifier: String { key.rawValue }

    static let columns: [Column<SettingInForce>] = [
        Column("key") { .text($0.key.rawValue) },
        Column("value") { .text($0.shownValue) },
        Column("source") { .text($0.found.map { NamesInBytes.shown($0.source) }) },
        Column("environment", usual: false) { .text($0.key.environmentNames.joined(separator: ",")) },
        Column("default", usual: false) { .text($0.key.defaultValue) },
        Column("summary", usual: false) { .text($0.key.summary) },
    ]

    func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("key", key.rawValue)
            $0.member("value", shownValue)
            $0.member("source", found.map { NamesInBytes.shown($0.source) })
            $0.member("environment", key.environmentNames)
            $0.member("default", key.defaultValue)
            $0.member("summary", key.summary)
        }
    }
}
