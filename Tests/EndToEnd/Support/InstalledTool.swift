import Foundation
import Testing

/// Programs that a test needs besides ours, and may be missing.
enum InstalledTool {
    /// Whether the program is on the `PATH`.
    static func exists(_ name: String) -> Bool { path(name) != nil }

    static func path(_ name: String) -> String? {
        let directories = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        return directories.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// The Python of `scripts/python-tools`, with the libraries that check us from outside; `nil` where the tests run without it.
    static let python = ProcessInfo.processInfo.environment["EMS_TEST_TOOLS_PYTHON"]
    /// The tests' programs in other languages.
    static let directory: String = {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return here.appendingPathComponent("../../Tools").standardized.path
    }()

    /// Runs a program to its end, without reading what it says.
    /// - Returns: whether it succeeded.
    static func run(_ name: String, _ arguments: [String]) -> Bool {
        guard let path = path(name) else { return false }
        guard let process = try? ChildProcess(path, arguments, environment: ["PATH": "/usr/bin:/bin"], directory: "/") else { return false }
        return process.waitHoldingTheThread() == .exited(0)
    }
}

extension Workspace {
    /// Runs one of the tests' programs in Python, which prints TAP, and expects that every check in it succeeds.
    /// - Parameter count: how many checks there are.
    func expectAllOK(
        _ program: String, _ arguments: [String], count: Int, environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let python = try #require(InstalledTool.python, sourceLocation: sourceLocation)
        let result = try await run(python, ["\(InstalledTool.directory)/\(program)"] + arguments, environment: environment)
        #expect(result.status == 0, "\(result.output)\(result.errors)", sourceLocation: sourceLocation)
        let passed = result.output.split(separator: "\n").count { $0.hasPrefix("ok ") }
        #expect(passed == count, "\(result.output)", sourceLocation: sourceLocation)
    }
}
