import EMSCore
import Testing

/// What every ``NotificationStore`` does with a notification of more recipients than one write gets.
public enum AudienceConformance {
    public static let cases: [ConformanceCase] = [
        ConformanceCase("Each of many recipients sees it once, from its recording on, before and after every step") { fixture in
            let notifications = fixture.stores.notifications
            let crowd = try await Crowd(in: fixture)
            let before = try await fixture.record(Samples.created())
            let update = try await fixture.record(Samples.followUp(.eventUpdated, crowd.event))
            let after = try await fixture.record(Samples.message("m", to: .users(crowd.sampled)))
            #expect(try await notifications.expansions() == 1)
            #expect(try await notifications.latestPosition() == after.position)
            #expect(try await notifications.notifications(after: 0, limit: 10) == [before, update, after])
            var steps = 0
            repeat {
                for user in crowd.sampled {
                    let expected = [after, update, before]
                    #expect(try await inbox(of: user, fixture) == expected.map(\.position), "after \(steps) steps")
                    #expect(try await inbox(of: user, fixture, pageSize: 1) == expected.map(\.position), "after \(steps) steps")
                    #expect(try await inbox(of: user, fixture, unreadOnly: true) == expected.map(\.position), "after \(steps) steps")
                    let second = InboxQuery(page: PageRequest(number: 2, size: 1))
                    #expect(try await notifications.inbox(of: user, second).entries.map(\.position) == [update.position])
                    #expect(try await notifications.unreadCount(of: user) == 3, "after \(steps) steps")
                    #expect(try await notifications.inboxEntry(update.notification.id, of: user)?.isRead == false)
                    let replay = try await notifications.inbox(of: user, after: before.position, through: after.position, limit: 10)
                    #expect(replay == [update, after])
                    #expect(try await notifications.inboxCount(of: user, after: 0, through: update.position, limit: 10) == 2)
                }
                let asked = Set(crowd.sampled + [crowd.stranger])
                #expect(try await notifications.recipients(of: update.position, among: asked) == Set(crowd.sampled))
                #expect(try await notifications.recipients(of: update.position, among: [crowd.stranger]).isEmpty)
                #expect(try await inbox(of: crowd.stranger, fixture) == [before.position])
                steps += 1
            } while try await notifications.expandNext()
            #expect(steps > 1)
            #expect(try await notifications.expansions() == 0)
            let all = try await notifications.recipients(of: update.position, among: Set(crowd.subscribers + [crowd.creator]))
            #expect(all == Set(crowd.subscribers + [crowd.creator]))
        },
        ConformanceCase("What is read while it is on its way is read when it has arrived") { fixture in
            let notifications = fixture.stores.notifications
            let crowd = try await Crowd(in: fixture)
            let (singly, wholly, idle) = (crowd.subscribers[1200], crowd.subscribers[1201], crowd.subscribers[1202])
            let updates = [
                try await fixture.record(Samples.followUp(.eventUpdated, crowd.event)),
                try await fixture.record(Samples.followUp(.eventMoved, crowd.event)),
            ]
            #expect(try await notifications.markRead(updates[0].notification.id, of: singly))
            #expect(try await notifications.markRead(updates[0].notification.id, of: singly))
            #expect(try await notifications.markAllRead(of: wholly) == 2)
            #expect(try await !notifications.markRead(updates[0].notification.id, of: crowd.stranger))
            repeat {
                for (user, unread) in [(singly, 1), (wholly, 0), (idle, 2)] {
                    #expect(try await notifications.unreadCount(of: user) == unread)
                    #expect(try await inbox(of: user, fixture, unreadOnly: true).count == unread)
                    #expect(try await inbox(of: user, fixture).count == 2)
                }
                #expect(try await notifications.inboxEntry(updates[0].notification.id, of: singly)?.isRead == true)
            } while try await notifications.expandNext()
            #expect(try await notifications.markRead(updates[1].notification.id, of: singly))
            #expect(try await notifications.unreadCount(of: singly) == 0)
            #expect(try await notifications.markAllRead(of: idle) == 2)
        },
        ConformanceCase("Who subscribes while it is on its way does not get it; who unsubscribes keeps it") { fixture in
            let (notifications, subscriptions) = (fixture.stores.notifications, fixture.stores.subscriptions)
            let crowd = try await Crowd(in: fixture)
            let (left, back, last) = (crowd.subscribers[1100], crowd.subscribers[1101], crowd.subscribers[1299])
            let first = try await fixture.record(Samples.followUp(.eventUpdated, crowd.event))
            _ = try await notifications.expandNext()
            #expect(try await subscriptions.unsubscribe(last, from: crowd.event.id, by: Samples.author, at: Samples.hour(9)))
            #expect(try await subscriptions.unsubscribe(left, from: crowd.event.id, by: Samples.author, at: Samples.hour(9)))
            #expect(try await subscriptions.unsubscribe(back, from: crowd.event.id, by: Samples.author, at: Samples.hour(9)))
            #expect(try await subscriptions.subscribe(back, to: crowd.event.id, by: Samples.author, at: Samples.epoch))
            #expect(try await subscriptions.subscribe(crowd.stranger, to: crowd.event.id, by: Samples.author, at: Samples.epoch))
            let second = try await fixture.record(Samples.followUp(.eventUpdated, crowd.event))
            repeat {
                #expect(try await inbox(of: left, fixture) == [first.position])
                #expect(try await inbox(of: last, fixture) == [first.position])
                #expect(try await inbox(of: back, fixture) == [second.position, first.position])
                #expect(try await notifications.unreadCount(of: back) == 2)
                #expect(try await inbox(of: crowd.stranger, fixture) == [second.position])
                #expect(try await notifications.recipients(of: first.position, among: [left, crowd.stranger]) == [left])
            } while try await notifications.expandNext()
        },
        ConformanceCase("A deletion ends the subscriptions of many, and none that begins after the event has come back") { fixture in
            let (notifications, subscriptions) = (fixture.stores.notifications, fixture.stores.subscriptions)
            let crowd = try await Crowd(in: fixture)
            let faithful = crowd.subscribers[1250]
            try await fixture.stores.events.delete(crowd.event.id, expecting: 1, change: Samples.change(.deleted, crowd.event))
            let deletion = try await fixture.record(Samples.followUp(.eventDeleted, crowd.event))
            var event = crowd.event
            event.version = 2
            try await fixture.add(event)
            #expect(try await subscriptions.subscribe(faithful, to: event.id, by: Samples.author, at: Samples.hour(1)))
            #expect(try await !subscriptions.subscribe(faithful, to: event.id, by: Samples.author, at: Samples.hour(1)))
            #expect(try await subscriptions.subscribe(crowd.stranger, to: event.id, by: Samples.author, at: Samples.hour(1)))
            while try await notifications.expandNext() {}
            for user in crowd.sampled + [faithful] { #expect(try await inbox(of: user, fixture) == [deletion.position]) }
            for user in crowd.subscribers where user != faithful {
                #expect(try await subscriptions.subscriptions(of: user, after: nil, limit: 2).isEmpty)
            }
            for user in [faithful, crowd.stranger] {
                #expect(try await subscriptions.subscriptions(of: user, after: nil, limit: 2).map(\.eventID) == [event.id])
            }
        },
        ConformanceCase("A deletion takes away nothing that was shown: neither what was on its way before it nor what came afterwards") {
            fixture in
            let (notifications, subscriptions) = (fixture.stores.notifications, fixture.stores.subscriptions)
            let crowd = try await Crowd(in: fixture)
            let update = try await fixture.record(Samples.followUp(.eventUpdated, crowd.event))
            // So that the deletion reaches further than the update in the write that records it.
            for user in crowd.subscribers[10..<14] {
                #expect(try await subscriptions.unsubscribe(user, from: crowd.event.id, by: Samples.author, at: Samples.hour(9)))
            }
            try await fixture.stores.events.delete(crowd.event.id, expecting: 1, change: Samples.change(.deleted, crowd.event))
            let deletion = try await fixture.record(Samples.followUp(.eventDeleted, crowd.event))
            let watched = [0, 999, 1000, 1003, 1004, 1250, 1299].map { crowd.subscribers[$0] }
            let read = crowd.subscribers[1299]
            #expect(try await notifications.markRead(update.notification.id, of: read))
            var shown: [UserID: Set<Int64>] = [:]
            func look() async throws {
                for user in watched {
                    let found = try await inbox(of: user, fixture)
                    #expect(
                        Set(found).isSuperset(of: shown[user] ?? [update.position, deletion.position]) && Set(found).count == found.count)
                    #expect(try await notifications.unreadCount(of: user) == found.count - (user == read ? 1 : 0))
                    shown[user] = Set(found)
                }
            }
            try await look()
            var event = crowd.event
            event.version = 2
            try await fixture.add(event)
            try await fixture.record(Samples.followUp(.eventMoved, event))
            repeat { try await look() } while try await notifications.expandNext()
            try await look()
            for user in crowd.subscribers[10..<14] { #expect(try await inbox(of: user, fixture) == [update.position]) }
        },
        ConformanceCase("Of several processes that expand at once, none puts it into an inbox twice") { fixture in
            let notifications = fixture.stores.notifications
            let crowd = try await Crowd(in: fixture)
            var positions: [Int64] = []
            for _ in 0..<3 { positions.append(try await fixture.record(Samples.followUp(.eventUpdated, crowd.event)).position) }
            let results = await concurrently(4) { _ in while try await notifications.expandNext() {} }
            for result in results { try result.get() }
            // One of them may have left to another what that one had begun.
            while try await notifications.expandNext() {}
            #expect(try await notifications.expansions() == 0)
            for position in positions {
                let found = try await notifications.recipients(of: position, among: Set(crowd.subscribers + [crowd.creator]))
                #expect(found.count == crowd.subscribers.count + 1)
            }
            for user in crowd.sampled {
                #expect(try await notifications.unreadCount(of: user) == 3)
                #expect(try await inbox(of: user, fixture) == positions.reversed())
            }
        },
        ConformanceCase("Nothing that is on its way is purged, nor what came after it") { fixture in
            let notifications = fixture.stores.notifications
            let crowd = try await Crowd(in: fixture)
            let future = Timestamp.now().adding(seconds: 3600)
            try await fixture.record(Samples.created())
            try await fixture.record(Samples.followUp(.eventUpdated, crowd.event))
            try await fixture.record(Samples.created())
            #expect(try await notifications.purge(before: future, limit: 10) == 1)
            #expect(try await notifications.purge(before: future, limit: 10) == 0)
            for user in crowd.sampled { #expect(try await inbox(of: user, fixture).count == 2) }
            while try await notifications.expandNext() {}
            while try await notifications.purge(before: future, limit: 10) > 0 {}
            for user in crowd.sampled {
                #expect(try await inbox(of: user, fixture).isEmpty)
                #expect(try await notifications.unreadCount(of: user) == 0)
            }
        },
    ]

    /// An event with more subscribers than one write reaches, and its creator, who is none of them.
    private struct Crowd {
        let event: Event
        let creator: UserID
        let stranger: UserID
        /// In the order of their ids.
        let subscribers: [UserID]

        /// One of the first, some on both sides of each step's end, the last, and the creator.
        var sampled: [UserID] { [0, 249, 999, 1000, 1001, 1249, 1250, 1299].map { subscribers[$0] } + [creator] }

        init(in fixture: StoreFixture) async throws {
            let creator = try await fixture.add(Samples.user("creator")).id
            self.creator = creator
            let event = try await fixture.add(Samples.event(by: creator.description))
            self.event = event
            let added = await concurrently(10) { task in
                var users: [UserID] = []
                for index in 0..<130 {
                    let user = try await fixture.add(Samples.user("u\(task)_\(index)")).id
                    _ = try await fixture.stores.subscriptions.subscribe(user, to: event.id, by: Samples.author, at: Samples.epoch)
                    users.append(user)
                }
                return users
            }
            subscribers = try added.flatMap { try $0.get() }.sorted { $0.description < $1.description }
            stranger = try await fixture.add(Samples.user("stranger")).id
        }
    }

    private static func inbox(
        of user: UserID, _ fixture: StoreFixture, pageSize: Int = 10, unreadOnly: Bool = false
    ) async throws -> [Int64] {
        var query = InboxQuery(unreadOnly: unreadOnly, page: PageRequest(size: pageSize))
        var positions: [Int64] = []
        repeat {
            let page = try await fixture.stores.notifications.inbox(of: user, query)
            positions += page.entries.map(\.position)
            query.page.after = page.next
        } while query.page.after != nil && positions.count < 100
        return positions
    }
}
