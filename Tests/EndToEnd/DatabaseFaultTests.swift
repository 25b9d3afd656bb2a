import EMSCore
import Foundation
import Testing

/// The embedded store when its file or its disk is not what it should be.
@Suite(.gated)
struct DatabaseFaultTests {
    private static let commands = [
        ["event", "list"], ["event", "create", "--title", "x", "--start", "2090-01-01", "--end", "2090-01-02"], ["user", "list"],
        ["config", "check"],
        ["serve", "--port", "0"],
    ]

    @Test("A file that is no database is told as such, and left as it is: 65", arguments: [5, 100, 600, 5000])
    func noDatabase(size: Int) async throws {
        let workspace = try Workspace()
        try Self.write(Data(repeating: UInt8(ascii: "x"), count: size), in: workspace)
        try await Self.expectRefused(workspace, 65)
    }

    @Test("A database that was cut off is told as damaged, and left as it is: 65")
    func truncated() async throws {
        let workspace = try await Self.populated()
        let whole = try Self.database(workspace)
        try Self.write(whole.prefix(whole.count / 2 / 4096 * 4096 + 17), in: workspace)
        try await Self.expectRefused(workspace, 65)
    }

    @Test("A database whose pages were overwritten is told as damaged, and left as it is: 65")
    func overwritten() async throws {
        let workspace = try await Self.populated()
        var bytes = try Self.database(workspace)
        bytes.replaceSubrange(4096..<bytes.count, with: Data(repeating: 0xA5, count: bytes.count - 4096))
        try Self.write(bytes, in: workspace)
        try await Self.expectRefused(workspace, 65)
    }

    @Test("A database whose first page was overwritten is told as damaged, and left as it is: 65", arguments: [0, 100])
    func overwrittenHeader(offset: Int) async throws {
        let workspace = try await Self.populated()
        var bytes = try Self.database(workspace)
        bytes.replaceSubrange(offset..<4096, with: Data(repeating: 0xA5, count: 4096 - offset))
        try Self.write(bytes, in: workspace)
        try await Self.expectRefused(workspace, 65)
    }

    @Test("A database of a newer version is told as such, and left as it is: 78")
    func newer() async throws {
        let workspace = try await Self.populated()
        var bytes = try Self.database(workspace)
        // PRAGMA user_version: four bytes, the highest first.
        bytes.replaceSubrange(60..<64, with: Data([0, 0, 0, 99]))
        try Self.write(bytes, in: workspace)
        try await Self.expectRefused(workspace, 78, saying: "99")
    }

    @Test("A database of another program is told as such, and left as it is: 65", arguments: [[0, 0, 0, 0], [1, 2, 3, 4]] as [[UInt8]])
    func foreign(applicationID: [UInt8]) async throws {
        let workspace = try await Self.populated()
        var bytes = try Self.database(workspace)
        bytes.replaceSubrange(68..<72, with: Data(applicationID))
        try Self.write(bytes, in: workspace)
        try await Self.expectRefused(workspace, 65, saying: "another program")
    }

    @Test("An empty file becomes a database; a directory in its place is 77")
    func emptyFileOrDirectory() async throws {
        let workspace = try Workspace()
        try Self.write(Data(), in: workspace)
        try await workspace.makeEvent("One")
        let other = try Workspace()
        try FileManager.default.createDirectory(atPath: other.databasePath, withIntermediateDirectories: true)
        try await other.ems("event", "list").expectFailure(77, saying: other.databasePath)
    }

    @Test("A command leaves one file behind, with everything in it")
    func oneFile() async throws {
        let workspace = try await Self.populated()
        let files = try FileManager.default.contentsOfDirectory(atPath: workspace.dataDirectory).filter { $0.hasPrefix("ems.db") }
        #expect(files == ["ems.db"])
        let copy = try Workspace()
        try Self.write(try Self.database(workspace), in: copy)
        let events = try await workspace.output("event", "list", "-o", "json")
        #expect(try await copy.output("event", "list", "-o", "json") == events)
    }

    @Test(
        "On a full disk a write is refused with 74; with space made everything reported as created is there, once in the inbox",
        .enabled(if: TinyDisk.isPossible, "a tmpfs cannot be mounted here"))
    func fullDisk() async throws {
        try await TinyDisk.mounted(size: "1100k") { disk in
            let workspace = try Workspace(["EMS_DATA_DIR": disk.path + "/data"])
            try await workspace.makeUser("ada")
            var created: [String] = []
            var refused: CommandResult?
            while refused == nil, created.count < 500 {
                let result = try await Self.createLarge(workspace, created.count)
                if result.status == 0 { created.append(result.output.trimmingNewline) } else { refused = result }
            }
            try #require(refused).expectFailure(74, saying: "full", workspace.databasePath)
            #expect(refused?.errorLines.count == 1)
            #expect(!created.isEmpty)
            try await Self.createLarge(workspace, 1000).expectFailure(74)

            try disk.remount("size=8m")
            created.append(try await workspace.makeEvent("With space again"))
            let listed = try await workspace.ems("event", "list", "--all", "-o", "id").outputLines
            #expect(listed.sorted() == created.sorted())
            let inbox = try await workspace.ems("notify", "list", "--user", "ada", "--all", "-o", "jsonl").jsonLines()
            #expect(inbox.compactMap { $0["event"]?["id"]?.string }.sorted() == created.sorted())
            #expect(try await Self.createLarge(workspace, 1001).status == 0)
        }
    }

