import ArgumentParser
import EMSCore

/// Finds a misspelt noun or verb before the parser does, to say what was probably meant.
enum UnknownVerb {
    static func check(_ arguments: [String]) throws {
        var command: any ParsableCommand.Type = EMS.self
        var path = ["ems"]
        for argument in ArgumentOrder.normalized(arguments) {
            let verbs = command.configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
            guard !command.configuration.subcommands.isEmpty, argument != "help" else { return }
            if argument.hasPrefix("-") { return try checkOption(argument) }
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == argument }) else {
                let kind = path.count == 1 ? "command" : "\(path.dropFirst().joined(separator: " ")) command"
                let nearest = Suggestion.nearest(to: argument, among: verbs)
                throw EMSError(
                    .usage, "there is no \(kind) \(Printable.quoted(argument))",
                    fix: nearest.map { "did you mean \((path + [$0]).joined(separator: " "))?" }
                        ?? "there are: \(verbs.joined(separator: ", "))")
            }
            path.append(argument)
            command = next
        }
    }

    /// Finds an option that the command does not have.
    static func checkOptions(_ arguments: [String]) throws {
        var command: any ParsableCommand.Type = EMS.self
        var rest = arguments[...]
        var path = ["ems"]
        while let next = rest.first, let sub = command.configuration.subcommands.first(where: { $0._commandName == next }) {
            command = sub
            path.append(next)
            rest = rest.dropFirst()
        }
        // Of this command only: to describe them all takes longer than most commands.
        let known = try JSONParser.parse(command._dumpHelp())["command"]?.elements("arguments").flatMap(\.names) ?? []
        for argument in rest.prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
            let name = String(argument.prefix { $0 != "=" })
            guard !known.contains(name), name != "--help", name != "--version" else { continue }
            let nearest = Suggestion.nearest(to: name, among: known)
            throw EMSError(
                .usage, "there is no option \(Printable.quoted(name))",
                fix: nearest.map { "did you mean \($0)?" } ?? "see \(path.joined(separator: " ")) --help")
        }
    }

    /// An option where a verb should stand can only be a global one.
    private static func checkOption(_ argument: String) throws {
        let known = ArgumentOrder.globalOptions.keys + ["--version", "--help", "-h"]
        let name = String(argument.prefix { $0 != "=" })
        guard name.hasPrefix("--"), !known.contains(name), !name.hasPrefix("--generate-completion-script"), !name.hasPrefix("---"),
            !name.hasPrefix("--experimental"), let nearest = Suggestion.nearest(to: name, among: known)
        else { return }
        throw EMSError(.usage, "there is no option \(Printable.quoted(name))", fix: "did you mean \(nearest)?")
    }
}
