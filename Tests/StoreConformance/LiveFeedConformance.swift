import EMSCore
import Synchronization
import Testing

/// What every ``LiveFeed`` does, together with the store of notifications it tells of.
public enum LiveFeedConformance {
    public static let cases: [ConformanceCase] = [
        ConformanceCase("Each notification recorded from now on comes once and in order; nothing comes from before") { fixture in
            try await fixture.record(Samples.created())
            let listener = try await Listener(fixture.feed)
            defer { listener.stop() }
            let user = try await fixture.add(Samples.user("alice"))
            var expected: [RecordedNotification] = []
            for index in 0..<20 {
                let next = index % 3 == 0 ? Samples.message("m", to: .users([user.id])) : Samples.created()
                expected += try await announce([next], fixture)
            }
            #expect(try await listener.heard(expected.count) == expected)
        },
        ConformanceCase("What concurrent writers record comes once each, with growing positions") { fixture in
            let listener = try await Listener(fixture.feed)
            defer { listener.stop() }
            let results = await concurrently(8) { _ in
                var recorded: [RecordedNotification] = []
                for _ in 0..<10 { recorded += try await announce([Samples.created(), Samples.created()], fixture) }
                return recorded
            }
            let recorded = try results.flatMap { try $0.get() }
            let heard = try await listener.heard(recorded.count)
            #expect(heard == recorded.sorted { $0.position < $1.position })
        },
        ConformanceCase("Every listener hears everything from its own beginning") { fixture in
            let first = try await Listener(fixture.feed)
            defer { first.stop() }
            let one = try await announce([Samples.created()], fixture)
            let second = try await Listener(fixture.feed)
            defer { second.stop() }
            let two = try await announce([Samples.created(), Samples.created()], fixture)
            #expect(try await first.heard(3) == one + two)
            #expect(try await second.heard(2) == two)
        },
        ConformanceCase("Nothing is missed of what is recorded while one begins to listen") { fixture in
            let writer = Task {
                var recorded: [RecordedNotification] = []
                for _ in 0..<50 { recorded += try await announce([Samples.created()], fixture) }
                return recorded
            }
            let listener = try await Listener(fixture.feed)
            defer { listener.stop() }
            let last = try await announce([Samples.created()], fixture)
            let recorded = (try await writer.value + last).sorted { $0.position < $1.position }
            // What it heard is an unbroken end of all that was recorded.
            let mark = try #require(recorded.last)
            #expect(try await eventually { listener.all.last == mark })
            #expect(listener.all == Array(recorded.suffix(listener.all.count)))
            #expect(listener.all.contains { $0 == last.first })
        },
        ConformanceCase("A notification that was known already is not heard again") { fixture in
            let listener = try await Listener(fixture.feed)
            defer { listener.stop() }
            let known = Samples.created()
            let first = try await announce([known], fixture)
            let nothing = try await announce([known], fixture)
            #expect(nothing.isEmpty)
            let second = try await announce([Samples.created()], fixture)
            #expect(try await listener.heard(2) == first + second)
        },
        ConformanceCase("A listener that left does not keep the others from hearing") { fixture in
            let leaving = try await Listener(fixture.feed)
            let staying = try await Listener(fixture.feed)
            defer { staying.stop() }
            let one = try await announce([Samples.created()], fixture)
            _ = try await leaving.heard(1)
            leaving.stop()
            let two = try await announce([Samples.created()], fixture)
            #expect(try await staying.heard(2) == one + two)
        },
    ]

    /// Records and announces, as the service does.
    private static func announce(_ notifications: [AddressedNotification], _ fixture: StoreFixture) async throws -> [RecordedNotification] {
        let recorded = try await fixture.stores.notifications.record(notifications)
        try await fixture.feed.announce(recorded)
        return recorded
    }
}

/// Collects what a feed tells.
public final class Listener: Sendable {
    private final class Heard: Sendable {
        let notifications = Mutex<[RecordedNotification]>([])
    }

    private let collected = Heard()
    private let reader: Task<Void, Never>

    /// Listens from now on.
    public init(_ feed: any LiveFeed) async throws {
        let (stream, collected) = (try await feed.notifications(), collected)
        reader = Task {
            for await batch in stream { collected.notifications.withLock { $0 += batch } }
        }
    }

    /// All that was heard until now.
    public var all: [RecordedNotification] { collected.notifications.withLock { $0 } }

    /// All that was heard, once there are so many or a deadline has passed.
    public func heard(_ count: Int) async throws -> [RecordedNotification] {
        _ = try await eventually { all.count >= count }
        return all
    }

    public func stop() {
        reader.cancel()
    }
}
