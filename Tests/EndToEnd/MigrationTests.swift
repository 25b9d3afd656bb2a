import Foundation
import Testing

/// The embedded store of the released version, opened by this one.
@Suite(.gated)
struct MigrationTests {
    @Test("A store of version 0.1.0 reports the same events, users, inboxes and unread counts")
    func unchanged() async throws {
        try await ReleasedStore.expectUnchanged(try ReleasedStore.embedded())
    }

    #if DEBUG
    @Test("A migration that is killed between two steps leaves the store as it was, and the next command migrates it")
    func killed() async throws {
        let workspace = try ReleasedStore.embedded()
        var kills = 0
        while try await workspace.ems(
            "event", "list", environment: ["EMS_FAULT_POINT": "between-migration-steps:\(kills + 1)"]
        ).wasKilled { kills += 1 }
        #expect(kills >= 2)
        try await ReleasedStore.expectUnchanged(workspace)
    }
    #endif
}
