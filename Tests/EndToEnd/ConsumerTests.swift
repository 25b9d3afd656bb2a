import EMSCore
import Foundation
import Testing

/// Consumers of the journal: pausing them, giving them the journal again, and how they get on.
@Suite(.gated)
struct ConsumerTests {
    private static func inbox(_ stage: Stage) async throws -> JSONValue {
        let status = try await stage.workspace.outputEMS(["broker", "status", "-o", "json"]).jsonDocument()
        let lines = status["journal_consumers"]?.elements ?? []
        #expect(lines.map { $0["name"] } == ["inbox"])
        return try #require(lines.first)
    }

    @Test("While a consumer is paused nothing reaches the inboxes, and nothing is lost; afterwards all of it comes, once")
    func pausing() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        _ = try await ada.create("Before")
        try await eventually("the first is recorded") { try await ada.unreadCount() == 1 }
        #expect(try await Self.inbox(stage)["is_paused"] == false)
        try await stage.workspace.ems("broker", "pause", "inbox").expectDone()
        #expect(try await stage.workspace.ems("broker", "pause", "inbox").errors.contains("was paused before"))
        let titles = (0..<5).map { "While paused \($0)" }
        for title in titles { _ = try await ada.create(title) }
        // A command does not go on in its place.
        try await stage.workspace.makeEvent("By a command")
        try await eventually("all of it waits", within: .seconds(20)) {
            let line = try await Self.inbox(stage)
            return line["is_paused"] == true && line["lag"] == 6
        }
        #expect(try await ada.unreadCount() == 1)
        let table = try await stage.workspace.output("broker", "status")
        #expect(table.contains("CONSUMER") && table.contains("paused"))
        try await stage.workspace.ems("broker", "resume", "inbox").expectDone()
        try await eventually("all of it is recorded", within: .seconds(20)) { try await ada.unreadCount() == 7 }
        #expect(Set(try await ada.inbox().compactMap { $0["event"]?["title"]?.string }).isSuperset(of: titles))
        try await eventually("nothing waits") { try await Self.inbox(stage)["lag"] == 0 }
        #expect(try await stage.workspace.ems("broker", "resume", "inbox").errors.contains("was not paused"))
        #expect(try await ada.unreadCount() == 7)
        try await stage.workspace.ems("broker", "pause", "outbox").expectFailure(64, saying: "inbox")
    }

    @Test("A replay shows nothing twice, and brings back what was lost")
    func replaying() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        for number in 0..<3 { _ = try await ada.create("\(number)") }
        try await eventually("all are recorded") { try await ada.unreadCount() == 3 }
        let before = try await ada.inbox()
        let trail = try await stage.workspace.outputEMS(["audit", "list", "--subject", "event", "-o", "json"]).jsonDocument()
        let second = try #require(trail.elements[1]["position"]?.integer)
        let dryRun = try await stage.workspace.ems("broker", "replay", "inbox", "--from", "\(second)", "--dry-run")
        #expect(dryRun.status == 0 && dryRun.errors.contains("would replay 2"), "\(dryRun.errors)")
        for (start, count) in [("\(second)", 2), ("1", 3), ("1h", 3)] {
            let replayed = try await stage.workspace.ems("broker", "replay", "inbox", "--from", start)
            #expect(replayed.status == 0 && replayed.errors.contains("replayed \(count)"), "\(start): \(replayed.errors)")
        }
        try await eventually("the consumer is through", within: .seconds(20)) { try await Self.inbox(stage)["lag"] == 0 }
        #expect(try await ada.inbox() == before)
        #expect(try await ada.unreadCount() == 3)
        for start in ["0", "-1", "999999", "2099-01-01"] {
            try await stage.workspace.ems("broker", "replay", "inbox", "--from=\(start)").expectFailure(66, saying: "the journal has no")
        }
        try await stage.workspace.ems("broker", "replay", "inbox", "--from", "someday").expectFailure(64, saying: "--from")
    }
}
