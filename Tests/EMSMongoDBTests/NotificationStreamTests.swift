@testable import EMSMongoDB
import EMSCore
import StoreConformance
import Testing

/// What a process leaves that dies in the middle of delivering to some users: nothing is lost, and nobody runs past it.
@Suite("The stream of notifications, cut short", .enabled(if: TestServer.isHere, TestServer.hint))
struct NotificationStreamTests {
    @Test("What is damaged holds up nothing that comes after it: neither a pending change nor a notification")
    func damaged() async throws {
        try await TestDatabases.replicaSet.withBackend { backend in
            let stores = backend.stores
            let events = [Samples.event("One"), Samples.event("Two")]
            for event in events {
                _ = try await stores.events.insert(event, change: Samples.change(.created, event), idempotency: nil)
            }
            for _ in 0..<3 { _ = try await stores.notifications.record([Samples.created()]) }
            _ = try await backend.database.run { connection in
                try connection.updateOne(
                    .events, where: { $0.member("_id", events[0].id) },
                    { update in update.document("$set") { $0.member("pending.0.record", "joke") } })
                return try connection.updateOne(
                    .notifications, where: { $0.member("_id", 2) }, { update in update.document("$set") { $0.member("kind", "joke") } })
            }
            let pending = try await stores.outbox.pendingChanges(limit: 10)
            #expect(try pending.map { try $0.event().title } == ["Two"])
            #expect(try await stores.outbox.pendingStatus().count == 2)
            await expectFailure(.storeCorrupt) { try await stores.notifications.notifications(after: 0, limit: 10) }
            let tail = try await stores.notifications.tail(after: 0, limit: 10)
            #expect(tail.notifications.map(\.position) == [1, 3] && tail.end == 3)
        }
    }

    @Test("Up to an incomplete notification the stream counts as settled, and no further")
    func settled() async throws {
        try await withCutStream { stores, user, cut in
            #expect(try await stores.notifications.latestPosition() == cut.position - 1)
            let tail = try await stores.notifications.notifications(after: 0, limit: 10)
            #expect(tail.map(\.position) == [1])
            // What came after it waits for it.
            _ = try await stores.notifications.record([Samples.created()])
            #expect(try await stores.notifications.latestPosition() == cut.position - 1)
            #expect(try await stores.notifications.notifications(after: 0, limit: 10).map(\.position) == [1])
        }
    }

    @Test("Recording the same again completes it: it is in the inbox once, and the stream goes on")
    func redelivered() async throws {
        try await withCutStream { stores, user, cut in
            #expect(try await stores.notifications.record([cut.addressed]).isEmpty)
            #expect(try await stores.notifications.latestPosition() == cut.position)
            #expect(try await stores.notifications.unreadCount(of: user.id) == 2)
            #expect(try await stores.notifications.recipients(of: cut.position, among: [user.id, UserID()]) == [user.id])
            _ = try await stores.notifications.record([cut.addressed])
            #expect(try await stores.notifications.unreadCount(of: user.id) == 2)
        }
    }

    @Test("One that was left behind is completed by whoever reads the tail")
    func leftBehind() async throws {
        let old = Timestamp.now().adding(seconds: -NotificationStream.patienceSeconds - 1)
        try await withCutStream(recordedAt: old) { stores, user, cut in
            let tail = try await stores.notifications.notifications(after: 0, limit: 10)
            #expect(tail.map(\.position) == [1, cut.position])
            #expect(try await stores.notifications.latestPosition() == cut.position)
            #expect(try await stores.notifications.unreadCount(of: user.id) == 2)
        }
    }

    @Test("Marking all read leaves unread what is not delivered yet")
    func markAll() async throws {
        try await withCutStream { stores, user, cut in
            #expect(try await stores.notifications.markAllRead(of: user.id) == 1)
            _ = try await stores.notifications.record([cut.addressed])
            #expect(try await stores.notifications.unreadCount(of: user.id) == 1)
            #expect(try await stores.notifications.markAllRead(of: user.id) == 1)
            #expect(try await stores.notifications.unreadCount(of: user.id) == 0)
        }
    }

