import Foundation
import Testing

/// The manual pages and completions that are checked in are those the commands make.
@Suite(.gated)
struct GeneratedFilesTests {
    /// The package's directory.
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test("The manual pages and completions are up to date", arguments: ["man", "completions"])
    func upToDate(folder: String) async throws {
        let workspace = try Workspace()
        try await workspace.ems("generate", workspace.path("made")).expectDone()
        let made = try Self.files(URL(fileURLWithPath: workspace.path("made")).appendingPathComponent(folder))
        let kept = try Self.files(Self.root.appendingPathComponent(folder))
        #expect(!made.isEmpty)
        for (name, text) in made.sorted(by: { $0.key < $1.key }) {
            let current = kept[name]
            #expect(current != nil, "\(folder)/\(name) is missing: run make docs")
            #expect(current == nil || current == text, "\(folder)/\(name) is stale: run make docs")
        }
        for name in kept.keys.sorted() {
            #expect(made[name] != nil, "\(folder)/\(name) belongs to no command: remove it, or run make docs")
        }
    }

    @Test("There is a manual page for every command, and one for the exit statuses")
    func pages() async throws {
        let workspace = try Workspace()
        try await workspace.ems("generate", workspace.path("made")).expectDone()
        let made = try Self.files(URL(fileURLWithPath: workspace.path("made/man")))
        for name in ["ems", "ems-event", "ems-event-create", "ems-notify-read-all", "ems-token-issue", "ems-config-check", "ems-serve"] {
            #expect(made["\(name).1"] != nil, "\(name).1 is missing")
        }
        let statuses = String(decoding: try #require(made["ems-exit-codes.7"]), as: UTF8.self)
        for status in [1, 3, 64, 65, 66, 69, 70, 73, 75, 77, 78, 130] {
            #expect(statuses.contains(".It \(status)\n"), "\(status) is not explained")
        }
        #expect(made["ems-generate.1"] == nil)
    }

    @Test("mandoc finds no error in the manual pages", .enabled(if: InstalledTool.exists("mandoc"), "mandoc is not installed"))
    func lint() async throws {
        let workspace = try Workspace()
        try await workspace.ems("generate", workspace.path("made")).expectDone()
        let directory = URL(fileURLWithPath: workspace.path("made/man"))
        let pages = try Self.files(directory).keys.sorted().map { directory.appendingPathComponent($0).path }
        let result = try await workspace.run("/usr/bin/env", ["mandoc", "-Tlint", "-Werror"] + pages)
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    @Test("The shells can read their completions", arguments: [["bash", "ems.bash"], ["zsh", "_ems"], ["fish", "ems.fish"]])
    func completions(shell: [String]) async throws {
        guard InstalledTool.exists(shell[0]) else { return }
        let workspace = try Workspace()
        try await workspace.ems("generate", workspace.path("made")).expectDone()
        let result = try await workspace.run("/usr/bin/env", [shell[0], "-n", workspace.path("made/completions/" + shell[1])])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.isEmpty)
    }

    /// The files of a folder by name; none where there is no folder.
    private static func files(_ folder: URL) throws -> [String: Data] {
        guard FileManager.default.fileExists(atPath: folder.path) else { return [:] }
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            files[name] = try Data(contentsOf: folder.appendingPathComponent(name))
        }
        return files
    }
}
