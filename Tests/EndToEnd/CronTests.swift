import EMSCore
import Foundation
import Testing

/// What cron runs: done once however often it runs, quiet, and never twice at the same time.
@Suite(.gated)
struct CronTests {
    private static let verbs = [
        ["event", "complete"], ["event", "remind", "--within", "24h"], ["notify", "purge", "--older-than", "90d", "--yes"],
        ["token", "purge"], ["broker", "flush"],
    ]

    @Test("Where there is nothing to do, nothing is said; with --json-summary, that it was nothing", arguments: verbs)
    func quiet(arguments: [String]) async throws {
        let workspace = try Workspace()
        let result = try await workspace.runEMS(arguments)
        #expect(result.status == 0)
        #expect(result.output.isEmpty && result.errors.isEmpty)
        let summary = try await workspace.runEMS(arguments + ["--json-summary", "--lock"])
        #expect(summary.errors.isEmpty)
        let counts = try JSONParser.parse(Array(summary.output.trimmingNewline.utf8))
        #expect(counts["dry_run"] == .bool(false))
        #expect(["completed", "reminded", "removed", "published"].contains { counts[$0] == .integer(0) })
    }

    @Test("A second run at the same time ends with 75, or waits as long as it is told to", arguments: verbs)
    func locked(arguments: [String]) async throws {
        let workspace = try Workspace()
        let name = arguments[0] + "-" + arguments[1]
        try FileManager.default.createDirectory(atPath: workspace.dataDirectory + "/locks", withIntermediateDirectories: true)
        let lock = workspace.dataDirectory + "/locks/\(name).lock"
        let words = (arguments + ["--lock"]).joined(separator: " ")
        let refused = try await workspace.bash("flock '\(lock)' '\(EMSBinary.path)' \(words)")
        #expect(refused.status == 75)
        #expect(refused.errors.hasPrefix("ems: another run of ems \(arguments[0]) \(arguments[1]) goes on"))
        #expect(refused.errors.split(separator: "\n").count == 1)
        let waited = try await workspace.bash(
            "flock '\(lock)' sleep 0.5 & sleep 0.1; ems \(words) --wait 20; status=$?; wait; exit $status")
        #expect(waited.status == 0, "\(waited.errors)")
    }

    @Test("Subscribers are reminded of a beginning once; of one that was moved, again")
    func reminders() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let id = try await workspace.output(
            "event", "create", "--title", "Soon", "--start", "+2h", "--end", "+3h", "-o", "id"
        ).trimmingNewline
        try await workspace.output("event", "create", "--title", "Late", "--start", "+3d", "--end", "+4d")
        try await workspace.output("event", "subscribe", id, "--user", "ada")
        func unread() async throws -> [String] {
            try await workspace.output("notify", "list", "--user", "ada", "-o", "jsonl").split(separator: "\n").filter {
                $0.contains("event.reminder")
            }.map(String.init)
        }
        let dry = try await workspace.ems("event", "remind", "--within", "24h", "--dry-run")
        #expect(dry.errors.contains("'Soon'") && !dry.errors.contains("'Late'"))
        #expect(try await unread().isEmpty)
        for _ in 0..<3 { try await workspace.output("event", "remind", "--within", "24h") }
        #expect(try await unread().count == 1)
        #expect(try await unread()[0].contains("Soon begins at"))
        try await workspace.output("event", "update", id, "--start", "+1h")
        let summary = try await workspace.output("event", "remind", "--within", "24h", "--json-summary")
        #expect(summary.contains("\"reminded\":1"))
        #expect(try await unread().count == 2)
        try await workspace.output("event", "update", id, "--status", "canceled")
        #expect(try await workspace.output("event", "remind", "--within", "24h", "--json-summary").contains("\"reminded\":0"))
    }

    @Test("Sessions that ended long ago are removed, and no other")
    func sessions() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.output("token", "issue", "--user", "ada", "--ttl", "1s")
        try await workspace.output("token", "issue", "--user", "ada")
        try await Task.sleep(for: .milliseconds(2500))
        #expect(try await workspace.ems("token", "purge", "--older-than", "1s", "--dry-run").errors == "would remove 1\n")
        #expect(try await workspace.output("token", "purge", "--json-summary").contains("\"removed\":0"))
        #expect(try await workspace.output("token", "purge", "--older-than", "1s", "--json-summary").contains("\"removed\":1"))
        #expect(try await workspace.output("token", "list", "-o", "id").split(separator: "\n").count == 1)
    }

    @Test("A production profile wants its name on the line, and takes no other")
    func production() async throws {
        let workspace = try Workspace()
        let file = try workspace.file("config.yaml", "profiles:\n  live:\n    production: true\n  other: {}\n")
        try await workspace.output("event", "create", "--title", "x", "--start", "+1h", "--end", "+2h", "--config", file)
        let id = try await workspace.output("event", "list", "-o", "id", "--config", file).trimmingNewline
        func delete(_ arguments: String...) async throws -> CommandResult {
            try await workspace.runEMS(["event", "delete", id, "--config", file] + arguments)
        }
        try await delete("--profile", "live").expectFailure(64, saying: "--yes")
        try await delete("--profile", "live", "--confirm-profile", "other").expectFailure(64, saying: "'live'")
        try await delete("--profile", "other", "--confirm-profile", "live").expectFailure(64, saying: "'other'")
        #expect(try await delete("--profile", "live", "--confirm-profile", "live").status == 0)
    }

    @Test("No command pays for a library that it does not use: neither libmongoc nor readline is loaded with the program")
    func lazyLibraries() async throws {
        let workspace = try Workspace()
        let result = try await workspace.run("/usr/bin/env", ["ldd", EMSBinary.path])
        #expect(result.status == 0)
        #expect(!result.output.contains("mongoc") && !result.output.contains("readline"))
    }

    @Test("The doctor's JSON has a version and a result; a failure is the exit status", arguments: [false, true])
    func doctor(isBroken: Bool) async throws {
        let workspace = try Workspace()
        try await workspace.output("store", "migrate")
        if isBroken { try Data("no database".utf8).write(to: URL(fileURLWithPath: workspace.databasePath)) }
        let result = try await workspace.ems("doctor", "-o", "json")
        let diagnosis = try result.jsonDocument()
        #expect(diagnosis["schema_version"] == .integer(1))
        #expect((diagnosis["result"] == .string("failure")) == isBroken)
        #expect(result.status == (isBroken ? 65 : 0))
    }
}
