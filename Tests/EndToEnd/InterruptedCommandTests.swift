import Foundation
import Testing

/// Ctrl-C, in the middle of what takes long.
@Suite(.gated)
struct InterruptedCommandTests {
    @Test("An export whose reader has stopped reading ends at once")
    func export() async throws {
        let workspace = try Workspace()
        let lines = (0..<2000).map { Workspace.eventLine("E\($0)") }.joined()
        try await workspace.output("event", "import", "-", input: lines)
        let pipe = workspace.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        let reader = open(pipe, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let process = try ChildProcess(
            "/bin/sh", ["-c", "exec \"$0\" audit export > pipe", EMSBinary.path], environment: workspace.environment,
            directory: workspace.directory.path, errors: workspace.file("errors", ""))
        // A pipe holds 64 KiB: the export fills it, and waits.
        try await eventually("the pipe is full") {
            var waiting: Int32 = 0
            return ioctl(reader, UInt(FIONREAD), &waiting) == 0 && waiting > 60_000
        }
        process.signal(SIGINT)
        #expect(try await process.wait() == .killed(SIGINT))
        #expect(try String(contentsOfFile: workspace.path("errors"), encoding: .utf8).isEmpty)
    }

    @Test("A flush that is interrupted on the way to many inboxes loses nothing: the next one finishes it")
    func flush() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let event = try await workspace.makeEvent("Crowded")
        let crowd = 12_000
        try await workspace.makeCrowd(crowd, subscribedTo: event)
        for title in ["One", "Two"] { try await workspace.output("event", "update", event, "--title", title) }
        func delivered() async throws -> String {
            let query = "SELECT count(*) FROM inbox_entries"
            return try await workspace.run("/usr/bin/sqlite3", ["-cmd", ".timeout 60000", workspace.databasePath, query]).output
        }
        let before = try await delivered()
        let process = try ChildProcess(
            EMSBinary.path, ["broker", "flush"], environment: workspace.environment, directory: workspace.directory.path)
        try await eventually("the flush is under way, or done") {
            if !process.running() { return true }
            return try await delivered() != before
        }
        process.signal(SIGINT)
        #expect([.killed(SIGINT), .exited(130), .exited(0)].contains(try await process.wait()))
        for number in [1, crowd] { #expect(try await workspace.inboxIDs(of: "user\(number)").count == 2, "user \(number)") }
        try await workspace.ems("broker", "flush").expectDone()
        try await workspace.sqlite(
            "SELECT CASE count(*) WHEN 2 * \(crowd) THEN 0 ELSE json('not two each') END FROM inbox_entries WHERE user_id LIKE '00000%'")
        for number in [1, crowd] { #expect(try await workspace.inboxIDs(of: "user\(number)").count == 2, "user \(number)") }
    }
}
