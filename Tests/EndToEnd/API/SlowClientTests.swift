import Foundation
import Testing

/// Clients that take their time, or all there is; and the end of a daemon that has such clients.
@Suite("Slow and greedy clients")
struct SlowClientTests {
    // It waits for a minute, and needs next to nothing meanwhile: no gate.
    @Test("Over every protocol, who begins and does not go on is cut off", .enabled(if: InstalledTool.python != nil))
    func clocks() async throws {
        let stage = try await SecureStage()
        try await stage.workspace.expectAllOK(
            "slow_clients.py", ["clocks", String(stage.daemon.port), stage.workspace.path("chain.pem")], count: 14)
        #expect(try await stage.curl().status == 0)
    }

    @Test(
        "What nobody reads fills no memory over HTTP/2: beyond the bounds requests are refused, others are answered", .gated,
        .enabled(if: InstalledTool.python != nil))
    func readers() async throws {
        let stage = try await SecureStage()
        try await stage.workspace.makeUser("ada")
        let text = String(repeating: "word ", count: 1990)
        let events = (0..<100).map {
            Workspace.eventBody("Event \($0)").replacingOccurrences(of: "Annual", with: text).replacingOccurrences(of: "\n", with: " ")
        }
        try await stage.workspace.output("event", "import", "-", input: events.joined(separator: "\n"))
        try await stage.workspace.expectAllOK(
            "slow_clients.py",
            [
                "readers", String(stage.daemon.port), stage.workspace.path("chain.pem"), String(stage.daemon.pid),
                "/events?page_size=100",
            ], count: 5, environment: ["TOKEN": try await stage.workspace.token(of: "ada")])
    }

    @Test("With silent clients of every kind, and a log that nobody reads, a signal ends the daemon as documented", .gated)
    func silentAtTheEnd() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let token = try await workspace.token(of: "ada")
        let log = workspace.path("log")
        try #require(mkfifo(log, 0o600) == 0)
        let pipe = open(log, O_RDWR | O_NONBLOCK)
        try #require(pipe >= 0)
        defer { close(pipe) }
        let process = try ChildProcess(
            EMSBinary.path, ["serve", "--port", "0"], environment: workspace.environment, directory: workspace.directory.path, errors: log)
        var text = ""
        try await eventually("the daemon listens") {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(pipe, &buffer, buffer.count)
            if count > 0 { text += String(decoding: buffer.prefix(count), as: UTF8.self) }
            return TestDaemon.port(in: text) != nil
        }
        let port = try #require(TestDaemon.port(in: text))
        let starts = [
            "", "GET /hea", "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ]
        var connections: [RawConnection] = []
        for start in starts {
            let connection = try await RawConnection(port: port)
            try await connection.send(start)
            connections.append(connection)
        }
        let socket = try await RawConnection(port: port)
        try await socket.askForWebSocket(headers: ["Authorization: Bearer \(token)"])
        #expect(try await socket.answer().status == 101)
        // Not a byte more fits into the log.
        let line = [UInt8](repeating: 0x0A, count: 4096)
        while write(pipe, line, line.count) > 0 {}
        while write(pipe, line, 1) > 0 {}
        let begin = ContinuousClock.now
        process.signal(SIGTERM)
        // Ten seconds are documented; it was a minute and more.
        try await eventually("the daemon ends", within: .seconds(45)) { !process.running() }
        #expect(try await process.wait() == .exited(0), "after \(ContinuousClock.now - begin)")
        withExtendedLifetime(connections) {}
    }

    @Test("Where descriptors run out the daemon says so, waits without spinning, and goes on when some are free", .gated)
    func descriptors() async throws {
        let workspace = try Workspace()
        // The soft limit does not count; what the daemon itself has at its start, it reckons with. So the limit comes down later.
        let daemon = try await TestDaemon(workspace, limits: "ulimit -Sn 64")
        let lowered = try await workspace.run("/usr/bin/prlimit", ["--pid", String(daemon.pid), "--nofile=64"])
        try #require(lowered.status == 0, "\(lowered.errors)")
        var connections: [RawConnection] = []
        for _ in 0..<80 { connections.append(try await RawConnection(port: daemon.port)) }
        try await eventually("the daemon says so") { daemon.logText.contains("no further client can be accepted") }
        let before = try usedTicks(daemon.pid)
        try await Task.sleep(for: .seconds(3))
        // Processor time, not time: a core that spins uses 300 of it in three seconds, a busy machine lets it use less.
        #expect(try usedTicks(daemon.pid) - before < 150)
        #expect(daemon.logText.components(separatedBy: "no further client").count == 2)
        for connection in connections { try await connection.close() }
        try await eventually("a client is answered again") {
            try await HTTPClient(port: daemon.port).get("/healthz").status == 200
        }
        #expect(try await daemon.stop() == 0)
    }

    /// The processor time of a process so far, in hundredths of a second (proc_pid_stat(5)).
    private func usedTicks(_ pid: Int32) throws -> Int {
        let fields =
            try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8).split(separator: ")").last?.split(separator: " ") ?? []
        return try #require(Int(fields[11])) + #require(Int(fields[12]))
    }
}
