import ArgumentParser
import EMSCore

/// Finds a misspelt noun or verb before the parser does, to say what was probably meant.
enum UnknownVerb {
    static func check(_ arguments: [String]) throws {
        var command: any ParsableCommand.Type = EMS.self
        var path = ["ems"]
        for argument in ArgumentOrder.normalized(arguments) {
            let verbs = command.configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
            guard !command.configuration.subcommands.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return }
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == argument }) else {
                let kind = path.count == 1 ? "command" : "\(path.dropFirst().joined(separator: " ")) command"
                let nearest = Suggestion.nearest(to: argument, among: verbs)
                throw EMSError(
                    .usage, "there is no \(kind) \(Printable.quoted(argument))",
                    fix: nearest.map { "did you mean \((path + [$0]).joined(separator: " "))?" } ?? "there are: \(verbs.joined(separator: ", "))")
            }
            path.append(argument)
            command = next
        }
    }
}
