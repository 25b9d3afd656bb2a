import ArgumentParser
import EMSCore
import EMSRuntime

/// What may stand at a place of a shell's line: verbs and flags from the commands themselves; ids, usernames and tags from the live data.
struct ShellCompletion: Sendable {
    private let root: JSONValue
    private let runtime: Runtime

    init(_ runtime: Runtime) throws {
        let dump = try JSONParser.parse(EMS._dumpHelp())
        guard let root = dump["command"] else { throw EMSError(.internal, "the parser describes no command") }
        self.root = root
        self.runtime = runtime
    }

    /// - Parameters:
    ///   - before: the line up to the word.
    ///   - word: how the word begins.
    func candidates(_ before: String, _ word: String) async -> LineEditor.Candidates {
        var words = (ShellWords.split(before) ?? before.split(separator: " ").map(String.init))[...]
        if words.first == "ems" { words = words.dropFirst() }
        var command = root
        while let next = words.first, let sub = command.elements("subcommands").first(where: { $0["commandName"]?.string == next }) {
            command = sub
            words = words.dropFirst()
        }
        let subcommands = command.elements("subcommands").filter { $0["shouldDisplay"] != .bool(false) }
        let arguments = command.elements("arguments").filter { $0["shouldDisplay"] != .bool(false) }
        // `--tag=x` comes as the option, an equals sign, and the word.
        let last = words.last.map { $0.hasSuffix("=") ? String($0.dropLast()) : $0 }
        if let last, last.hasPrefix("-"), let option = arguments.first(where: { $0.isOption && $0.names.contains(last) }) {
            return await values(of: option, word)
        }
        if word.hasPrefix("-") { return .words(arguments.flatMap(\.names).filter { $0.hasPrefix(word) && $0.hasPrefix("--") }) }
        if !subcommands.isEmpty {
            return .words(subcommands.compactMap { $0["commandName"]?.string }.filter { $0.hasPrefix(word) })
        }
        let positionals = arguments.filter { $0["kind"]?.string == "positional" }
        let given = given(words, arguments)
        guard let positional = positionals.indices.contains(given) ? positionals[given] : positionals.last else { return .words([]) }
        return await values(of: positional, word)
    }

    /// How many positional arguments stand there already.
    private func given(_ words: ArraySlice<String>, _ arguments: [JSONValue]) -> Int {
        var count = 0
        var isValue = false
        for word in words {
            if isValue {
                isValue = false
            } else if word.hasPrefix("-") {
                isValue = !word.contains("=") && arguments.contains { $0.isOption && $0.names.contains(word) }
            } else {
                count += 1
            }
        }
        return count
    }

    private func values(of argument: JSONValue, _ word: String) async -> LineEditor.Candidates {
        let known = argument.elements("allValues").compactMap(\.string)
        if !known.isEmpty { return .words(known.filter { $0.hasPrefix(word) }) }
        switch argument["valueName"]?.string {
        case "user", "created-by": return await live(.users, word)
        case "event-id", "id": return await live(.events, word)
        case "tag": return await live(.tags, word)
        case "profile", "name": return .words(LiveCompletions.profiles(nil).filter { $0.hasPrefix(word) })
        case "file", "directory", "data-dir", "config": return .files
        default: return .words([])
        }
    }

    private func live(_ kind: LiveCompletions.Kind, _ word: String) async -> LineEditor.Candidates {
        // Who waits at a key gets no error: there is nothing to propose then.
        .words((try? await LiveCompletions.words(kind, beginningWith: word, in: runtime)) ?? [])
    }
}
