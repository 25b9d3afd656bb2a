import ArgumentParser

/// Global options may stand before the verb as well as after it: `ems -o json event list`. The parser wants them after it.
enum ArgumentOrder {
    /// The options that may stand anywhere, and whether a value follows.
    static let globalOptions: [String: Bool] = [
        "-o": true, "--output": true, "--columns": true, "--no-header": false, "--local": false, "--time-zone": true, "--no-pager": false,
        "--config": true, "--profile": true, "--data-dir": true, "--no-color": false, "--verbose": false,
    ]

    /// The arguments with the global options that stand before or between the verbs moved behind them.
    static func normalized(_ arguments: [String]) -> [String] {
        var path: [String] = []
        var moved: [String] = []
        var command: any ParsableCommand.Type = EMS.self
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            let name = argument.prefix { $0 != "=" }
            if let takesValue = globalOptions[String(name)] {
                moved.append(argument)
                if takesValue, name.count == argument.count, index + 1 < arguments.count {
                    index += 1
                    moved.append(arguments[index])
                }
            } else if argument.hasPrefix("-o"), argument.count > 2, !argument.hasPrefix("--") {
                moved.append(argument)
            } else if let next = command.configuration.subcommands.first(where: { $0._commandName == argument }) {
                path.append(argument)
                command = next
            } else {
                break
            }
            index += 1
        }
        return path + moved + arguments[index...]
    }
}
