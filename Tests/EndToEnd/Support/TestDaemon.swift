import Foundation

/// A running `ems serve`.
final class TestDaemon: @unchecked Sendable {
    // Sendable because the process is only started in init, and signalled by its pid afterwards.
    private let process: Process
    private let log: URL
    let port: Int

    /// Starts a daemon and waits until it listens.
    /// - Parameters:
    ///   - arguments: besides `serve` and the port.
    ///   - port: 0 lets the system choose.
    init(_ workspace: Workspace, _ arguments: [String] = [], port: Int = 0, environment: [String: String] = [:]) async throws {
        log = workspace.directory.appendingPathComponent("daemon-\(UUID().uuidString).log")
        try Data().write(to: log)
        process = Process()
        process.executableURL = URL(fileURLWithPath: EMSBinary.path)
        process.arguments = ["serve", "--port", String(port)] + arguments
        process.environment = workspace.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
        let (process, log) = (process, log)
        do {
            self.port = try await Self.portWhenListening(process, log)
        } catch {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            throw error
        }
    }

    deinit {
        if process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }

    var pid: Int32 { process.processIdentifier }
    var url: String { "http://127.0.0.1:\(port)" }
    var logText: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    func signal(_ signal: Int32) {
        if process.isRunning { kill(process.processIdentifier, signal) }
    }

    /// Waits for the end.
    /// - Returns: the exit status, or the signal's number where one ended it.
    @discardableResult
    func ended(within limit: Duration = .seconds(20)) async throws -> Int32 {
        try await eventually("the daemon ends", within: limit) { !process.isRunning }
        return process.terminationStatus
    }

    /// Kills it without warning, as a crash would.
    func crash() async throws {
        signal(SIGKILL)
        try await ended()
    }

    /// Asks it to end, as an operator would.
    @discardableResult
    func stop() async throws -> Int32 {
        signal(SIGTERM)
        return try await ended()
    }

    private static func portWhenListening(_ process: Process, _ log: URL) async throws -> Int {
        var port: Int?
        try await eventually("the daemon listens") {
            let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
            if let match = text.firstMatch(of: /serving .* on http:\/\/[^ ]*:([0-9]+)\n/) { port = Int(match.1) }
            if port == nil, !process.isRunning { throw TimedOut(description: "the daemon ended: \(text)") }
            return port != nil
        }
        return port ?? 0
    }
}
