import Foundation

/// Programs that a test needs besides ours, and may be missing.
enum InstalledTool {
    /// Whether the program is on the `PATH`.
    static func exists(_ name: String) -> Bool { path(name) != nil }

    static func path(_ name: String) -> String? {
        let directories = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        return directories.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs a program to its end, without reading what it says.
    /// - Returns: whether it succeeded.
    static func run(_ name: String, _ arguments: [String]) -> Bool {
        guard let path = path(name) else { return false }
        guard let process = try? ChildProcess(path, arguments, environment: ["PATH": "/usr/bin:/bin"], directory: "/") else { return false }
        return process.waitHoldingTheThread() == .exited(0)
    }
}
