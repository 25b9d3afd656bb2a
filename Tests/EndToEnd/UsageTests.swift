import EMSCore
import Foundation
import Testing

/// What holds for the command line as a whole.
@Suite(.gated)
struct UsageTests {
    @Test(
        "An error in an option names the option, not the parameter of HTTP",
        arguments: [
            (["event", "list", "--sort", "distance"], "--sort must not be by distance without a place"),
            (["event", "search", "x", "--near", "48,16", "--radius-km", "0"], "--radius-km must be over 0"),
            (["audit", "list", "--since", "2030-01-01", "--until", "2020-01-01"], "--until must be after since"),
        ] as [([String], String)])
    func optionNames(arguments: [String], sentence: String) async throws {
        let result = try await Workspace().runEMS(arguments)
        #expect(result.status != 0 && result.errors.contains("ems: \(sentence)"), "\(result.errors)")
        #expect(!result.errors.contains("query"))
    }

    @Test(
        "A misspelt noun, verb or option is 64, and what was meant is named",
        arguments: [
            [["evnt", "list"], ["ems event"]], [["usr"], ["ems user"]], [["event", "lst"], ["ems event list"]],
            [["notify", "readall"], ["read-all"]],
            [["event", "list", "--statsu", "scheduled"], ["--status"]], [["event", "list", "--no-hedaer"], ["--no-header"]],
            [["user", "list", "--colums", "username"], ["--columns"]], [["event", "list", "--data-dri", "x"], ["--data-dir"]],
            [["--ouput", "json", "event", "list"], ["--output"]], [["--verison"], ["--version"]],
        ])
    func misspelt(command: [[String]]) async throws {
        let workspace = try Workspace()
        let result = try await workspace.runEMS(command[0])
        result.expectFailure(64)
        for word in command[1] { #expect(result.errors.contains(word), "\(result.errors)") }
        #expect(result.errors.hasPrefix("ems: "))
    }

    @Test(
        "Wrong usage is 64",
        arguments: [
            ["--frobnicate"], ["xyzzy"], ["event", "xyzzy"], ["event", "list", "--xyzzy"], ["event", "list", "-z"],
            ["event", "list", "extra"],
            ["event", "show"], ["event", "list", "--limit"], ["event", "list", "--limit", "many"], ["event", "list", "-o", "xml"],
            ["event", "list", "-o"], ["user", "create"], ["serve", "--role", "all"], ["serve", "now"],
            ["user", "list", "--active", "--inactive"],
        ])
    func wrong(arguments: [String]) async throws {
        let workspace = try Workspace()
        try await workspace.runEMS(arguments).expectFailure(64)
    }

    @Test("The help of every command is an overview, then examples, then the rest, on stdout")
    func help() async throws {
        let workspace = try Workspace()
        var waiting: [[String]] = [[]]
        var seen = 0
        while !waiting.isEmpty {
            let path = waiting.removeFirst()
            let result = try await workspace.runEMS(path + ["--help"])
            seen += 1
            #expect(result.status == 0, "\(path)")
            #expect(result.errors.isEmpty, "\(path)")
            #expect(result.output.hasPrefix("OVERVIEW: "), "\(path)")
            let parts = result.output.split(separator: "\n\n").map(String.init)
            let examples = try #require(parts.count > 2 ? parts[1] : nil, "\(path)")
            #expect(examples.hasPrefix("EXAMPLES:\n  $ "), "\(path)")
            #expect(examples.contains("ems \(path.joined(separator: " "))"), "\(path)")
            #expect(parts[2].hasPrefix("USAGE: ems"), "\(path)")
            waiting += Self.subcommands(result.output).map { path + [$0] }
        }
        #expect(seen > 40)
    }

    @Test("An example of the help stands on one line, so that it can be copied")
    func examplesAreWhole() async throws {
        let workspace = try Workspace()
        for command in [
            [], ["event"], ["event", "create"], ["event", "import"], ["event", "export"], ["user", "create"], ["user", "import"], ["serve"],
            ["shell"], ["doctor"],
        ] {
            let text = try await workspace.outputEMS(command + ["--help"]).output
            let examples = text.split(separator: "\n\n").first { $0.hasPrefix("EXAMPLES:") }
            let lines = try #require(examples).split(separator: "\n").dropFirst()
            #expect(lines.allSatisfy { $0.hasPrefix("  $ ") }, "\(command)")
        }
    }

    @Test("Every noun and verb of the contract is there")
    func verbs() async throws {
        let workspace = try Workspace()
        let expected = [
            "user": "create list show update role activate deactivate password unlock delete import export",
            "event":
                "create list show history diff restore update delete search subscribe unsubscribe import export complete remind watch",
            "notify": "list show count read read-all send watch purge", "token": "issue inspect verify revoke list purge keys",
            "config": "list show check use", "audit": "list show export verify purge",
        ]
        for (noun, verbs) in expected {
            let known = Self.subcommands(try await workspace.output(noun, "--help"))
            #expect(Set(known) == Set(verbs.split(separator: " ").map(String.init)), "\(noun)")
        }
        #expect(
            Set(["serve", "shell", "doctor", "broker", "audit", "store"]).isSubset(
                of: Self.subcommands(try await workspace.output("--help"))))
    }

