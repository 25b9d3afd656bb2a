import Foundation

/// A running `ems serve`.
final class TestDaemon: Sendable {
    private let process: ChildProcess
    /// Held, so that the place is not given up while the daemon runs.
    private let workspace: Workspace
    private let log: URL
    let port: Int

    /// Starts a daemon and waits until it listens.
    /// - Parameters:
    ///   - arguments: besides `serve` and the port.
    ///   - port: 0 lets the system choose.
    ///   - limits: what a shell does before it becomes the daemon, such as `ulimit -n 64`.
    init(
        _ workspace: Workspace, _ arguments: [String] = [], port: Int = 0, environment: [String: String] = [:], limits: String = ":"
    ) async throws {
        self.workspace = workspace
        log = workspace.directory.appendingPathComponent("daemon-\(UUID().uuidString).log")
        try Data().write(to: log)
        process = try ChildProcess(
            "/bin/sh", ["-c", limits + "; exec \"$0\" \"$@\"", EMSBinary.path, "serve", "--port", String(port)] + arguments,
            environment: workspace.environment.merging(environment) { $1 }, directory: workspace.directory.path, errors: log.path)
        self.port = try await Self.portWhenListening(process, log)
    }

    deinit {
        process.end()
    }

    var pid: Int32 { process.pid }
    var url: String { "http://127.0.0.1:\(port)" }
    var logText: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    func signal(_ signal: Int32) { process.signal(signal) }

    /// Waits for the end.
    /// - Returns: the exit status, or the signal's number where one ended it.
    @discardableResult
    func ended(within limit: Duration = .seconds(60)) async throws -> Int32 {
        try await eventually("the daemon ends", within: limit) { !process.running() }
        switch try await process.wait() {
        case .exited(let status): return status
        case .killed(let signal): return signal
        }
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

    /// The port that a daemon says it listens on.
    static func port(in log: String) -> Int? {
        log.firstMatch(of: /serving .* on https?:\/\/[^ ]*:([0-9]+)\n/).flatMap { Int($0.1) }
    }

    private static func portWhenListening(_ process: ChildProcess, _ log: URL) async throws -> Int {
        var port: Int?
        try await eventually("the daemon listens") {
            let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
            port = Self.port(in: text)
            if port == nil, !process.running() { throw TimedOut(description: "the daemon ended: \(text)") }
            return port != nil
        }
        return port ?? 0
    }
}