    @Test("A purge stops before what is incomplete")
    func purge() async throws {
        try await withCutStream { stores, user, cut in
            let future = Timestamp.now().adding(seconds: 7200)
            #expect(try await stores.notifications.purge(before: future, limit: 10) == 1)
            #expect(try await stores.notifications.purge(before: future, limit: 10) == 0)
            _ = try await stores.notifications.record([cut.addressed])
            #expect(try await stores.notifications.unreadCount(of: user.id) == 1)
        }
    }

    @Test("Three hundred single reads, beyond what the user's document holds, count like any others")
    func manyMarks() async throws {
        try await TestDatabases.replicaSet.withBackend { backend in
            let notifications = backend.stores.notifications
            let user = Samples.user("ada")
            try await backend.stores.users.insert(user, passwordHash: "hash")
            let count = InboxState.marksLimit + 50
            let all = (0..<count + 10).map { $0.isMultiple(of: 3) ? Samples.message("m", to: .users([user.id])) : Samples.created() }
            _ = try await notifications.record(all)
            for addressed in all[..<count] { #expect(try await notifications.markRead(addressed.notification.id, of: user.id)) }
            #expect(try await notifications.unreadCount(of: user.id) == 10)
            #expect(try await notifications.markRead(all[0].notification.id, of: user.id))
            #expect(try await notifications.unreadCount(of: user.id) == 10)
            let unread = try await notifications.inbox(of: user.id, InboxQuery(unreadOnly: true, page: PageRequest(size: 100)))
            #expect(unread.entries.map(\.notification.id) == all[count...].reversed().map(\.notification.id))
            // A purge takes read and unread ones away; the sums follow.
            #expect(try await notifications.purge(before: Timestamp.now().adding(seconds: 60), limit: 100) == 100)
            #expect(try await notifications.unreadCount(of: user.id) == 10)
            #expect(try await notifications.markAllRead(of: user.id) == 10)
            #expect(try await notifications.unreadCount(of: user.id) == 0)
        }
    }

    @Test("Four processes that record at once leave no gap, no repeat, and the right sums")
    func competing() async throws {
        try await TestDatabases.replicaSet.withBackend { backend in
            let notifications = backend.stores.notifications
            let user = Samples.user("ada")
            try await backend.stores.users.insert(user, passwordHash: "hash")
            let all = (0..<200).map { $0.isMultiple(of: 5) ? Samples.message("m", to: .users([user.id])) : Samples.created() }
            // Each of them gets half of all, so that every one is recorded by two.
            let results = await concurrently(4) { writer in
                var recorded: [RecordedNotification] = []
                for start in stride(from: 0, to: 100, by: 10) {
                    let offset = (writer * 50 + start) % 200
                    recorded += try await notifications.record(Array(all[offset..<offset + 10]))
                }
                return recorded
            }
            let recorded = try results.flatMap { try $0.get() }
            #expect(recorded.map(\.position).sorted() == (1...200).map(Int64.init))
            #expect(Set(recorded.map(\.notification.id)).count == 200)
            #expect(try await notifications.unreadCount(of: user.id) == 200)
            #expect(try await notifications.latestPosition() == 200)
        }
    }

    /// One notification for everyone, and after it one for the user that was recorded, but not delivered.
    private func withCutStream(
        recordedAt: Timestamp = .now().adding(seconds: 3600), _ body: (Stores, User, NotificationDocument) async throws -> Void
    ) async throws {
        try await TestDatabases.replicaSet.withBackend { backend in
            let user = Samples.user("ada")
            try await backend.stores.users.insert(user, passwordHash: "hash")
            _ = try await backend.stores.notifications.record([Samples.created()])
            let cut = NotificationDocument(
                position: 2, ordinal: 1, addressed: Samples.message("m", to: .users([user.id])), recordedAt: recordedAt)
            try await backend.database.run { try $0.insert(.notifications, cut.document) }
            try await body(backend.stores, user, cut)
        }
    }
}
