import ArgumentParser
import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `ems help TOPIC`, for what is no command.
enum HelpTopics {
    /// Shows the topic that the arguments ask for, if they ask for one.
    /// - Returns: whether they did.
    static func show(_ arguments: [String]) throws -> Bool {
        guard let text = try wanted(arguments) else { return false }
        StandardOutput.page()
        try StandardOutput.write(text)
        return true
    }

    /// - Returns: the topic's text; `nil` where the arguments mean something else.
    /// - Throws: ``EMSError`` with ``ErrorCode/usage`` for what is neither command nor topic.
    private static func wanted(_ arguments: [String]) throws -> String? {
        guard arguments.first == "help", arguments.count >= 2, !arguments[1].hasPrefix("-") else { return nil }
        if let topic = Topic.named(arguments[1]) {
            return topic.text(width: min(TerminalSize.of(STDOUT_FILENO)?.columns ?? 80, 100))
        }
        let commands = EMS.configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
        if commands.contains(arguments[1]) {
            try UnknownVerb.check(Array(arguments.dropFirst()))
            return nil
        }
        guard arguments[1] != "help" else { return nil }
        let known = commands + Topic.all.map(\.name)
        throw EMSError(
            .usage, "there is no command or topic \(Printable.quoted(arguments[1]))",
            fix: Suggestion.nearest(to: arguments[1], among: known).map { "did you mean ems help \($0)?" }
                ?? "there are: \(known.joined(separator: ", "))")
    }
}
