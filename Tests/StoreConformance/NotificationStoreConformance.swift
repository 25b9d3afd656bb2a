import EMSCore
import Testing

/// What every ``NotificationStore`` does.
public enum NotificationStoreConformance {
    public static let cases: [ConformanceCase] = recording + reading + marking + purging + replaying

    // MARK: Recording

    private static let recording: [ConformanceCase] = [
        ConformanceCase("What is for everyone is seen by those registered before, and not by those who come later") { fixture in
            let notifications = fixture.stores.notifications
            let before = try await fixture.add(Samples.user("before"))
            let recorded = try await fixture.record(Samples.created())
            let after = try await fixture.add(Samples.user("after"))
            #expect(recorded.isForEveryone)
            #expect(try await inbox(of: before, fixture) == [recorded.notification.id])
            #expect(try await notifications.unreadCount(of: before.id) == 1)
            #expect(try await inbox(of: after, fixture).isEmpty)
            #expect(try await notifications.unreadCount(of: after.id) == 0)
            #expect(try await notifications.inboxEntry(recorded.notification.id, of: after.id) == nil)
            let next = try await fixture.record(Samples.created())
            #expect(try await inbox(of: before, fixture) == [next.notification.id, recorded.notification.id])
            #expect(try await inbox(of: after, fixture) == [next.notification.id])
            #expect(try await notifications.unreadCount(of: after.id) == 1)
        },
        ConformanceCase("A notification reads as it was recorded, in the list and alone") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            let sent = [
                Samples.created(Samples.event("Zoë's “party” 🎉")),
                Samples.message("a\nb", to: .users([user.id])),
            ]
            let recorded = try await notifications.record(sent)
            #expect(recorded.map(\.notification) == sent.map(\.notification))
            #expect(recorded.map(\.isForEveryone) == [true, false])
            let page = try await notifications.inbox(of: user.id, InboxQuery())
            let expected = recorded.reversed().map {
                InboxEntry(position: $0.position, notification: $0.notification, isRead: false)
            }
            #expect(page.entries == expected)
            for entry in expected {
                #expect(try await notifications.inboxEntry(entry.notification.id, of: user.id) == entry)
            }
            #expect(try await notifications.inboxEntry(NotificationID(), of: user.id) == nil)
        },
        ConformanceCase("Recording the same id twice changes nothing, whether in one write or in two") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            let general = Samples.created()
            let own = Samples.message("hello", to: .users([user.id]))
            #expect(try await notifications.record([general, own, general, own]).count == 2)
            let newest = try await notifications.latestPosition()
            #expect(try await notifications.markRead(own.notification.id, of: user.id))
            let other = Notification(id: general.notification.id, kind: .message, message: "other", actor: "x", timestamp: Samples.hour(1))
            let impostor = AddressedNotification(notification: other, audience: .users([user.id]))
            #expect(try await notifications.record([general, own, impostor]).isEmpty)
            #expect(try await notifications.latestPosition() == newest)
            #expect(try await notifications.unreadCount(of: user.id) == 1)
            let page = try await notifications.inbox(of: user.id, InboxQuery())
            #expect(page.entries.map(\.notification) == [own.notification, general.notification])
            #expect(page.entries.map(\.isRead) == [true, false])
        },
        ConformanceCase("Of eight that record the same ids at once, each id is new to exactly one") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            let batch = (0..<5).map { _ in Samples.created() }
            let results = await concurrently(8) { _ in try await notifications.record(batch) }
            let recorded = try results.flatMap { try $0.get() }
            #expect(recorded.count == 5)
            #expect(Set(recorded.map(\.notification.id)) == Set(batch.map(\.notification.id)))
            #expect(try await notifications.unreadCount(of: user.id) == 5)
        },
        ConformanceCase("Positions grow with every notification, whoever it is for, also under concurrent writers") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            #expect(try await notifications.latestPosition() == 0)
            let first = try await fixture.record(Samples.created())
            let second = try await fixture.record(Samples.message("m", to: .users([user.id])))
            let third = try await fixture.record(Samples.message("m", to: .users([])))
            #expect(0 < first.position && first.position < second.position && second.position < third.position)
            #expect(try await notifications.latestPosition() == third.position)
            let results = await concurrently(8) { _ in try await notifications.record([Samples.created(), Samples.created()]) }
            let batches = try results.map { try $0.get().map(\.position) }
            #expect(batches.allSatisfy { $0 == $0.sorted() })
            #expect(Set(batches.joined()).count == 16)
            #expect(batches.joined().allSatisfy { $0 > third.position })
            #expect(try await notifications.latestPosition() == batches.joined().max())
        },
        ConformanceCase("A position is found by the id, whoever it is for; an unknown id has none") { fixture in
            let notifications = fixture.stores.notifications
            let general = try await fixture.record(Samples.created())
            let nobodys = try await fixture.record(Samples.message("m", to: .users([])))
            #expect(try await notifications.position(of: general.notification.id) == general.position)
            #expect(try await notifications.position(of: nobodys.notification.id) == nobodys.position)
            #expect(try await notifications.position(of: NotificationID()) == nil)
        },
        ConformanceCase("Updates and deletions are for the subscribers and the creator, once each, and for nobody else") { fixture in
            let (notifications, subscriptions) = (fixture.stores.notifications, fixture.stores.subscriptions)
            let creator = try await fixture.add(Samples.user("creator"))
            let subscriber = try await fixture.add(Samples.user("subscriber"))
            let stranger = try await fixture.add(Samples.user("stranger"))
            let event = try await fixture.add(Samples.event(by: creator.id.description))
            let another = try await fixture.add(Samples.event())
            _ = try await subscriptions.subscribe(subscriber.id, to: event.id, by: Samples.author, at: Samples.epoch)
            _ = try await subscriptions.subscribe(creator.id, to: event.id, by: Samples.author, at: Samples.epoch)
            _ = try await subscriptions.subscribe(stranger.id, to: another.id, by: Samples.author, at: Samples.epoch)
            let updated = try await fixture.record(Samples.followUp(.eventUpdated, event))
            #expect(!updated.isForEveryone)
            let asked: Set<UserID> = [creator.id, subscriber.id, stranger.id]
            #expect(try await notifications.recipients(of: updated.position, among: asked) == [creator.id, subscriber.id])
            for (user, count) in [(creator, 1), (subscriber, 1), (stranger, 0)] {
                #expect(try await notifications.unreadCount(of: user.id) == count, "\(user.username)")
                #expect(try await inbox(of: user, fixture) == (count == 1 ? [updated.notification.id] : []), "\(user.username)")
            }
        },
        ConformanceCase("Who subscribes after an update does not see it; who unsubscribed before does not either") { fixture in
            let subscriptions = fixture.stores.subscriptions
            let (early, late) = (try await fixture.add(Samples.user("early")), try await fixture.add(Samples.user("late")))
            let event = try await fixture.add(Samples.event())
            _ = try await subscriptions.subscribe(early.id, to: event.id, by: Samples.author, at: Samples.epoch)
            let first = try await fixture.record(Samples.followUp(.eventUpdated, event))
            _ = try await subscriptions.unsubscribe(early.id, from: event.id, by: Samples.author, at: Samples.hour(9))
            _ = try await subscriptions.subscribe(late.id, to: event.id, by: Samples.author, at: Samples.epoch)
            let second = try await fixture.record(Samples.followUp(.eventUpdated, event))
            #expect(try await inbox(of: early, fixture) == [first.notification.id])
            #expect(try await inbox(of: late, fixture) == [second.notification.id])
        },
        ConformanceCase("A deletion is told to the subscribers, and ends their subscriptions, and no others") { fixture in
            let (notifications, subscriptions) = (fixture.stores.notifications, fixture.stores.subscriptions)
            let user = try await fixture.add(Samples.user("alice"))
            let (doomed, kept) = (try await fixture.add(Samples.event("doomed")), try await fixture.add(Samples.event("kept")))
            for event in [doomed, kept] {
                _ = try await subscriptions.subscribe(user.id, to: event.id, by: Samples.author, at: Samples.epoch)
            }
            try await fixture.stores.events.delete(doomed.id, expecting: 1, change: Samples.change(.deleted, doomed))
            let deletion = Samples.followUp(.eventDeleted, doomed)
            let recorded = try await fixture.record(deletion)
            #expect(try await notifications.recipients(of: recorded.position, among: [user.id, UserID()]) == [user.id])
            #expect(try await subscriptions.subscriptions(of: user.id, after: nil, limit: 10).map(\.eventID) == [kept.id])
            #expect(try await notifications.record([deletion]).isEmpty)
            #expect(try await notifications.unreadCount(of: user.id) == 1)
        },
        ConformanceCase("A message to some users is theirs alone; users that do not exist, or are named twice, do no harm") { fixture in
            let notifications = fixture.stores.notifications
            let (alice, bob) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.user("bob")))
            let recorded = try await fixture.record(Samples.message("m", to: .users([alice.id, UserID(), alice.id])))
            #expect(try await notifications.recipients(of: recorded.position, among: [alice.id, bob.id]) == [alice.id])
            #expect(try await notifications.unreadCount(of: alice.id) == 1)
            #expect(try await notifications.unreadCount(of: bob.id) == 0)
            #expect(try await notifications.inboxEntry(recorded.notification.id, of: bob.id) == nil)
            #expect(try await notifications.recipients(of: recorded.position + 1, among: [alice.id]).isEmpty)
        },
    ]

    // MARK: Reading

    private static let reading: [ConformanceCase] = [
        ConformanceCase("An inbox mixes everyone's with the user's own, the newest first, by page and by cursor alike") { fixture in
            let notifications = fixture.stores.notifications
            let (alice, bob) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.user("bob")))
            var expected: [NotificationID] = []
            for index in 0..<11 {
                switch index % 3 {
                case 0: expected.insert(try await fixture.record(Samples.created()).notification.id, at: 0)
                case 1: expected.insert(try await fixture.record(Samples.message("a", to: .users([alice.id]))).notification.id, at: 0)
                default: try await fixture.record(Samples.message("b", to: .users([bob.id])))
                }
            }
            #expect(expected.count == 8)
            var byNumber: [NotificationID] = []
            for number in 1...3 {
                let page = try await notifications.inbox(of: alice.id, InboxQuery(page: PageRequest(number: number, size: 3)))
                byNumber += page.entries.map(\.notification.id)
                #expect((page.next == nil) == (number == 3))
            }
            #expect(byNumber == expected)
            #expect(try await read(InboxQuery(page: PageRequest(size: 3)), of: alice, fixture) == expected)
            #expect(try await read(InboxQuery(page: PageRequest(size: 1)), of: alice, fixture) == expected)
            let exact = try await notifications.inbox(of: alice.id, InboxQuery(page: PageRequest(size: 8)))
            #expect(exact.entries.count == 8 && exact.next == nil)
            let beyond = try await notifications.inbox(of: alice.id, InboxQuery(page: PageRequest(number: 4, size: 3)))
            #expect(beyond.entries.isEmpty && beyond.next == nil)
        },
        ConformanceCase("Reading on by cursor while more is recorded shows each notification of before exactly once") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            var expected: [NotificationID] = []
            for _ in 0..<20 { expected.insert(try await fixture.record(Samples.created()).notification.id, at: 0) }
            let first = try await notifications.inbox(of: user.id, InboxQuery(page: PageRequest(size: 3)))
            let writer = Task {
                for index in 0..<20 {
                    try await fixture.record(index.isMultiple(of: 2) ? Samples.created() : Samples.message("m", to: .users([user.id])))
                }
            }
            let rest = try await read(InboxQuery(page: PageRequest(size: 3, after: first.next)), of: user, fixture)
            try await writer.value
            #expect(first.entries.map(\.notification.id) + rest == expected)
        },
        ConformanceCase("The unread filter leaves out what was read, by page and by cursor alike") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            var all: [NotificationID] = []
            for index in 0..<10 {
                let next = index.isMultiple(of: 2) ? Samples.created() : Samples.message("m", to: .users([user.id]))
                all.insert(try await fixture.record(next).notification.id, at: 0)
            }
            let read = [all[0], all[3], all[4], all[9]]
            for id in read { #expect(try await notifications.markRead(id, of: user.id)) }
            let unread = all.filter { !read.contains($0) }
            let query = InboxQuery(unreadOnly: true, page: PageRequest(size: 2))
            #expect(try await Self.read(query, of: user, fixture) == unread)
            let second = try await notifications.inbox(of: user.id, InboxQuery(unreadOnly: true, page: PageRequest(number: 2, size: 2)))
            #expect(second.entries.map(\.notification.id) == Array(unread[2..<4]))
            #expect(second.entries.allSatisfy { !$0.isRead })
            let entries = try await notifications.inbox(of: user.id, InboxQuery()).entries
            #expect(entries.filter(\.isRead).map(\.notification.id) == read)
        },
        ConformanceCase("The inbox of a user that there is not is not found") { fixture in
            let notifications = fixture.stores.notifications
            let recorded = try await fixture.record(Samples.created())
            let nobody = UserID()
            await expectFailure(.notFound) { try await notifications.inbox(of: nobody, InboxQuery()) }
            await expectFailure(.notFound) { try await notifications.unreadCount(of: nobody) }
            await expectFailure(.notFound) { try await notifications.markAllRead(of: nobody) }
            await expectFailure(.notFound) { try await notifications.markRead(recorded.notification.id, of: nobody) }
        },
    ]

    // MARK: Marking

    private static let marking: [ConformanceCase] = [
        ConformanceCase("Marking read lowers the count once, however often it is done") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            let general = try await fixture.record(Samples.created()).notification.id
            let own = try await fixture.record(Samples.message("m", to: .users([user.id]))).notification.id
            try await fixture.record(Samples.created())
            for (id, count) in [(general, 2), (general, 2), (own, 1), (own, 1), (general, 1)] {
                #expect(try await notifications.markRead(id, of: user.id))
                #expect(try await notifications.unreadCount(of: user.id) == count)
                #expect(try await notifications.inboxEntry(id, of: user.id)?.isRead == true)
            }
        },
        ConformanceCase("Eight that mark the same one read at once lower the count by one") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            let general = try await fixture.record(Samples.created()).notification.id
            let own = try await fixture.record(Samples.message("m", to: .users([user.id]))).notification.id
            try await fixture.record(Samples.created())
            let results = await concurrently(8) { index in
                try await notifications.markRead(index.isMultiple(of: 2) ? general : own, of: user.id)
            }
            let answers = try results.map { try $0.get() }
            #expect(answers == [Bool](repeating: true, count: 8))
            #expect(try await notifications.unreadCount(of: user.id) == 1)
        },
        ConformanceCase("What one user reads stays unread for the others") { fixture in
            let notifications = fixture.stores.notifications
            let (alice, bob) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.user("bob")))
            let general = try await fixture.record(Samples.created()).notification.id
            let shared = try await fixture.record(Samples.message("m", to: .users([alice.id, bob.id]))).notification.id
            _ = try await notifications.markRead(general, of: alice.id)
            _ = try await notifications.markRead(shared, of: alice.id)
            #expect(try await notifications.unreadCount(of: alice.id) == 0)
            #expect(try await notifications.unreadCount(of: bob.id) == 2)
            #expect(try await notifications.inboxEntry(general, of: bob.id)?.isRead == false)
            #expect(try await notifications.markAllRead(of: alice.id) == 0)
            #expect(try await notifications.markAllRead(of: bob.id) == 2)
        },
        ConformanceCase("What is not in one's inbox cannot be marked read") { fixture in
            let notifications = fixture.stores.notifications
            let alice = try await fixture.add(Samples.user("alice"))
            let old = try await fixture.record(Samples.created()).notification.id
            let bob = try await fixture.add(Samples.user("bob"))
            let alices = try await fixture.record(Samples.message("m", to: .users([alice.id]))).notification.id
            for id in [old, alices, NotificationID()] {
                #expect(try await !notifications.markRead(id, of: bob.id))
            }
            #expect(try await notifications.unreadCount(of: bob.id) == 0)
            #expect(try await notifications.unreadCount(of: alice.id) == 2)
        },
        ConformanceCase("Marking all read says how many were unread, and what comes later is unread again") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            #expect(try await notifications.markAllRead(of: user.id) == 0)
            var ids: [NotificationID] = []
            for index in 0..<6 {
                let next = index < 3 ? Samples.created() : Samples.message("m", to: .users([user.id]))
                ids.append(try await fixture.record(next).notification.id)
            }
            _ = try await notifications.markRead(ids[1], of: user.id)
            _ = try await notifications.markRead(ids[4], of: user.id)
            #expect(try await notifications.markAllRead(of: user.id) == 4)
            #expect(try await notifications.markAllRead(of: user.id) == 0)
            #expect(try await notifications.unreadCount(of: user.id) == 0)
            let unread = try await notifications.inbox(of: user.id, InboxQuery(unreadOnly: true))
            #expect(unread.entries.isEmpty)
            let all = try await notifications.inbox(of: user.id, InboxQuery())
            #expect(all.entries.count == 6 && all.entries.allSatisfy(\.isRead))
            // Those that are read by then can be marked again.
            for id in ids { #expect(try await notifications.markRead(id, of: user.id)) }
            let later = [
                try await fixture.record(Samples.created()).notification.id,
                try await fixture.record(Samples.message("m", to: .users([user.id]))).notification.id,
            ]
            #expect(try await notifications.unreadCount(of: user.id) == 2)
            let query = InboxQuery(unreadOnly: true)
            #expect(try await read(query, of: user, fixture) == later.reversed())
        },
        ConformanceCase("Who reads all one by one stands as who marked all read") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            var ids: [NotificationID] = []
            for index in 0..<4 {
                let next = index.isMultiple(of: 2) ? Samples.created() : Samples.message("m", to: .users([user.id]))
                ids.append(try await fixture.record(next).notification.id)
            }
            for (read, id) in ids.reversed().enumerated() {
                _ = try await notifications.markRead(id, of: user.id)
                #expect(try await notifications.unreadCount(of: user.id) == 3 - read)
            }
            try await fixture.record(Samples.created())
            #expect(try await notifications.unreadCount(of: user.id) == 1)
            #expect(try await notifications.markAllRead(of: user.id) == 1)
        },
    ]

    // MARK: Purging

    private static let purging: [ConformanceCase] = [
        ConformanceCase("Counts stay right when read and unread ones are purged") { fixture in
            let notifications = fixture.stores.notifications
            let alice = try await fixture.add(Samples.user("alice"))
            let idle = try await fixture.add(Samples.user("idle"))
            var ids: [NotificationID] = []
            for index in 0..<8 {
                let next = index.isMultiple(of: 2) ? Samples.created() : Samples.message("m", to: .users([alice.id, idle.id]))
                ids.append(try await fixture.record(next).notification.id)
            }
            let late = try await fixture.add(Samples.user("late"))
            // Read: one of each kind among those that go, and one of each among those that stay.
            for index in [0, 1, 6, 5] { _ = try await notifications.markRead(ids[index], of: alice.id) }
            #expect(try await notifications.unreadCount(of: alice.id) == 4)
            #expect(try await notifications.purge(before: future, limit: 4) == 4)
            for (user, unread, kept) in [(alice, 2, 4), (idle, 4, 4), (late, 0, 0)] {
                #expect(try await notifications.unreadCount(of: user.id) == unread, "\(user.username)")
                #expect(try await inbox(of: user, fixture).count == kept, "\(user.username)")
                let query = InboxQuery(unreadOnly: true)
                #expect(try await read(query, of: user, fixture).count == unread, "\(user.username)")
            }
            #expect(try await notifications.inboxEntry(ids[0], of: alice.id) == nil)
            #expect(try await !notifications.markRead(ids[2], of: alice.id))
            #expect(try await notifications.markAllRead(of: idle.id) == 4)
            for index in [4, 7] { #expect(try await notifications.markRead(ids[index], of: alice.id)) }
            #expect(try await notifications.unreadCount(of: alice.id) == 0)
        },
        ConformanceCase("Counts stay right when what was marked read as a whole is purged, in part and then further") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            for index in 0..<6 {
                try await fixture.record(index.isMultiple(of: 2) ? Samples.created() : Samples.message("m", to: .users([user.id])))
            }
            #expect(try await notifications.markAllRead(of: user.id) == 6)
            for index in 0..<4 {
                try await fixture.record(index.isMultiple(of: 2) ? Samples.created() : Samples.message("m", to: .users([user.id])))
            }
            for (limit, unread) in [(3, 4), (3, 4), (1, 3), (2, 1)] {
                #expect(try await notifications.purge(before: future, limit: limit) == limit)
                #expect(try await notifications.unreadCount(of: user.id) == unread)
            }
            try await fixture.record(Samples.created())
            #expect(try await notifications.unreadCount(of: user.id) == 2)
            #expect(try await notifications.markAllRead(of: user.id) == 2)
        },
        ConformanceCase("Only what was recorded before the moment is purged, as much as asked for, and announced beforehand") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            for _ in 0..<5 { try await fixture.record(Samples.created()) }
            #expect(try await notifications.purge(before: Timestamp.now().adding(seconds: -3600), limit: 100) == 0)
            #expect(try await notifications.purgeable(before: Timestamp.now().adding(seconds: -3600), limit: 100) == 0)
            #expect(try await notifications.purgeable(before: future, limit: 2) == 2)
            #expect(try await notifications.purge(before: future, limit: 2) == 2)
            #expect(try await inbox(of: user, fixture).count == 3)
            let rest = try await notifications.purgeable(before: future, limit: 100)
            #expect(try await notifications.purge(before: future, limit: 100) == rest)
            #expect(try await notifications.purgeable(before: future, limit: 100) == 0)
            #expect(try await notifications.purge(before: future, limit: 100) == 0)
            #expect(try await inbox(of: user, fixture).count == 3 - rest)
        },
        ConformanceCase("Positions are not used again after a purge, and the end of the stream stays where it was") { fixture in
            let notifications = fixture.stores.notifications
            var newest: Int64 = 0
            for _ in 0..<4 { newest = try await fixture.record(Samples.created()).position }
            while try await notifications.purge(before: future, limit: 100) > 0 {}
            #expect(try await notifications.latestPosition() == newest)
            let user = try await fixture.add(Samples.user("alice"))
            let next = try await fixture.record(Samples.created())
            #expect(next.position > newest)
            #expect(try await inbox(of: user, fixture) == [next.notification.id])
            #expect(try await notifications.unreadCount(of: user.id) == 1)
        },
        ConformanceCase("A purged notification has no position any more, and is in nobody's replay") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            let gone = try await fixture.record(Samples.message("m", to: .users([user.id])))
            let kept = try await fixture.record(Samples.created())
            #expect(try await notifications.purge(before: future, limit: 1) == 1)
            #expect(try await notifications.position(of: gone.notification.id) == nil)
            #expect(try await notifications.recipients(of: gone.position, among: [user.id]).isEmpty)
            let replay = try await notifications.inbox(of: user.id, after: 0, through: kept.position, limit: 10)
            #expect(replay == [kept])
        },
    ]

    // MARK: Replaying

    private static let replaying: [ConformanceCase] = [
        ConformanceCase("A replay holds what the inbox got between two positions, the oldest first, and is counted alike") { fixture in
            let notifications = fixture.stores.notifications
            let early = try await fixture.record(Samples.created())
            let (alice, bob) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.user("bob")))
            var mine: [RecordedNotification] = []
            var all: [RecordedNotification] = [early]
            for index in 0..<12 {
                let isBobs = index % 3 == 2
                let next = index % 3 == 0 ? Samples.created() : Samples.message("m", to: .users([isBobs ? bob.id : alice.id]))
                let recorded = try await fixture.record(next)
                all.append(recorded)
                if !isBobs { mine.append(recorded) }
            }
            _ = try await notifications.markAllRead(of: alice.id)
            let end = try await notifications.latestPosition()
            func replayed(_ after: Int64, _ through: Int64, _ limit: Int = 100) async throws -> [RecordedNotification] {
                let found = try await notifications.inbox(of: alice.id, after: after, through: through, limit: limit)
                let count = try await notifications.inboxCount(of: alice.id, after: after, through: through, limit: limit)
                #expect(count == found.count, "after \(after) through \(through), at most \(limit)")
                return found
            }
            #expect(try await replayed(0, end) == mine)
            #expect(try await replayed(early.position, end) == mine)
            for (first, last) in [(0, 12), (3, 9), (4, 5), (5, 5), (7, 2)] {
                let (after, through) = (all[first].position, all[last].position)
                let expected = mine.filter { $0.position > after && $0.position <= through }
                #expect(try await replayed(after, through) == expected, "\(first) to \(last)")
            }
            for limit in [1, 3, 8, 9] { #expect(try await replayed(0, end, limit) == Array(mine.prefix(limit))) }
            #expect(try await replayed(end, Int64.max).isEmpty)
        },
        ConformanceCase("Replays of a few at a time meet without gap or repeat") { fixture in
            let notifications = fixture.stores.notifications
            let user = try await fixture.add(Samples.user("alice"))
            var expected: [RecordedNotification] = []
            for index in 0..<10 {
                let next = index % 4 == 1 ? Samples.message("m", to: .users([user.id])) : Samples.created()
                expected.append(try await fixture.record(next))
            }
            let end = try await notifications.latestPosition()
            var (position, replayed): (Int64, [RecordedNotification]) = (0, [])
            while true {
                let batch = try await notifications.inbox(of: user.id, after: position, through: end, limit: 3)
                guard let last = batch.last else { break }
                position = last.position
                replayed += batch
            }
            #expect(replayed == expected)
        },
    ]

    // MARK: Shared

    /// A moment after every recording of a case.
    private static var future: Timestamp { Timestamp.now().adding(seconds: 3600) }

    private static func inbox(of user: User, _ fixture: StoreFixture) async throws -> [NotificationID] {
        let page = try await fixture.stores.notifications.inbox(of: user.id, InboxQuery(page: PageRequest(size: 100)))
        #expect(page.next == nil)
        return page.entries.map(\.notification.id)
    }

    /// The whole of an inbox, by cursor.
    private static func read(_ query: InboxQuery, of user: User, _ fixture: StoreFixture) async throws -> [NotificationID] {
        var (query, ids) = (query, [NotificationID]())
        repeat {
            let page = try await fixture.stores.notifications.inbox(of: user.id, query)
            #expect(page.entries.count <= query.page.size)
            ids += page.entries.map(\.notification.id)
            query.page.after = page.next
            if ids.count > 1000 { break }
        } while query.page.after != nil
        return ids
    }
}
