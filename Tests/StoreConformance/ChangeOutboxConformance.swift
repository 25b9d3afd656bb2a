import EMSCore
import Testing

/// What every ``ChangeOutbox`` does.
public enum ChangeOutboxConformance {
    public static let cases: [ConformanceCase] = [
        ConformanceCase("An empty outbox has nothing pending") { fixture in
            let outbox = fixture.stores.outbox
            let pending = try await outbox.pendingChanges(limit: 10)
            #expect(pending.isEmpty)
            #expect(try await outbox.pendingStatus() == PendingStatus(count: 0, oldest: nil))
        },
        ConformanceCase("Pending changes come the oldest first, as many as asked for, until they are cleared") { fixture in
            let outbox = fixture.stores.outbox
            var changes: [Change] = []
            for index in 0..<5 {
                let event = Samples.event("\(index)")
                let change = Samples.change(.created, event, at: Samples.hour(index))
                _ = try await fixture.stores.events.insert(event, change: change, idempotency: nil)
                changes.append(change)
            }
            #expect(try await outbox.pendingChanges(limit: 3) == Array(changes[..<3]))
            #expect(try await outbox.pendingChanges(limit: 3) == Array(changes[..<3]))
            #expect(try await outbox.pendingStatus() == PendingStatus(count: 5, oldest: Samples.hour(0)))
            try await outbox.clearPending([changes[0].id, changes[1].id])
            #expect(try await outbox.pendingChanges(limit: 10) == Array(changes[2...]))
            #expect(try await outbox.pendingStatus() == PendingStatus(count: 3, oldest: Samples.hour(2)))
        },
        ConformanceCase("Clearing what is cleared, unknown, or nothing does nothing") { fixture in
            let outbox = fixture.stores.outbox
            try await fixture.add(Samples.event())
            let pending = try await outbox.pendingChanges(limit: 10)
            try await outbox.clearPending([])
            try await outbox.clearPending([ChangeID()])
            #expect(try await outbox.pendingChanges(limit: 10) == pending)
            try await outbox.clearPending(pending.map(\.id))
            try await outbox.clearPending(pending.map(\.id))
            #expect(try await outbox.pendingStatus() == PendingStatus(count: 0, oldest: nil))
        },
        ConformanceCase("Create, update and delete leave one change each, in their order, with the event of then") { fixture in
            let (events, outbox) = (fixture.stores.events, fixture.stores.outbox)
            let event = try await fixture.add(Samples.event("v1"))
            let updated = Samples.edited(event) { $0.title = "v2" }
            try await events.update(updated, expecting: 1, change: Samples.change(.updated, updated))
            try await events.delete(event.id, expecting: 2, change: Samples.change(.deleted, updated))
            let pending = try await outbox.pendingChanges(limit: 10)
            #expect(pending.map(\.action) == [.created, .updated, .deleted])
            #expect(try pending.map { try $0.event() } == [event, updated, updated])
        },
    ]
}