    @Test(
        "A noun alone, and help, show the help and do nothing", arguments: [[], ["help"], ["event"], ["help", "event"], ["event", "-h"]])
    func nounAlone(arguments: [String]) async throws {
        let workspace = try Workspace()
        let result = try await workspace.runEMS(arguments)
        #expect(result.status == 0)
        #expect(result.output.hasPrefix("OVERVIEW: "))
        #expect(!FileManager.default.fileExists(atPath: workspace.dataDirectory))
    }

    @Test("The version is shown on stdout")
    func version() async throws {
        let workspace = try Workspace()
        let output = try await workspace.output("--version")
        #expect(output.wholeMatch(of: /ems [0-9]+\.[0-9]+\.[0-9]+[^\n]*\n/) != nil)
    }

    @Test("Global options before and after the verb do the same")
    func globalOptions() async throws {
        let workspace = try Workspace()
        for number in 1...3 { try await workspace.makeEvent("E\(number)") }
        let expected = try await workspace.output("event", "list", "-o", "json")
        for arguments in [
            ["-o", "json", "event", "list"], ["event", "-o", "json", "list"], ["--output", "json", "event", "list"],
            ["--output=json", "event", "list"], ["event", "list", "--output=json"],
            ["--no-color", "--verbose", "-o", "json", "event", "list"],
            ["event", "list", "-o", "json", "--no-color"],
        ] {
            #expect(try await workspace.outputEMS(arguments).output == expected, "\(arguments)")
        }
        let csv = try await workspace.output("event", "list", "-o", "csv", "--columns", "title", "--no-header")
        #expect(csv == "E1\nE2\nE3\n")
        #expect(try await workspace.output("-o", "csv", "--columns", "title", "--no-header", "event", "list") == csv)
        let elsewhere = workspace.path("elsewhere")
        #expect(try await workspace.output("--data-dir", elsewhere, "event", "list", "-o", "id").isEmpty)
        #expect(try await workspace.output("event", "list", "-o", "id", "--data-dir", elsewhere).isEmpty)
    }

    @Test("A reader that goes away is no error, and there is no word about it")
    func closedPipe() async throws {
        let workspace = try Workspace()
        try await workspace.output("event", "import", "-", input: (0..<2000).map { Workspace.eventLine("E\($0)") }.joined())
        for form in ["jsonl", "json", "table", "csv", "yaml"] {
            let result = try await workspace.bash("set -o pipefail; ems event list --all -o \(form) | head -1")
            #expect(result.status == 0, "\(form)")
            #expect(result.outputLines.count == 1, "\(form)")
            #expect(result.errors.isEmpty, "\(form): \(result.errors)")
        }
        let help = try await workspace.bash("set -o pipefail; ems event create --help | true")
        #expect(help.status == 0)
        #expect(help.errors.isEmpty)
    }

