import EMSCore
import Testing

/// What every ``SubscriptionStore`` does.
public enum SubscriptionStoreConformance {
    public static let cases: [ConformanceCase] = [
        ConformanceCase("A subscription is new once, and keeps its first time") { fixture in
            let subscriptions = fixture.stores.subscriptions
            let (user, event) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.event()))
            #expect(try await subscriptions.subscribe(user.id, to: event.id, by: Samples.author, at: Samples.hour(1)))
            #expect(try await !subscriptions.subscribe(user.id, to: event.id, by: Samples.author, at: Samples.hour(2)))
            let found = try await subscriptions.subscriptions(of: user.id, after: nil, limit: 10)
            #expect(found == [Subscription(eventID: event.id, userID: user.id, createdAt: Samples.hour(1))])
        },
        ConformanceCase("Eight that subscribe one user at once make one subscription") { fixture in
            let subscriptions = fixture.stores.subscriptions
            let (user, event) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.event()))
            let results = await concurrently(8) { index in
                try await subscriptions.subscribe(user.id, to: event.id, by: Samples.author, at: Samples.hour(index))
            }
            let answers = try results.map { try $0.get() }
            #expect(answers.count { $0 } == 1)
            let found = try await subscriptions.subscriptions(of: user.id, after: nil, limit: 10)
            #expect(found.count == 1)
        },
        ConformanceCase("An event that there is not, or not any more, cannot be subscribed to") { fixture in
            let subscriptions = fixture.stores.subscriptions
            let user = try await fixture.add(Samples.user("alice"))
            await expectFailure(.notFound) {
                try await subscriptions.subscribe(user.id, to: EventID(), by: Samples.author, at: Samples.epoch)
            }
            let event = try await fixture.add(Samples.event())
            try await fixture.stores.events.delete(event.id, expecting: 1, change: Samples.change(.deleted, event))
            await expectFailure(.notFound) {
                try await subscriptions.subscribe(user.id, to: event.id, by: Samples.author, at: Samples.epoch)
            }
            #expect(try await subscriptions.subscriptions(of: user.id, after: nil, limit: 10).isEmpty)
        },
        ConformanceCase("A subscription ends once, and only the one that was named") { fixture in
            let subscriptions = fixture.stores.subscriptions
            let (alice, bob) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.user("bob")))
            let (one, two) = (try await fixture.add(Samples.event()), try await fixture.add(Samples.event()))
            for (user, event) in [(alice, one), (alice, two), (bob, one)] {
                _ = try await subscriptions.subscribe(user.id, to: event.id, by: Samples.author, at: Samples.epoch)
            }
            #expect(try await subscriptions.unsubscribe(alice.id, from: one.id, by: Samples.author, at: Samples.hour(9)))
            #expect(try await !subscriptions.unsubscribe(alice.id, from: one.id, by: Samples.author, at: Samples.hour(9)))
            #expect(try await !subscriptions.unsubscribe(bob.id, from: two.id, by: Samples.author, at: Samples.hour(9)))
            #expect(try await subscriptions.subscriptions(of: alice.id, after: nil, limit: 10).map(\.eventID) == [two.id])
            #expect(try await subscriptions.subscriptions(of: bob.id, after: nil, limit: 10).map(\.eventID) == [one.id])
        },
        ConformanceCase("Subscriptions come in the order of the events' ids, and are read on after any of them") { fixture in
            let subscriptions = fixture.stores.subscriptions
            let user = try await fixture.add(Samples.user("alice"))
            var events: [EventID] = []
            for _ in 0..<5 { events.append(try await fixture.add(Samples.event()).id) }
            for event in events.reversed() {
                _ = try await subscriptions.subscribe(user.id, to: event, by: Samples.author, at: Samples.epoch)
            }
            func page(after event: EventID?, limit: Int) async throws -> [EventID] {
                try await subscriptions.subscriptions(of: user.id, after: event, limit: limit).map(\.eventID)
            }
            #expect(try await page(after: nil, limit: 2) == Array(events[..<2]))
            #expect(try await page(after: events[1], limit: 2) == Array(events[2..<4]))
            #expect(try await page(after: events[3], limit: 2) == [events[4]])
            #expect(try await page(after: events[4], limit: 2).isEmpty)
            // The event one read up to may be gone by then.
            _ = try await subscriptions.unsubscribe(user.id, from: events[1], by: Samples.author, at: Samples.hour(9))
            #expect(try await page(after: events[1], limit: 9) == Array(events[2...]))
        },
        ConformanceCase("Each subscription, and the end of each, is an entry of the journal, and one that ended may begin again") {
            fixture in
            let (stores, subscriptions) = (fixture.stores, fixture.stores.subscriptions)
            let user = try await fixture.add(Samples.user("alice"))
            let event = try await fixture.add(Samples.event())
            let author = Author(user, via: ChangeSource(.ws, address: "192.0.2.7"))
            func history() async throws -> [Change] {
                let query = JournalQuery(
                    kind: .subscription, subject: Subscription.subject(event.id, user.id).id, order: .oldestFirst, limit: 1000)
                return try await stores.journal.entries(query).map(\.change)
            }
            for round in 0..<12 {
                #expect(try await subscriptions.subscribe(user.id, to: event.id, by: author, at: Samples.hour(round)))
                #expect(try await !subscriptions.subscribe(user.id, to: event.id, by: author, at: Samples.hour(round)))
                #expect(try await subscriptions.subscriptions(of: user.id, after: nil, limit: 9).map(\.createdAt) == [Samples.hour(round)])
                #expect(try await subscriptions.unsubscribe(user.id, from: event.id, by: author, at: Samples.hour(round + 1)))
                #expect(try await !subscriptions.unsubscribe(user.id, from: event.id, by: author, at: Samples.hour(round + 1)))
                #expect(try await subscriptions.subscriptions(of: user.id, after: nil, limit: 9) == [])
                // Also when all of it is in the journal, and nothing is left of it elsewhere.
                if round == 5 { try await stores.outbox.settle() }
            }
            let changes = try await history()
            #expect(changes.map(\.action) == (0..<12).flatMap { _ in [.created, .deleted] })
            #expect(changes.map(\.timestamp) == (0..<12).flatMap { [Samples.hour($0), Samples.hour($0 + 1)] })
            #expect(changes.allSatisfy { $0.actor == author.actor && $0.source == author.source })
            #expect(try changes.last?.before?.value()["event_id"]?.string == event.id.description)
            // It is no event's change: nothing of it is published.
            #expect(try await stores.outbox.pendingChanges(limit: 100).filter { $0.subject.kind == .subscription && $0.isPublished } == [])
            // That it began is not lost where it ends with the user.
            #expect(try await subscriptions.subscribe(user.id, to: event.id, by: author, at: Samples.hour(20)))
            #expect(try await stores.users.delete(id: user.id, erasing: true, by: Samples.author, at: Samples.hour(21)))
            let all = try await history()
            #expect(all.count == 25 && all.last?.action == .created)
            #expect(all.allSatisfy { $0.actor.name == PersonalText.erased && $0.source.address == PersonalText.erased })
            #expect(try await JournalVerifier(stores: stores).verify().fault == nil)
        },
        ConformanceCase("Whoever subscribes and leaves at the same time as others of the same account leaves a history that alternates") {
            fixture in
            let (stores, subscriptions) = (fixture.stores, fixture.stores.subscriptions)
            let user = try await fixture.add(Samples.user("alice"))
            let event = try await fixture.add(Samples.event())
            let results = await concurrently(6) { number in
                for round in 0..<10 {
                    if (number + round).isMultiple(of: 2) {
                        _ = try await subscriptions.subscribe(user.id, to: event.id, by: Samples.author, at: Samples.hour(round))
                    } else {
                        _ = try await subscriptions.unsubscribe(user.id, from: event.id, by: Samples.author, at: Samples.hour(round))
                    }
                    if number == 0 { try await stores.outbox.settle() }
                }
            }
            for result in results { try result.get() }
            let query = JournalQuery(kind: .subscription, order: .oldestFirst, limit: 1000)
            let actions = try await stores.journal.entries(query).map(\.change.action)
            #expect(actions.first == .created)
            #expect(zip(actions, actions.dropFirst()).allSatisfy { $0 != $1 })
            let isSubscribed = try await !subscriptions.subscriptions(of: user.id, after: nil, limit: 9).isEmpty
            #expect(isSubscribed == (actions.last == .created))
        },
    ]
}
