import Foundation

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
