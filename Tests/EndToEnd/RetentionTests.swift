import EMSCore
import Foundation
import Testing

/// How long the journal is kept.
@Suite(.gated)
struct RetentionTests {
    private static let create = ["event", "create", "--start", "2099-03-01T10:00Z", "--end", "2099-03-01T11:00Z", "--location", "Hall"]

    /// - Returns: the event's id.
    private static func create(_ workspace: Workspace, _ title: String, at offset: String) async throws -> String {
        let created = try await workspace.runEMS(create + ["--title", title, "-o", "json"], environment: FakeClock.environment(at: offset))
        #expect(created.status == 0, "\(created.errors)")
        return try #require(try created.jsonDocument()["event_id"]?.string)
    }

    @Test("Older entries are removed, the current state is recorded again, and a replay from before names the new beginning")
    func purging() async throws {
        let workspace = try Workspace()
        let ids = [try await Self.create(workspace, "Old", at: "-40d"), try await Self.create(workspace, "Older", at: "-50d")]
        let gone = try await Self.create(workspace, "Gone", at: "-40d")
        try await workspace.ems("event", "delete", gone, "--yes", environment: FakeClock.environment(at: "-39d")).expectDone()
        try await workspace.makeEvent("New")
        let options = ["audit", "purge", "--older-than", "30d"]
        let rehearsal = try await workspace.runEMS(options + ["--dry-run"])
        #expect(rehearsal.status == 0 && rehearsal.errors == "would remove 4\n", "\(rehearsal.errors)")
        try await workspace.runEMS(options).expectFailure(64, saying: "--yes")
        let done = try await workspace.runEMS(options + ["--yes", "--json-summary"])
        #expect(try done.jsonDocument()["removed"] == 4, "\(done.output) \(done.errors)")
        let report = try await workspace.outputEMS(["audit", "verify", "-o", "json"]).jsonDocument()
        #expect(report["is_valid"] == true && report["entries"] == 4)
        let trail = try await workspace.outputEMS(["audit", "list", "-o", "json"]).jsonDocument().elements
        #expect(trail.map { $0["action"]?.string } == ["purged", "recorded", "recorded", "created"])
        #expect(trail.compactMap { $0["position"]?.integer } == [8, 7, 6, 5])
        for id in ids { #expect(try await workspace.output("event", "history", id).contains("recorded")) }
        #expect(try await workspace.output("event", "show", ids[0], "--version", "1").contains("Old"))
        try await workspace.ems("event", "history", gone).expectFailure(66, saying: gone)
        for command in [["broker", "replay", "inbox", "--from", "4"], ["audit", "show", "4"]] {
            try await workspace.runEMS(command).expectFailure(66, saying: "position 4 not found", "begins with position 5", "were removed")
        }
        #expect(try await workspace.ems("broker", "replay", "inbox", "--from", "5").status == 0)
        // What was deleted long ago may not be hidden: the cut itself is checked as well.
        try await workspace.sqlite("DELETE FROM journal WHERE position = 5")
        try await workspace.ems("audit", "verify", "-o", "id").expectDifference(at: 5)
    }

    @Test("A journal that was altered is not cut, and what a dead letter or a consumer needs stays, which is said")
    func refusing() async throws {
        let workspace = try Workspace()
        for title in ["A", "B", "C"] { _ = try await Self.create(workspace, title, at: "-40d") }
        try await workspace.sqlite("UPDATE consumers SET position = 1")
        let purge = ["audit", "purge", "--older-than", "30d", "--yes"]
        let kept = try await workspace.runEMS(purge)
        #expect(kept.status == 0 && kept.errors.contains("kept from position 2"), "\(kept.errors)")
        try await workspace.ems("broker", "flush").expectDone()
        try await workspace.sqlite("UPDATE journal SET entry = replace(entry, 'Hall', 'Shed') WHERE position = 3")
        try await workspace.runEMS(purge).expectFailure(65, saying: "the entry 3", "no entry was removed")
        #expect(try await workspace.ems("audit", "list", "--until", "2d", "-o", "id").outputLines.count == 2)
        // Nor is it where the state was altered: the cut would take the evidence away.
        try await workspace.sqlite("UPDATE journal SET entry = replace(entry, 'Shed', 'Hall') WHERE position = 3")
        try await workspace.sqlite("UPDATE events SET title = 'D' WHERE title = 'C'")
        try await workspace.runEMS(purge).expectFailure(65, saying: "is not what its last entry says", "no entry was removed")
        try await workspace.sqlite("DELETE FROM events WHERE title = 'D'")
        try await workspace.runEMS(purge).expectFailure(65, saying: "is gone", "no entry was removed")
        try await workspace.runEMS(["audit", "purge", "--older-than", "1h", "--yes"]).expectFailure(64, saying: "a day")
    }

    @Test(
        "A purge that is killed between two steps leaves a sound journal, and the next one finishes it",
        arguments: [
            "between-checkpoint-and-cut", "between-cuts",
        ])
    func killed(_ point: String) async throws {
        let workspace = try Workspace()
        for title in ["A", "B"] { _ = try await Self.create(workspace, title, at: "-40d") }
        let purge = ["audit", "purge", "--older-than", "30d", "--yes"]
        let killed = try await workspace.runEMS(purge, environment: ["EMS_FAULT_POINT": point])
        #expect(killed.wasKilled)
        #expect(try await workspace.ems("audit", "verify", "-o", "id").status == 0)
        #expect(try await workspace.runEMS(purge).status == 0)
        #expect(try await workspace.output("audit", "list", "-o", "id").split(separator: "\n") == ["5", "4", "3"])
        #expect(try await workspace.ems("audit", "verify", "-o", "id").status == 0)
    }

    @Test("A daemon cuts off what journal_keep lets go, once a day", arguments: ["30d", "4w"])
    func daemon(_ keep: String) async throws {
        let workspace = try Workspace(["EMS_JOURNAL_KEEP": keep])
        _ = try await Self.create(workspace, "Old", at: "-40d")
        try await workspace.makeEvent("New")
        let daemon = try await TestDaemon(workspace)
        try await eventually("the journal is cut", within: .seconds(20)) {
            try await workspace.output("audit", "list", "-o", "id").split(separator: "\n") == ["4", "3", "2"]
        }
        _ = daemon
        for wrong in ["30", "soon", "1h", "-1d", "99999999w"] {
            try await workspace.ems("event", "list", environment: ["EMS_JOURNAL_KEEP": wrong]).expectFailure(
                78, saying: "journal_keep", "400d")
        }
    }
}

extension CommandResult {
    fileprivate func expectDifference(at position: Int) {
        #expect(status == 1 && errors.contains("position \(position)"), "\(errors)")
    }
}