    @Test(
        "On a full disk the daemon refuses writes with 507 and goes on; with space made it writes again",
        .enabled(if: TinyDisk.isPossible, "a tmpfs cannot be mounted here"))
    func fullDiskUnderDaemon() async throws {
        try await TinyDisk.mounted(size: "1400k") { disk in
            let workspace = try Workspace(["EMS_DATA_DIR": disk.path + "/data"])
            try await workspace.makeUser("ada")
            let daemon = try await TestDaemon(workspace)
            let client = HTTPClient(port: daemon.port, token: try await workspace.token(of: "ada"))
            let body = Workspace.eventBody(
                "Large", more: ", \"attachment_url\": \"https://example.com/\(String(repeating: "x", count: 1900))\"")
            var created: [String] = []
            var refused: HTTPClient.Answer?
            while refused == nil, created.count < 2000 {
                let answer = try await client.post("/events", body)
                if let id = answer.json["event_id"]?.string, answer.status == 201 { created.append(id) } else { refused = answer }
            }
            #expect(refused?.status == 507)
            #expect(refused?.json["detail"]?.string?.contains("full") == true)
            // What is smaller may still find room.
            var small = 0
            while small < 500, try await client.patch("/auth/me", "{\"full_name\": \"Ada \(small)\"}").status == 200 { small += 1 }
            // Requests without a body write as well.
            #expect(try await client.post("/auth/logout?everywhere=true").status == 507)
            #expect(try await client.get("/healthz").status == 200)
            try await eventually("the daemon says that it is not ready") { try await client.get("/readyz").status == 503 }

            try disk.remount("size=16m")
            try await eventually("a write succeeds again") {
                let answer = try await client.post("/events", body)
                if let id = answer.json["event_id"]?.string, answer.status == 201 { created.append(id) }
                return answer.status == 201
            }
            let listed = try await workspace.ems("event", "list", "--all", "-o", "id").outputLines
            #expect(listed.sorted() == created.sorted())
            try await eventually("all notifications arrive") {
                try await client.get("/notifications/count").json["count"]?.integer == Int64(created.count)
            }
            #expect(Set(try await workspace.inboxIDs(of: "ada")).count == created.count)
            #expect(try await daemon.stop() == 0)
        }
    }

    @Test(
        "A store that cannot be written to is 77, with one line that names it",
        .enabled(if: TinyDisk.isPossible, "a tmpfs cannot be mounted here"))
    func readOnly() async throws {
        try await TinyDisk.mounted(size: "2m") { disk in
            let workspace = try Workspace(["EMS_DATA_DIR": disk.path + "/data"])
            let id = try await workspace.makeEvent("One")
            try disk.remount("ro")
            for command in Self.commands where ["create", "--port"].contains(command[1]) {
                let result = try await Self.limited(workspace, command)
                result.expectFailure(77, saying: workspace.dataDirectory)
                #expect(result.errorLines.count == 1)
            }
            try disk.remount("rw")
            #expect(try await workspace.output("event", "list", "-o", "id") == id + "\n")
        }
    }

    /// A store with some things in it.
    private static func populated() async throws -> Workspace {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.output("event", "import", "-", input: (0..<50).map { Workspace.eventLine("E\($0)") }.joined())
        return workspace
    }

    private static func database(_ workspace: Workspace) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: workspace.databasePath))
    }

    private static func write(_ bytes: Data, in workspace: Workspace) throws {
        try FileManager.default.createDirectory(atPath: workspace.dataDirectory, withIntermediateDirectories: true)
        try bytes.write(to: URL(fileURLWithPath: workspace.databasePath))
    }

    /// Checks that every command refuses the file in one line that names it or says what it is, and does not touch it.
    private static func expectRefused(_ workspace: Workspace, _ status: Int32, saying word: String? = nil) async throws {
        let before = try database(workspace)
        for command in commands {
            let result = try await limited(workspace, command)
            result.expectFailure(status, saying: word ?? workspace.databasePath)
            #expect(result.errorLines.count == 1, "\(result.errors)")
            #expect(try database(workspace) == before, "\(command)")
        }
    }

    /// A daemon that starts although it should not is ended.
    private static func limited(_ workspace: Workspace, _ arguments: [String]) async throws -> CommandResult {
        try await workspace.run("/usr/bin/env", ["timeout", "10", EMSBinary.path] + arguments)
    }

    private static func createLarge(_ workspace: Workspace, _ number: Int) async throws -> CommandResult {
        try await workspace.ems(
            "event", "create", "--title", "Large \(number)", "--description", String(repeating: "x", count: 9000),
            "--start", "2090-01-01", "--end", "2090-01-02", "-o", "id")
    }
}
