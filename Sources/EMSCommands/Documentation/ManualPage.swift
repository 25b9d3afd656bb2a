import ArgumentParser
import EMSCore

/// One manual page per command, in mdoc(7), made from what the parser knows of it.
struct ManualPage {
    let name: String
    let text: String

    /// The pages of all commands that are shown to people.
    static func all() throws -> [ManualPage] {
        let dump = try JSONParser.parse(EMS._dumpHelp())
        guard let root = dump["command"] else { throw EMSError(.internal, "the parser describes no command") }
        return pages(of: root, path: [])
    }

    private static func pages(of command: JSONValue, path: [String]) -> [ManualPage] {
        let path = path + [command["commandName"]?.string ?? ""]
        let subcommands = command.list("subcommands").filter { sub in
            sub["commandName"]?.string != "help" && sub["shouldDisplay"] != .bool(false)
        }
        let page = ManualPage(name: path.joined(separator: "-"), text: text(of: command, path: path, subcommands))
        return [page] + subcommands.flatMap { pages(of: $0, path: path) }
    }

    private static func text(of command: JSONValue, path: [String], _ subcommands: [JSONValue]) -> String {
        let title = path.joined(separator: "-")
        let abstract = command["abstract"]?.string ?? ""
        var page = Mdoc()
        page.macro("Dd", "$Mdocdate$")
        page.macro("Dt", "\(title.uppercased()) 1")
        page.macro("Os")
        page.macro("Sh", "NAME")
        page.macro("Nm", title)
        let first = abstract.split(separator: ". ", maxSplits: 1).first ?? ""
        page.macro("Nd", Mdoc.escaped(String(first.first.map { $0.lowercased() } ?? "") + first.dropFirst().trimmedPeriod))
        page.macro("Sh", "SYNOPSIS")
        page.macro("Nm", path.joined(separator: " "))
        let arguments = command.list("arguments").filter { $0["shouldDisplay"] != .bool(false) }
        for argument in arguments { synopsis(argument, &page) }
        if !subcommands.isEmpty { page.macro("Ar", "command") }
        page.macro("Sh", "DESCRIPTION")
        page.line(abstract)
        if !subcommands.isEmpty {
            page.macro("Sh", "COMMANDS")
            page.macro("Bl", "-tag -width Ds")
            for subcommand in subcommands {
                page.macro("It", "Xr \(title)-\(subcommand["commandName"]?.string ?? "") 1")
                page.line(subcommand["abstract"]?.string ?? "")
            }
            page.macro("El")
        }
        if !arguments.isEmpty {
            page.macro("Sh", "OPTIONS")
            page.macro("Bl", "-tag -width Ds")
            for argument in arguments { option(argument, &page) }
            page.macro("El")
        }
        page.macro("Sh", "EXIT STATUS")
        page.line("0 where all is done; otherwise as")
        page.macro("Xr", "ems-exit-codes 7")
        page.line("says.")
        examples(command["discussion"]?.string, &page)
        page.macro("Sh", "SEE ALSO")
        var others = path.count > 1 ? [path.dropLast().joined(separator: "-") + " 1"] : []
        others +=
            path.count > 1
            ? ["ems-exit-codes 7"] : Topic.all.sorted { ($0.section, $0.page) < ($1.section, $1.page) }.map { "\($0.page) \($0.section)" }
        for (index, other) in others.enumerated() { page.macro("Xr", index < others.count - 1 ? other + " ," : other) }
        return page.text
    }

    private static func examples(_ discussion: String?, _ page: inout Mdoc) {
        let lines = (discussion ?? "").split(separator: "\n").map { $0.drop { $0 == " " } }.filter { $0.hasPrefix("$ ") }
        guard !lines.isEmpty else { return }
        page.macro("Sh", "EXAMPLES")
        page.macro("Bd", "-literal -offset indent")
        for line in lines { page.literal(String(line)) }
        page.macro("Ed")
    }

    private static func synopsis(_ argument: JSONValue, _ page: inout Mdoc) {
        let usage: String
        switch argument["kind"]?.string {
        case "positional": usage = "Ar \(Mdoc.escaped(argument.valueName))"
        case "flag": usage = "Fl \(argument.flag)"
        default: usage = "Fl \(argument.flag) Ar \(Mdoc.escaped(argument.valueName))"
        }
        let isRequired = argument["isOptional"] == .bool(false)
        page.macro(isRequired ? String(usage.prefix(2)) : "Op", isRequired ? String(usage.dropFirst(3)) : usage)
    }

    private static func option(_ argument: JSONValue, _ page: inout Mdoc) {
        let names = argument.list("names").map { name in
            (name["kind"]?.string == "short" ? "" : "-") + (name["name"]?.string ?? "")
        }
        switch argument["kind"]?.string {
        case "positional": page.macro("It", "Ar \(Mdoc.escaped(argument.valueName))")
        case "flag": page.macro("It", names.map { "Fl \($0)" }.joined(separator: " , "))
        default: page.macro("It", names.map { "Fl \($0) Ar \(Mdoc.escaped(argument.valueName))" }.joined(separator: " , "))
        }
        var words = argument["abstract"]?.string ?? ""
        let values = argument.list("allValues").compactMap(\.string)
        if !values.isEmpty { words += " One of: \(values.joined(separator: ", "))." }
        if let value = argument["defaultValue"]?.string { words += " The default is \(value)." }
        page.line(words)
    }
}

/// Text in mdoc(7).
struct Mdoc {
    private(set) var text = ""

    mutating func macro(_ name: String, _ arguments: String = "") {
        text += arguments.isEmpty ? ".\(name)\n" : ".\(name) \(arguments)\n"
    }

    /// Running text: each sentence begins a line, and no line is long.
    mutating func line(_ words: String) {
        var length = 0
        for word in Self.escaped(words).split(separator: " ") {
            let begins = length == 0
            if !begins, length + word.count > 76 {
                text += "\n"
                length = 0
            }
            text += (length == 0 ? Self.guarded(word) : " " + word)
            length += word.count + 1
            if word.hasSuffix("."), word != "..." {
                text += "\n"
                length = 0
            }
        }
        if length > 0 { text += "\n" }
    }

    /// A line that stays as it is.
    mutating func literal(_ line: String) {
        text += Self.guarded(Substring(Self.escaped(line))) + "\n"
    }

    /// An argument of a macro, as one word that is no macro itself.
    static func quoted(_ words: String) -> String {
        words.contains(" ") ? "\"" + escaped(words).replacing("\"", with: "\\(dq") + "\"" : escaped(words)
    }

    /// A dot or quote at the beginning of a line would be a macro.
    private static func guarded(_ words: Substring) -> String {
        words.hasPrefix(".") || words.hasPrefix("'") ? "\\&" + words : String(words)
    }

    static func escaped(_ words: String) -> String {
        words.replacing("\\", with: "\\e").replacing("’", with: "'").replacing("…", with: "...")
    }
}

extension JSONValue {
    fileprivate func list(_ name: String) -> [JSONValue] {
        if case .array(let elements) = self[name] { elements } else { [] }
    }

    fileprivate var valueName: String { self["valueName"]?.string ?? "value" }

    /// The preferred name, as mdoc writes a flag: `-output` for `--output`.
    fileprivate var flag: String {
        let name = self["preferredName"]
        return (name?["kind"]?.string == "short" ? "" : "-") + (name?["name"]?.string ?? "")
    }
}

extension Substring {
    fileprivate var trimmedPeriod: String { hasSuffix(".") ? String(dropLast()) : String(self) }
}
