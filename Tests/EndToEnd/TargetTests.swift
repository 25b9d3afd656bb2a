import EMSCore
import Foundation
import Testing

/// Which store a command works on.
@Suite(.gated)
struct TargetTests {
    private static let unreachable = [
        "MONGODB_URL": "mongodb://127.0.0.1:1/", "RABBITMQ_URL": "amqp://127.0.0.1:1/", "SECRET_KEY": String(repeating: "k", count: 32),
    ]

    @Test("A flag and a requested profile beat an exported MONGODB_URL")
    func flagsFirst() async throws {
        let workspace = try Workspace(Self.unreachable)
        try await workspace.output("event", "list", "--data-dir", workspace.path("flag"))
        #expect(FileManager.default.fileExists(atPath: workspace.path("flag/ems.db")))
        let file = try workspace.file("config.yaml", "profiles:\n  local:\n    data_dir: \(workspace.path("profile"))\n")
        try await workspace.output("event", "list", "--config", file, "--profile", "local")
        #expect(FileManager.default.fileExists(atPath: workspace.path("profile/ems.db")))
    }

    @Test("The database is the one that the URL names; another db_name contradicts it")
    func databaseName() async throws {
        let workspace = try Workspace(Self.unreachable.merging(["MONGODB_URL": "mongodb://127.0.0.1:1/conference"]) { $1 })
        let contradiction = try await workspace.ems("config", "check", environment: ["DB_NAME": "other"])
        contradiction.expectFailure(78, saying: "conference", "other")
    }

    @Test(
        "Without HOME the user database tells where the store lies; without that either, nothing is made and the message says what to set")
    func noHome() async throws {
        let workspace = try Workspace()
        // As a unit of systemd or a bare scheduler begins a command.
        let bare = ["-i", "-C", workspace.directory.path]
        let home = try #require(getpwuid(geteuid()).map { String(cString: $0.pointee.pw_dir) })
        let shown = try await workspace.run("/usr/bin/env", bare + [EMSBinary.path, "doctor"])
        #expect(shown.output.contains("\(home)/.local/share/ems"), "\(shown.output)\(shown.errors)")

        for variables in [["HOME=/"], ["HOME=/", "XDG_DATA_HOME=relative"]] {
            let result = try await workspace.run("/usr/bin/env", bare + variables + [EMSBinary.path, "event", "list"])
            result.expectFailure(78, saying: "set HOME", "--data-dir")
            #expect(result.output.isEmpty)
        }
        #expect(!FileManager.default.fileExists(atPath: "/.local") && !FileManager.default.fileExists(atPath: "/ems.db"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.directory.path).filter { $0.hasPrefix(".") } == [])
    }

    @Test("A store is not copied onto itself, nor from what is not a file")
    func copySource() async throws {
        let workspace = try Workspace()
        try await workspace.makeEvent("One")
        let link = workspace.path("link.db")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: workspace.databasePath)
        for source in [workspace.databasePath, link] {
            try await workspace.ems("store", "copy", "--from", source, "--to", workspace.databasePath).expectFailure(
                64, saying: "same store")
        }
        let pipe = workspace.path("pipe.db")
        try #require(mkfifo(pipe, 0o600) == 0)
        for source in [pipe, "/dev/null"] {
            let result = try await workspace.ems("store", "copy", "--from", source, "--to", workspace.path("copy.db"))
            result.expectFailure(65, saying: source, "not a regular file")
        }
    }

    @Test("A copy that is killed leaves nothing of the source behind", arguments: [SIGTERM, SIGKILL])
    func killedCopy(signal: Int32) async throws {
        let workspace = try Workspace()
        try FileManager.default.createDirectory(atPath: workspace.path("tmp"), withIntermediateDirectories: false)
        let lines = (0..<3000).map {
            "{\"title\": \"Event \($0)\", \"start_time\": \"2040-01-01T09:00:00Z\", \"end_time\": \"2040-01-01T10:00:00Z\"}"
        }
        try await workspace.output("event", "import", "-", input: lines.joined(separator: "\n"))
        let process = try ChildProcess(
            EMSBinary.path, ["store", "copy", "--from", workspace.databasePath, "--to", workspace.path("copy.db")],
            environment: workspace.environment.merging(["TMPDIR": workspace.path("tmp")]) { $1 }, directory: workspace.directory.path)
        try await eventually("the copy has begun") {
            FileManager.default.fileExists(atPath: workspace.path("copy.db")) || !process.running()
        }
        process.signal(signal)
        _ = try await process.wait()
        #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.path("tmp")) == [])
    }
}
