import ArgumentParser

/// The root command.
struct EMS: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "ems",
        abstract: "Event management: administer users, events, notifications and tokens, or serve them.",
        discussion: examples(
            "ems user create ada --email ada@example.com --role admin",
            "ems event create --title Gala --start 2027-03-01T19:00Z --end 2027-03-02",
            "ems event list -o json | jq '.[].title'",
            "ems notify watch --user ada",
            "ems serve"),
        version: "ems \(version)",
        subcommands: [
            UserCommand.self, EventCommand.self, NotifyCommand.self, TokenCommand.self, BrokerCommand.self, AuditCommand.self,
            StoreNoun.self,
            ConfigCommand.self, ServeCommand.self, ShellCommand.self, DoctorCommand.self, GenerateCommand.self,
        ])

    @OptionGroup var global: GlobalOptions
}

/// The examples that a command's help begins with.
func examples(_ lines: String...) -> String {
    "EXAMPLES:\n" + lines.map { "  $ \($0)" }.joined(separator: "\n")
}
