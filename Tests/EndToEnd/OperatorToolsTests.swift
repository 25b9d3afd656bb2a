import Foundation
import Testing

/// What programs of others make of the command line: real shells and a terminal, calendar programs, scripts as operators write them. Run
/// on the store of the stage: see `EMS_TEST_STAGE`.
@Suite(.gated, .serialized)
struct OperatorToolsTests {
    private static let isDistributed = ProcessInfo.processInfo.environment["EMS_TEST_STAGE"] == "distributed"

    /// Runs a check that prints TAP, and tells of what failed.
    private func expectAllOK(
        _ program: String, _ arguments: [String], atLeast count: Int, needsDaemon: Bool = false
    ) async throws {
        let workspace = Self.isDistributed ? try await Cluster.reusingDatabases(environment: [:]) : try Workspace()
        // On RabbitMQ, changes become notifications where a daemon consumes them.
        let daemon = needsDaemon && Self.isDistributed ? try await TestDaemon(workspace) : nil
        defer { withExtendedLifetime(daemon) {} }
        let result = try await workspace.run(program, arguments)
        let lines = result.output.split(separator: "\n")
        let failed = lines.enumerated().filter { $0.element.hasPrefix("not ok") || $0.element.hasPrefix("Bail") }
        let told = failed.prefix(5).map { lines[$0.offset..<min($0.offset + 30, lines.count)].joined(separator: "\n") }
        #expect(failed.isEmpty, "\(told.joined(separator: "\n\n"))\n\(result.errors.suffix(2000))")
        #expect(result.status == 0, "\(result.output.suffix(2000))\(result.errors.suffix(2000))")
        #expect(lines.count { $0.hasPrefix("ok ") } >= count)
    }

    @Test("Calendars and tables go to other programs and come from them", .enabled(if: InstalledTool.python != nil))
    func calendars() async throws {
        let python = try #require(InstalledTool.python)
        try await expectAllOK(python, [InstalledTool.directory + "/calendars.py", EMSBinary.path], atLeast: 90)
    }

    @Test("Shells complete, the shell answers, and a terminal is treated as one", .enabled(if: InstalledTool.python != nil))
    func terminal() async throws {
        let python = try #require(InstalledTool.python)
        let completions = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("completions").path
        // What depends on the store; how a terminal is treated does not.
        let cases = Self.isDistributed ? ["completions", "shell"] : []
        try await expectAllOK(
            python, [InstalledTool.directory + "/terminal.py", EMSBinary.path, completions] + cases, atLeast: cases.isEmpty ? 100 : 60,
            needsDaemon: true)
    }

    @Test("Every verb does in a script what operators count on", .enabled(if: InstalledTool.exists("shellcheck")))
    func scripts() async throws {
        let script = InstalledTool.directory + "/operator"
        let workspace = try Workspace()
        let checked = try await workspace.run("/usr/bin/env", ["shellcheck", script])
        #expect(checked.status == 0, "\(checked.output)")
        try await expectAllOK("/usr/bin/env", ["bash", script, EMSBinary.path], atLeast: 100)
    }
}
