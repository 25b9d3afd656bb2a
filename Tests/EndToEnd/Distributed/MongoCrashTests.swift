@testable import EMSMongoDB
import EMSCore
import Foundation
import StoreConformance
import Testing

#if DEBUG
/// On MongoDB, what takes several writes is killed between any two of them, and finished by whoever comes next.
@Suite(.serialized, .gated, .enabled(if: SharedServers.areHere, SharedServers.hint))
struct MongoCrashTests {
    @Test("A deletion that erases a person, killed between any two steps, is finished by housekeeping: nothing of the person is left")
    func erasure() async throws {
        var kills = 0
        while true {
            let cluster = try Cluster()
            let workspace = cluster.workspace
            _ = try await cluster.person("witness")
            let token = try await cluster.person("mallory")
            let event = try await workspace.makeEvent("Concert")
            try await workspace.ems("event", "subscribe", event, "--user", "mallory").expectDone()
            let deletion = try await workspace.ems(
                "user", "delete", "mallory", "--erase", "--yes", environment: ["EMS_FAULT_POINT": "between-deletion-steps:\(kills + 1)"])
            if !deletion.wasKilled {
                #expect(deletion.status == 0, "\(deletion.errors)")
                break
            }
            kills += 1
            let daemon = try await cluster.daemon()
            #expect(try await HTTPClient(port: daemon.port, token: token).get("/auth/me").status == 401, "after step \(kills)")
            let database = try cluster.database()
            try await eventually("the user is gone") { try await database.run { try $0.count(.users) { _ in } } == 1 }
            #expect(try await database.run { try $0.count(.subscriptions) { _ in } } == 0, "after step \(kills)")
            try await workspace.ems("user", "show", "mallory").expectFailure(66, saying: "mallory")
            let trail = try await workspace.output("audit", "export")
            let named = trail.split(separator: "\n").filter { $0.contains("mallory") }
            #expect(named.isEmpty && trail.contains("\"erased\""), "after step \(kills): \(named)")
            #expect(try await workspace.ems("audit", "verify", "-o", "id").status == 0)
            #expect(try await workspace.inboxIDs(of: "witness").count == 1)
            // The name is free again.
            try await workspace.makeUser("mallory")
            #expect(try await daemon.stop() == 0)
        }
        #expect(kills == 6)
    }

    @Test("A daemon killed on the way into the inboxes of many: each subscriber has the update once in the end")
    func expansion() async throws {
        let cluster = try Cluster()
        let token = try await cluster.person("ada")
        let doomed = try await cluster.daemon(["EMS_FAULT_POINT": "between-expansions"])
        let created = try await HTTPClient(port: doomed.port, token: token).post("/events", Workspace.eventBody("Crowded"))
        let event = try #require(created.json["event_id"]?.string.flatMap { EventID($0) })
        // Whoever is registered now is notified of the event; later users are not.
        try await cluster.expectInbox(of: "ada", 1)
        let stores = MongoBackend(database: try cluster.database()).stores
        let crowd = 2200
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in 0..<8 {
                group.addTask {
                    for number in stride(from: part, to: crowd, by: 8) {
                        let user = Samples.user("user\(number)")
                        try await stores.users.insert(user, passwordHash: "")
                        _ = try await stores.subscriptions.subscribe(user.id, to: event, by: Samples.author, at: .now())
                    }
                }
            }
            try await group.waitForAll()
        }
        _ = try? await HTTPClient(port: doomed.port, token: token).patch("/events/\(event)", #"{"title": "More crowded"}"#)
        #expect(try await doomed.ended() == SIGKILL)
        func expectOne() async throws {
            for number in [0, 999, 1000, crowd - 1] {
                let inbox = try await cluster.workspace.output("notify", "list", "--user", "user\(number)", "-o", "jsonl")
                #expect(inbox.split(separator: "\n").count == 1, "user \(number): \(inbox)")
                #expect(try await cluster.workspace.output("notify", "count", "--user", "user\(number)", "-o", "id") == "1\n", "\(number)")
            }
        }
        try await expectOne()
        let next = try await cluster.daemon()
        try await eventually("all have it", within: .seconds(60)) {
            try await cluster.workspace.outputEMS(["broker", "status", "-o", "json"]).jsonDocument()["expanding_notifications"]
                == .integer(0)
        }
        try await expectOne()
        // The key of an entry keeps a second one of the same notification away.
        #expect(try await cluster.database().run { try $0.count(.inboxEntries) { _ in } } == crowd + 1)
        #expect(try await next.stop() == 0)
    }
}
#endif
