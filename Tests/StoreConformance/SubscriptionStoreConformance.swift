import EMSCore
import Testing

/// What every ``SubscriptionStore`` does.
public enum SubscriptionStoreConformance {
    public static let cases: [ConformanceCase] = [
        ConformanceCase("A subscription is new once, and keeps its first time") { fixture in
            let subscriptions = fixture.stores.subscriptions
            let (user, event) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.event()))
            #expect(try await subscriptions.subscribe(user.id, to: event.id, at: Samples.hour(1)))
            #expect(try await !subscriptions.subscribe(user.id, to: event.id, at: Samples.hour(2)))
            let found = try await subscriptions.subscriptions(of: user.id, after: nil, limit: 10)
            #expect(found == [Subscription(eventID: event.id, userID: user.id, createdAt: Samples.hour(1))])
        },
        ConformanceCase("Eight that subscribe one user at once make one subscription") { fixture in
            let subscriptions = fixture.stores.subscriptions
            let (user, event) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.event()))
            let results = await concurrently(8) { index in
                try await subscriptions.subscribe(user.id, to: event.id, at: Samples.hour(index))
            }
            let answers = try results.map { try $0.get() }
            #expect(answers.count { $0 } == 1)
            let found = try await subscriptions.subscriptions(of: user.id, after: nil, limit: 10)
            #expect(found.count == 1)
        },
        ConformanceCase("An event that there is not, or not any more, cannot be subscribed to") { fixture in
            let subscriptions = fixture.stores.subscriptions
            let user = try await fixture.add(Samples.user("alice"))
            await expectFailure(.notFound) { try await subscriptions.subscribe(user.id, to: EventID(), at: Samples.epoch) }
            let event = try await fixture.add(Samples.event())
            try await fixture.stores.events.delete(event.id, expecting: 1, change: Samples.change(.deleted, event))
            await expectFailure(.notFound) { try await subscriptions.subscribe(user.id, to: event.id, at: Samples.epoch) }
            #expect(try await subscriptions.subscriptions(of: user.id, after: nil, limit: 10).isEmpty)
        },
        ConformanceCase("A subscription ends once, and only the one that was named") { fixture in
            let subscriptions = fixture.stores.subscriptions
            let (alice, bob) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.user("bob")))
            let (one, two) = (try await fixture.add(Samples.event()), try await fixture.add(Samples.event()))
            for (user, event) in [(alice, one), (alice, two), (bob, one)] {
                _ = try await subscriptions.subscribe(user.id, to: event.id, at: Samples.epoch)
            }
            #expect(try await subscriptions.unsubscribe(alice.id, from: one.id))
            #expect(try await !subscriptions.unsubscribe(alice.id, from: one.id))
            #expect(try await !subscriptions.unsubscribe(bob.id, from: two.id))
            #expect(try await subscriptions.subscriptions(of: alice.id, after: nil, limit: 10).map(\.eventID) == [two.id])
            #expect(try await subscriptions.subscriptions(of: bob.id, after: nil, limit: 10).map(\.eventID) == [one.id])
        },
        ConformanceCase("Subscriptions come in the order of the events' ids, and are read on after any of them") { fixture in
            let subscriptions = fixture.stores.subscriptions
            let user = try await fixture.add(Samples.user("alice"))
            var events: [EventID] = []
            for _ in 0..<5 { events.append(try await fixture.add(Samples.event()).id) }
            for event in events.reversed() { _ = try await subscriptions.subscribe(user.id, to: event, at: Samples.epoch) }
            func page(after event: EventID?, limit: Int) async throws -> [EventID] {
                try await subscriptions.subscriptions(of: user.id, after: event, limit: limit).map(\.eventID)
            }
            #expect(try await page(after: nil, limit: 2) == Array(events[..<2]))
            #expect(try await page(after: events[1], limit: 2) == Array(events[2..<4]))
            #expect(try await page(after: events[3], limit: 2) == [events[4]])
            #expect(try await page(after: events[4], limit: 2).isEmpty)
            // The event one read up to may be gone by then.
            _ = try await subscriptions.unsubscribe(user.id, from: events[1])
            #expect(try await page(after: events[1], limit: 9) == Array(events[2...]))
        },
    ]
}
