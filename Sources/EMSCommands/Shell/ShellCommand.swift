import ArgumentParser
import EMSCore
import EMSRuntime

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

struct ShellCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell",
        abstract: """
            Type commands without ems in front, on one store that stays open: with history, completion of verbs, flags, ids, usernames and \
            tags, and JSON over several lines. Without a terminal, the lines of stdin are run one after the other.
            """,
        discussion: examples(
            "ems shell",
            "ems shell --profile staging",
            "ems shell --stop-on-error < script.ems"))

    @Flag(help: "End at the first command that fails, with its status; for scripts.")
    var stopOnError = false

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        guard KeptRuntime.current == nil else { throw EMSError(.usage, "you are in a shell already") }
        let runtime = try await global.openRuntime()
        let kept = KeptRuntime(runtime, global)
        do {
            try await KeptRuntime.$current.withValue(kept) {
                if Terminal.isInteractive, isatty(STDOUT_FILENO) == 1 { try await interact(runtime) } else { try await script() }
            }
        } catch {
            await runtime.close()
            throw error
        }
        await runtime.close()
    }

    // MARK: At a terminal

    private func interact(_ runtime: Runtime) async throws {
        let settings = runtime.settings
        let completion = try ShellCompletion(runtime)
        let editor = try LineEditor(historyPath: Self.historyPath()) { await completion.candidates($0, $1) }
        defer { editor.close() }
        StandardError.write("ems \(EMS.version) on \(settings.storeName). Tab completes, help explains, \\q leaves.")
        let prompt = Self.prompt(settings)
        while let line = try await nextLine(editor, prompt) {
            guard !line.isEmpty else { continue }
            do {
                guard let (text, isChanged) = try editor.expanded(line) else { continue }
                if isChanged { StandardError.write(Printable.stripped(text)) }
                editor.remember(text)
                if Self.isFarewell(text) { return }
                _ = await run(ShellWords.split(text) ?? [], place: "ems")
            } catch {
                _ = CommandLineMain.report(error)
            }
        }
    }

    /// A command, over as many lines as it has.
    /// - Returns: `nil` at the end; an empty text for a line that was given up.
    private func nextLine(_ editor: LineEditor, _ prompt: String) async throws -> String? {
        var text = ""
        while true {
            switch try await editor.read(text.isEmpty ? prompt : "> ") {
            case .end:
                StandardError.write("")
                return nil
            case .interrupted:
                StandardError.write("^C")
                return ""
            case .text(let line):
                text += (text.isEmpty ? "" : "\n") + line
                if ShellWords.split(text) != nil { return text.allSatisfy(\.isWhitespace) ? "" : text }
            }
        }
    }

    /// The profile and the kind of store; in red where that is production. What takes no room is marked for readline (\001, \002).
    private static func prompt(_ settings: Settings) -> String {
        let text = "ems \(Printable.stripped(settings.profile ?? "default")):\(settings.storeKind)> "
        guard Style.isShown(on: STDERR_FILENO) else { return text }
        let style: Style = settings.isProduction ? .red : .bold
        return "\u{1}\u{1B}[\(style.rawValue)m\u{2}\(text.dropLast())\u{1}\u{1B}[0m\u{2} "
    }

    /// `$XDG_STATE_HOME/ems/history`, its directory for its owner only.
    private static func historyPath() throws -> String {
        guard let place = SystemPlaces.directory("XDG_STATE_HOME", ".local/state", in: ProcessInfo.processInfo.environment) else {
            throw EMSError(.configuration, "HOME is not set, and the user has no home directory", fix: "set XDG_STATE_HOME")
        }
        let directory = place + "/ems"
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw EMSError(.permission, "the directory \(directory) cannot be made", fix: "set XDG_STATE_HOME")
        }
        return directory + "/history"
    }

    // MARK: From a script

    /// The longest command that is read, over all its lines.
    private static let commandLimit = 65_536
    /// How many lines a command may have: each of them reads all of it again.
    private static let lineLimit = 1000

    private func script() async throws {
        let input = try InputFile("-")
        var script = Script()
        var rest: [UInt8] = []
        reading: while let piece = try input.next() {
            rest += piece
            while let end = rest.firstIndex(of: 0x0A) {
                let line = Array(rest[..<end])
                rest.removeFirst(end + 1)
                if try await !take(line, &script) { break reading }
            }
            guard rest.count <= Self.commandLimit else { throw Self.tooLong(script.line + 1) }
        }
        if !rest.isEmpty, !script.hasEnded { _ = try await take(rest, &script) }
        if !script.pending.isEmpty {
            script.failures += 1
            let error = EMSError(.malformed, "the line does not end: a quote or a brace is open")
            let status = CommandLineMain.report(error, place: "stdin:\(script.first)")
            if stopOnError { throw ExitCode(status) }
        }
        let failures = script.failures
        if failures > 0 { throw EMSError(.failed, "\(failures) \(failures == 1 ? "command" : "commands") failed") }
    }

    /// How far a script has come.
    private struct Script {
        var line = 0
        /// A command that goes on in the next line, and where it began.
        var pending = ""
        var first = 0
        var failures = 0
        var hasEnded = false
    }

    /// Runs the command that a line completes.
    /// - Returns: whether the script goes on.
    private func take(_ bytes: [UInt8], _ script: inout Script) async throws -> Bool {
        script.line += 1
        if script.pending.isEmpty { script.first = script.line }
        guard let line = String(validating: bytes, as: UTF8.self) else {
            throw EMSError(.malformed, "line \(script.line): the text is not valid UTF-8", fix: "convert it with iconv")
        }
        let isContinued = !script.pending.isEmpty
        // Nothing but a quote, a brace or a bracket ends what goes on from the line before, unless that ended with a backslash.
        let mayEnd = !isContinued || script.pending.utf8.last == 0x5C || line.utf8.contains { "'\"}]".utf8.contains($0) }
        script.pending += (isContinued ? "\n" : "") + line
        guard script.pending.utf8.count <= Self.commandLimit, script.line - script.first < Self.lineLimit else {
            throw Self.tooLong(script.first)
        }
        guard mayEnd, let words = ShellWords.split(script.pending) else { return true }
        script.pending = ""
        guard !words.isEmpty else { return true }
        if Self.isFarewell(line) {
            script.hasEnded = true
            return false
        }
        let status = await run(words, place: "stdin:\(script.first)")
        if status != 0 {
            script.failures += 1
            if stopOnError || status == ErrorCode.interrupted.exitStatus { throw ExitCode(status) }
        }
        return true
    }

    private static func tooLong(_ line: Int) -> EMSError {
        EMSError(
            .tooLarge, "line \(line): a command has more than \(commandLimit) bytes, or \(lineLimit) lines",
            fix: "is a quote or a brace open? Files are named, as in --file")
    }

    private static func isFarewell(_ line: String) -> Bool { ["\\q", "quit", "exit"].contains(line.filter { !$0.isWhitespace }) }

    // MARK: One command

    /// Runs a command as its own process would, and tells what went wrong. Ctrl-C ends the command only.
    /// - Returns: its exit status.
    private func run(_ words: [String], place: String) async -> Int32 {
        let arguments = words.first == "ems" ? Array(words.dropFirst()) : words
        Style.turnOff(arguments.contains("--no-color") || global.noColor)
        let task = Task {
            if arguments.first == "serve" { throw EMSError(.usage, "a daemon does not run in a shell", fix: "start it beside: ems serve") }
            if try HelpTopics.show(arguments) { return try StandardOutput.finish() }
            var command = try CommandLineMain.parse(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            try StandardOutput.finish()
        }
        let interruption = Interruption(endsProcess: false) { task.cancel() }
        defer { interruption.end() }
        do {
            try await task.value
            return 0
        } catch {
            return CommandLineMain.report(error, place: place)
        }
    }
}

extension Settings {
    var storeKind: String { store == .embedded ? "sqlite" : "mongodb" }
}
