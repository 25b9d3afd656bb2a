import Foundation
import Testing

/// A disk that fills up at whatever step: so much is left free that the work gets ever further.
@Suite(.gated, .enabled(if: TinyDisk.isPossible, "a tmpfs cannot be mounted here"))
struct FullDiskTests {
    /// In kilobytes.
    private static let rooms = [0, 60, 120, 200, 320, 500]

    @Test("On the way into the inboxes of many: what was accepted reaches each of them once when there is space again")
    func expansion() async throws {
        try await TinyDisk.mounted(size: "24m") { disk in
            let workspace = try Workspace(["EMS_DATA_DIR": disk.path + "/data"])
            try await workspace.makeUser("ada")
            let daemon = try await TestDaemon(workspace)
            let client = HTTPClient(port: daemon.port, token: try await workspace.token(of: "ada"))
            let created = try await client.post("/events", Workspace.eventBody("Crowded"))
            let event = try #require(created.json["event_id"]?.string)
            let crowd = 1500
            try await workspace.makeCrowd(crowd, subscribedTo: event)
            var (accepted, refused, held) = (0, 0, 0)
            for room in Self.rooms {
                // What the log has room for already would not need the disk. It is emptied when nobody reads.
                try await eventually("the log is empty") {
                    try await workspace.sqlite("PRAGMA wal_checkpoint(TRUNCATE)")
                    return try FileManager.default.attributesOfItem(atPath: workspace.databasePath + "-wal")[.size] as? Int == 0
                }
                try disk.fill(leaving: room)
                let answer = try await client.patch("/events/\(event)", "{\"title\": \"With \(room) KiB\"}")
                #expect([200, 507].contains(answer.status), "\(answer.text)")
                if answer.status == 200 { accepted += 1 } else { refused += 1 }
                // The creator has them as well; the index would refuse a second entry of the same.
                let all = "SELECT CASE count(*) WHEN \(accepted) * \(crowd + 1) THEN 0 ELSE json('not one each') END FROM inbox_entries"
                try await eventually("the work comes to where there is no space, or to its end", within: .seconds(60)) {
                    let metrics = try await client.get("/metrics").text
                    let isHeld =
                        ["ems_pending_changes 1\n", "ems_expanding_notifications 1\n"].contains(where: metrics.contains)
                        && daemon.logText.contains("wait")
                    if isHeld { held += 1 }
                    if !isHeld { return (try? await workspace.sqlite(all)) != nil }
                    return true
                }
                try disk.fill(leaving: nil)
                try await eventually("all is delivered", within: .seconds(60)) { (try? await workspace.sqlite(all)) != nil }
                for number in [1, 1000, 1001, crowd] {
                    #expect(try await workspace.inboxIDs(of: "user\(number)").count == accepted, "user \(number) with \(room) KiB")
                }
            }
            #expect(accepted > 0 && refused > 0, "the disk was full at some steps, and not at others")
            #expect(held > 0, "the disk was full on the way to the inboxes")
            #expect(try await daemon.stop() == 0)
        }
    }

    @Test("While the journal is cut: it stays whole at every step, and is cut when there is space again")
    func cut() async throws {
        try await TinyDisk.mounted(size: "16m") { disk in
            let workspace = try Workspace(["EMS_DATA_DIR": disk.path + "/data"])
            let lines = (0..<1500).map { Workspace.eventLine("E\($0)") }.joined()
            let past = try FakeClock.environment(at: "-40d")
            #expect(try await workspace.runEMS(["event", "import", "-"], input: lines, environment: past).status == 0)
            let purge = ["audit", "purge", "--older-than", "30d", "--yes"]
            var (done, refused) = (0, 0)
            for room in Self.rooms {
                try disk.fill(leaving: room)
                let result = try await workspace.runEMS(purge)
                if result.status == 0 {
                    done += 1
                } else {
                    result.expectFailure(74, saying: "full")
                    refused += 1
                }
                try disk.fill(leaving: nil)
                #expect(try await workspace.ems("audit", "verify", "-o", "id").status == 0, "with \(room) KiB")
            }
            #expect(refused > 0)
            #expect(try await workspace.runEMS(purge).status == 0)
            let report = try await workspace.outputEMS(["audit", "verify", "-o", "json"]).jsonDocument()
            #expect(report["is_valid"] == true)
            // All events are recorded again, and nothing older is left.
            let trail = try await workspace.outputEMS(["audit", "list", "--all", "-o", "jsonl"]).jsonLines()
            #expect(trail.filter { $0["action"]?.string == "recorded" }.count == 1500)
            #expect(!trail.contains { $0["action"]?.string == "created" })
        }
    }
}
