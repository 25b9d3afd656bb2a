import Foundation
import NIOConcurrencyHelpers

/// A temporary place for one test: its own data directory and environment, removed at the end.
final class Workspace: Sendable {
    let directory: URL
    let environment: [String: String]

    private let atEnd = NIOLockedValueBox<@Sendable () -> Void>({})

    /// - Parameter environment: laid over a bare environment with cheap password hashing and no log-in limit.
    init(_ environment: [String: String] = [:]) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("ems-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let basics = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
            "HOME": directory.path,
            "EMS_DATA_DIR": directory.appendingPathComponent("data").path,
            "BCRYPT_SALT_ROUNDS": "4",
            "RATE_LIMIT_ENABLED": "false",
            // libmongoc keeps counters in shared memory, where a killed process would leave them.
            "MONGOC_DISABLE_SHM": "1",
        ]
        self.environment = basics.merging(environment) { $1 }
    }

    deinit {
        try? FileManager.default.removeItem(at: directory)
        atEnd.withLockedValue { $0 }()
    }

    /// Sets what is called when nobody needs the place any more, no daemon either.
    func whenDone(_ body: @escaping @Sendable () -> Void) {
        atEnd.withLockedValue { $0 = body }
    }

    var dataDirectory: String { environment["EMS_DATA_DIR"] ?? directory.path }
    var databasePath: String { dataDirectory + "/ems.db" }

    /// The path of a file in the workspace.
    func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    /// Writes a file into the workspace.
    /// - Returns: its path.
    func file(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: directory.appendingPathComponent(name))
        return path(name)
    }

    /// Runs `ems` to its end.
    func ems(_ arguments: String..., input: String = "", environment extra: [String: String] = [:]) async throws -> CommandResult {
        try await run(EMSBinary.path, arguments, input: input, environment: extra)
    }

    /// Runs `ems` and expects success.
    /// - Returns: what it printed.
    @discardableResult
    func output(_ arguments: String..., input: String = "") async throws -> String {
        let result = try await run(EMSBinary.path, arguments, input: input)
        guard result.status == 0 else { throw CommandFailed(arguments: arguments, result: result) }
        return result.output
    }

    /// Changes the embedded store behind our back.
    func sqlite(_ statement: String) async throws {
        let result = try await run("/usr/bin/sqlite3", ["-cmd", ".timeout 60000", databasePath, statement], input: "")
        guard result.status == 0 else { throw CommandFailed(arguments: [statement], result: result) }
    }

    /// Runs a line of shell, in which `ems` is the binary under test.
    func shell(_ line: String) async throws -> CommandResult {
        let path = URL(fileURLWithPath: EMSBinary.path).deletingLastPathComponent().path
        return try await run("/bin/sh", ["-c", "PATH=\"\(path):$PATH\"; " + line], input: "")
    }

    func run(
        _ executable: String, _ arguments: [String], input: String = "", environment extra: [String: String] = [:]
    ) async throws -> CommandResult {
        let name = UUID().uuidString
        // Files instead of pipes: nothing can block on a buffer that nobody empties.
        let process = try ChildProcess(
            executable, arguments, environment: environment.merging(extra) { $1 }, directory: directory.path,
            input: try file("\(name).in", input), output: try file("\(name).out", ""), errors: try file("\(name).err", ""))
        let ending = try await process.wait()
        defer {
            for suffix in ["in", "out", "err"] { try? FileManager.default.removeItem(atPath: path("\(name).\(suffix)")) }
        }
        let (output, errors) = (try text("\(name).out"), try text("\(name).err"))
        switch ending {
        case .exited(let status): return CommandResult(status: status, wasKilled: false, output: output, errors: errors)
        case .killed(let signal): return CommandResult(status: signal, wasKilled: true, output: output, errors: errors)
        }
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: directory.appendingPathComponent(name)), as: UTF8.self)
    }
}

struct CommandResult: Sendable {
    /// The exit status, or the signal's number where one ended it.
    let status: Int32
    let wasKilled: Bool
    let output: String
    let errors: String
}

struct CommandFailed: Error, CustomStringConvertible {
    let arguments: [String]
    let result: CommandResult

    var description: String { "ems \(arguments.joined(separator: " ")) ended with \(result.status): \(result.errors)" }
}

/// The binary under test: the one built beside the tests.
enum EMSBinary {
    static let path: String = {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent("ems").path
    }()
}

struct TimedOut: Error, CustomStringConvertible {
    let description: String
}

/// Waits until something becomes true, looking often.
func eventually(
    _ what: String, within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TimedOut(description: "not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