    @Test(
        "An output that cannot be written is 74, with one line about it",
        arguments: [
            "event list --all -o jsonl", "event list -o json", "user list -o csv", "config list", "--help", "--version",
            "event create --help",
            "event export", "token keys",
        ])
    func fullOutput(command: String) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.output("event", "import", "-", input: (0..<500).map { Workspace.eventLine("E\($0)") }.joined())
        let result = try await workspace.bash("ems \(command) > /dev/full")
        #expect(result.status == 74)
        #expect(result.errors.contains("No space left on device"))
        #expect(result.errorLines.filter { $0.hasPrefix("ems: ") }.count == 1)
        #expect(result.errorLines.allSatisfy { $0.hasPrefix("ems: ") || $0.hasPrefix("(") }, "\(result.errors)")
    }

    @Test("An output that is closed from the start is told, not passed over")
    func closedOutput() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let result = try await workspace.bash("ems user list >&-")
        #expect(result.status == 74)
        #expect(result.errorLines.count == 1)
    }

    @Test("Control characters of the data do not reach a terminal through a table or an error")
    func controlCharacters() async throws {
        let workspace = try Workspace()
        let title = #"{"title":"x\u001b]0;owned\u0007","start_time":"2090-01-01","end_time":"2090-01-02"}"# + "\n"
        try await workspace.ems("event", "import", "-", input: title).expectFailure(65)
        // A description may have several lines, the only field that may.
        let description = #"{"title":"x","description":"one\ntwo\tthree","start_time":"2090-01-01","end_time":"2090-01-02"}"# + "\n"
        try await workspace.output("event", "import", "-", input: description)
        let table = try await workspace.output("event", "list", "--columns", "title,description")
        #expect(table.split(separator: "\n").count == 2)
        #expect(!table.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        for name in ["\u{1B}[2J", "a\u{9B}31m", "\u{202E}nimda"] {
            for command in [
                ["user", "show", name], ["event", "list", "--created-by", name], ["event", name], ["event", "list", "--\(name)"],
            ] {
                let result = try await workspace.runEMS(command)
                #expect(result.status == 64 || result.status == 66)
                #expect(!result.errors.unicodeScalars.contains { "\u{1B}\u{9B}\u{202E}".unicodeScalars.contains($0) }, "\(command)")
            }
        }
    }

    @Test(
        "Without a terminal nothing is asked: 64 at once, whatever stdin would answer",
        arguments: [
            ["user", "create", "eve", "--email", "eve@example.com"], ["user", "password", "ada"], ["user", "delete", "ada"],
            ["notify", "purge", "--older-than", "1d"],
        ])
    func noPrompts(arguments: [String]) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        for answer in ["", "y\ny\n", "Example123!\nExample123!\n"] {
            try await workspace.runEMS(arguments, input: answer).expectFailure(64)
        }
        #expect(try await workspace.ems("user", "list", "-o", "id").outputLines.count == 1)
    }

    @Test("Nothing is coloured where there is no terminal")
    func noColours() async throws {
        let workspace = try Workspace(["TERM": "xterm-256color", "COLORTERM": "truecolor"])
        try await workspace.makeUser("ada")
        for command in [["user", "list"], ["user", "show", "ada"], ["user", "show", "nobody"], ["--help"]] {
            let result = try await workspace.runEMS(command)
            #expect(!result.output.contains("\u{1B}"))
            #expect(!result.errors.contains("\u{1B}"))
        }
    }

    /// The names that a help lists under its subcommands.
    private static func subcommands(_ help: String) -> [String] {
        guard let list = help.range(of: "SUBCOMMANDS:\n") else { return [] }
        return help[list.upperBound...].split(separator: "\n").compactMap { line in
            guard line.hasPrefix("  "), !line.hasPrefix("   "), !line.hasPrefix("  See ") else { return nil }
            return line.split(separator: " ").first.map(String.init)
        }
    }
}
