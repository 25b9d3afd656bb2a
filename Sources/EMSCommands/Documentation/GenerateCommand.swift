import ArgumentParser
import EMSCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Writes the manual pages and completions from the commands themselves: for `make docs`, not for operators.
struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Write the manual pages and completions into man/ and completions/ of a directory.",
        shouldDisplay: false)

    @Argument(help: "The directory.", completion: .directory)
    var directory: String

    func run() async throws {
        for (path, text) in try GeneratedFiles.all() {
            let file = URL(fileURLWithPath: directory).appendingPathComponent(path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }
}

/// The checked-in files that come from the commands.
enum GeneratedFiles {
    /// Path and text of each.
    static func all() throws -> [(path: String, text: String)] {
        var files = try ManualPage.all().map { (path: "man/\($0.name).1", text: $0.text) }
        files += Topic.all.map { (path: "man/\($0.page).\($0.section)", text: $0.mdoc) }
        files.append(("completions/ems.bash", EMS.completionScript(for: .bash)))
        files.append(("completions/_ems", EMS.completionScript(for: .zsh)))
        files.append(("completions/ems.fish", withoutTwins(EMS.completionScript(for: .fish))))
        return files.map { ($0.path, $0.text.hasSuffix("\n") ? $0.text : $0.text + "\n") }
    }

    /// fish's argparse refuses a name that is declared twice: where a command has an option `--version` of its own, the flag of that name,
    /// which every command has, is left out.
    private static func withoutTwins(_ script: String) -> String {
        script.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.contains(" 'version=' ") ? line.replacing(" 'version' ", with: " ") : line[...]
        }.joined(separator: "\n")
    }
}
