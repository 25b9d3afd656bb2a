@testable import EMSCore
import Logging
import StoreConformance
import Synchronization
import Testing

@testable import EMSSQLite

@Suite("The way of a change from the write to the inbox")
struct ChangeWayTests {
    @Test("A created event is in every inbox, once")
    func arrives() async throws {
        try await withWay { way in
            let event = try await way.create("Concert")
            #expect(try await way.stores.outbox.pendingStatus().count == 1)
            #expect(try await way.consumer.drain() == 1)
            #expect(try await way.stores.outbox.pendingStatus().count == 0)
            let entries = try await way.inbox()
            #expect(entries.map(\.notification.kind) == [.eventCreated])
            #expect(entries.first?.notification.event == .init(id: event.id, title: "Concert", action: "created"))
            #expect(entries.first?.notification.actor == "operator:root")
            #expect(try await way.queue.status() == Way.idle)
        }
    }

    @Test("Draining again shows nothing twice")
    func repetition() async throws {
        try await withWay { way in
            try await way.create("Concert")
            _ = try await way.consumer.drain()
            for _ in 0..<3 { #expect(try await way.consumer.drain() == 0) }
            #expect(try await way.inbox().count == 1)
        }
    }

    @Test("Of several consumers that were handed the same changes one stores them, and each is shown once")
    func sameDeliveries() async throws {
        try await withWay { way in
            for number in 0..<3 { try await way.create("\(number)") }
            let held = try await way.queue.receive(limit: 10, waiting: false)
            #expect(held.count == 3)
            #expect(try await way.consumer.drain() == 3)
            let place = try #require(way.queue.place(after: held))
            let late = try await way.stores.notifications.record([Samples.created()], taking: place)
            #expect(late == [])
            #expect(try await way.inbox().count == 3)
            try await way.queue.acknowledge(held)
            #expect(try await way.queue.receive(limit: 10, waiting: false).isEmpty)
        }
    }

    @Test("Many changes arrive in their order, also through several consumers at once")
    func many() async throws {
        try await withWay { way in
            let titles = (0..<40).map { "Concert \($0)" }
            for title in titles[..<20] { try await way.create(title) }
            _ = try await way.consumer.drain()
            for title in titles[20...] { try await way.create(title) }
            let results = await concurrently(4) { _ in _ = try await way.consumer.drain() }
            for result in results { try result.get() }
            _ = try await way.consumer.drain()
            #expect(try await way.titles() == titles.reversed())
            #expect(try await way.stores.outbox.pendingStatus().count == 0)
        }
    }

    @Test("A quiet change is passed over by the inbox, and is in the journal")
    func quiet() async throws {
        try await withWay { way in
            let event = Samples.event()
            let change = Change.created(event, by: Way.root, at: Samples.epoch, isQuiet: true)
            _ = try await way.stores.events.insert([(event: event, change: change)])
            #expect(try await way.consumer.drain() == 1)
            #expect(try await way.inbox().isEmpty)
            #expect(try await way.entries().map(\.change) == [change])
        }
    }

    @Test("An entry that cannot be read goes to the dead letters, and holds up no other")
    func damaged() async throws {
        try await withWay { way in
            for title in ["One", "Two", "Three"] { try await way.create(title) }
            try await way.backend.database.write { db in
                _ = try db.run("UPDATE journal SET entry = CAST('{\"position\":3}' AS BLOB) WHERE position = 3")
            }
            #expect(try await way.consumer.drain() == 3)
            #expect(try await way.titles() == ["Three", "One"])
            #expect(try await way.queue.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 1))
            let letters = try await way.backend.brokerAdministration.deadLetters(of: .inbox, limit: 10)
            #expect(letters.map(\.reason.isEmpty) == [false])
            #expect(try await way.consumer.drain() == 0)
        }
    }

    @Test("A running consumer gets over failures by itself")
    func running() async throws {
        try await withWay { way in
            let store = FailingNotificationStore(way.stores.notifications, .storeBusy, failures: 3)
            let consumer = ChangeConsumer(
                .inbox, queue: way.queue, handler: InboxHandler(way.notifications(over: store)), logger: Way.logger)
            let service = Task { try await consumer.run() }
            defer { service.cancel() }
            try await way.create("Concert")
            #expect(try await eventually(within: .seconds(30)) { try await way.inbox().count == 1 })
            #expect(try await eventually { try await way.queue.status() == Way.idle })
            service.cancel()
            try await service.value
        }
    }

    @Test("What could not be stored comes again, and is then shown once")
    func storeFails() async throws {
        try await withWay { way in
            let store = FailingNotificationStore(way.stores.notifications, .storeBusy, failures: 2)
            let consumer = ChangeConsumer(
                .inbox, queue: way.queue, handler: InboxHandler(way.notifications(over: store)), logger: Way.logger)
            try await way.create("Concert")
            for _ in 0..<2 {
                await expectFailure(.storeBusy) { try await consumer.drain() }
                #expect(try await way.stores.outbox.pendingStatus().count == 1)
            }
            #expect(try await consumer.drain() == 1)
            #expect(try await way.inbox().count == 1)
            #expect(try await way.queue.status() == Way.idle)
        }
    }

    @Test(
        "What cannot be stored at all goes to the dead letters with the tenth delivery, whatever its error says",
        arguments: [ErrorCode.internal, .storeFull])
    func storeFailsForGood(code: ErrorCode) async throws {
        try await withWay { way in
            let store = FailingNotificationStore(way.stores.notifications, code, failures: .max)
            let consumer = ChangeConsumer(
                .inbox, queue: way.queue, handler: InboxHandler(way.notifications(over: store)), logger: Way.logger)
            try await way.create("Concert")
            for delivery in 1...9 {
                await expectFailure(code) { try await consumer.drain() }
                #expect(try await way.stores.outbox.pendingStatus().count == 1, "after delivery \(delivery)")
            }
            #expect(try await consumer.drain() == 1)
            #expect(try await way.queue.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 1))
            #expect(try await way.inbox().isEmpty)
        }
    }

    @Test("While the store is out of order, nothing goes to the dead letters, however often it is delivered")
    func storeIsDown() async throws {
        try await withWay { way in
            let store = FailingNotificationStore(way.stores.notifications, .storeFull, failures: 40)
            let consumer = ChangeConsumer(
                .inbox, queue: way.queue, handler: InboxHandler(way.notifications(over: store)),
                proveStore: { throw EMSError(.storeFull, "no room") }, logger: Way.logger)
            try await way.create("Concert")
            var deliveries = 0
            while deliveries < 60, try await way.inbox().isEmpty {
                _ = try? await consumer.drain()
                deliveries += 1
            }
            #expect(deliveries > 20)
            #expect(try await way.queue.status() == Way.idle)
            #expect(try await way.inbox().count == 1)
        }
    }

    @Test("One change that fails alone is set aside, tried again later, and gone when it succeeds")
    func setAside() async throws {
        try await withWay { way in
            for title in ["One", "Two", "Three"] { try await way.create(title) }
            try await way.backend.database.write { db in
                try db.execute(
                    sql: """
                        CREATE TRIGGER fault BEFORE INSERT ON notifications WHEN new.event_title = 'Two'
                        BEGIN SELECT RAISE(FAIL, 'not this one'); END
                        """)
            }
            await expectFailure(.internal) { try await way.consumer.drain() }
            #expect(try await way.titles() == ["Three", "One"])
            #expect(try await way.queue.status() == BrokerStatus(depth: 1, unacknowledged: 1, deadLetters: 0))
            // Not before its time, however slow the machine is.
            try await way.retry(at: .now().adding(seconds: 60))
            #expect(try await way.consumer.drain() == 0)
            try await way.retryNow()
            await expectFailure(.internal) { try await way.consumer.drain() }
            try await way.backend.database.write { db in try db.execute(sql: "DROP TRIGGER fault") }
            try await way.retryNow()
            #expect(try await way.consumer.drain() == 1)
            #expect(try await way.titles() == ["Two", "Three", "One"])
            #expect(try await way.queue.status() == Way.idle)
        }
    }

    @Test("Dead letters can be consumed once more, or dropped")
    func deadLetters() async throws {
        try await withWay { way in
            for title in ["One", "Two"] { try await way.create(title) }
            for delivery in try await way.queue.receive(limit: 10, waiting: false) {
                try await way.queue.reject(delivery, reason: "a test")
                try await way.queue.acknowledge([delivery])
            }
            let administration = way.backend.brokerAdministration
            let letters = try await administration.deadLetters(of: .inbox, limit: 10)
            #expect(letters.map(\.reason) == ["a test", "a test"])
            #expect(try await administration.drop(.messages([letters[0].message.messageID]), of: .inbox) == 1)
            #expect(try await administration.requeue(.all, of: .inbox, signing: false) == 1)
            #expect(try await way.consumer.drain() == 1)
            #expect(try await way.titles() == ["Two"])
            #expect(try await way.queue.status() == Way.idle)
        }
    }

    @Test(
        "A message that this installation has not signed is not consumed; unsigned ones are while the transition lasts",
        arguments: [
            (MessageSignature.absent, -1, false), (.absent, 60, true), (.invalid, 60, false), (.valid, -1, true),
        ])
    func unsigned(signature: MessageSignature, secondsLeft: Int64, isConsumed: Bool) async throws {
        try await withWay { way in
            let queue = OneMessage(try BrokerMessage(Samples.change(.created, Samples.event())), signature)
            let consumer = ChangeConsumer(
                .inbox, queue: queue, handler: InboxHandler(way.notifications),
                unsignedMessagesEnd: { Timestamp.now().adding(seconds: secondsLeft) }, logger: Way.logger)
            #expect(try await consumer.drain() == 1)
            #expect(queue.reasons.count == (isConsumed ? 0 : 1))
            #expect(try await way.inbox().count == (isConsumed ? 1 : 0))
        }
    }

    @Test(
        "A message that is no change, or longer than any, is rejected with the reason",
        arguments: [
            "", "no JSON", "[]", "{}", #"{"type": "event", "action": "exploded", "actor": "x", "timestamp": "2026-01-01T00:00:00Z"}"#,
            #"{"type": "event", "action": "created", "actor": "x", "timestamp": "2026-01-01T00:00:00Z", "data": {}}"#,
            String(repeating: " ", count: Consumer.bodyLimit + 1),
        ])
    func malformed(body: String) async throws {
        try await withWay { way in
            let queue = OneMessage(Samples.brokerMessage(body), .valid)
            let consumer = ChangeConsumer(.inbox, queue: queue, handler: InboxHandler(way.notifications), logger: Way.logger)
            let consumed = try await consumer.drain()
            #expect(consumed == 1)
            #expect(queue.reasons.map(\.isEmpty) == [false])
            #expect(try await way.inbox().isEmpty)
        }
    }

    // MARK: The relay, from this store to a broker of its own

    @Test("While the broker cannot be reached changes stay pending, and are published in their order later")
    func relay() async throws {
        try await withWay { way in
            let publisher = RecordingPublisher(failures: 2)
            let relay = ChangeRelay(stores: way.stores, publisher: publisher, batchSize: 3, logger: Way.logger)
            for number in 0..<7 { try await way.create("\(number)") }
            for _ in 0..<2 {
                await expectFailure(.unreachable) { try await relay.flush() }
                #expect(try await way.stores.outbox.pendingStatus().count == 7)
            }
            #expect(try await relay.carryWritten() == 7)
            #expect(try await relay.flush() == 0)
            #expect(try await way.stores.outbox.pendingStatus().count == 0)
            let published = try publisher.messages.map { try Change(id: ChangeID(), message: $0.body).event().title }
            #expect(published == (0..<7).map { "\($0)" })
        }
    }

    @Test("A running relay publishes what is written, and gets over failures by itself")
    func runningRelay() async throws {
        try await withWay { way in
            let publisher = RecordingPublisher(failures: 3)
            let relay = ChangeRelay(stores: way.stores, publisher: publisher, logger: Way.logger)
            let service = Task { try await relay.run() }
            defer { service.cancel() }
            try await way.create("Concert")
            #expect(try await eventually(within: .seconds(30)) { publisher.messages.count == 1 })
            #expect(try await eventually { try await way.stores.outbox.pendingStatus().count == 0 })
            service.cancel()
            try await service.value
        }
    }

    @Test("An entry that cannot be read is a dead letter, and holds up no other on the way to the broker")
    func relayPassesDamage() async throws {
        try await withWay { way in
            let publisher = RecordingPublisher(failures: 0)
            let relay = ChangeRelay(stores: way.stores, publisher: publisher, batchSize: 2, logger: Way.logger)
            for number in 0..<5 { try await way.create("\(number)") }
            try await way.backend.database.write { db in
                // The first entry is the user's.
                _ = try db.run("UPDATE journal SET entry = x'00' WHERE position IN (2, 3, 5)")
            }
            #expect(try await relay.flush() == 2)
            #expect(try await way.stores.outbox.pendingStatus().count == 0)
            #expect(try await way.queue.status().deadLetters == 3)
        }
    }

    @Test("An update and a deletion reach the subscriber, who hears no more afterwards")
    func followUps() async throws {
        try await withWay { way in
            let event = try await way.create("Concert")
            _ = try await way.stores.subscriptions.subscribe(way.user.id, to: event.id, by: Samples.author, at: Timestamp.now())
            _ = try await way.events.update(event.id, by: Way.root) { draft in
                var draft = draft
                draft.title = "Recital"
                return draft
            }
            try await way.events.delete(event.id, by: Way.root)
            #expect(try await way.consumer.drain() == 3)
            #expect(try await way.inbox().map(\.notification.kind) == [.eventDeleted, .eventUpdated, .eventCreated])
            #expect(try await way.stores.subscriptions.subscriptions(of: way.user.id, after: nil, limit: 10).isEmpty)
        }
    }

    /// Records the changes that it receives, and fails for chosen ones.
    private actor Recorder: ChangeHandler {
        private(set) var seen: [ChangeID] = []
        private let isFailing: @Sendable (Change) -> Bool

        init(isFailing: @escaping @Sendable (Change) -> Bool) {
            self.isFailing = isFailing
        }

        nonisolated var storesPlace: Bool { false }

        nonisolated func work(for change: Change) throws -> Change? { change }

        func perform(_ work: [Change], taking place: ConsumerPlace?) async throws {
            if work.contains(where: isFailing) { throw EMSError(.invalid, "a test") }
            seen += work.map(\.id)
        }
    }

    @Test("Consumers go through the journal by themselves: one fails, one rests, and neither holds up another")
    func independence() async throws {
        try await withWay { way in
            let failing = Consumer(name: "failing", subjects: [.event, .user], deliveryLimit: 2)
            let resting = Consumer(name: "resting", subjects: [.event])
            let everything = Consumer(name: "everything", subjects: [.event, .user, .session])
            func running(_ consumer: Consumer, _ handler: Recorder, isPaused: Bool = false) -> ChangeConsumer<Recorder> {
                ChangeConsumer(
                    consumer, queue: way.backend.queue(of: consumer), handler: handler, isPaused: { isPaused }, logger: Way.logger)
            }
            let picky = Recorder { $0.subject.kind == .event && $0.action == .updated }
            let (idle, all) = (Recorder { _ in false }, Recorder { _ in false })
            for number in 0..<4 {
                let event = try await way.create("\(number)")
                _ = try await way.events.update(event.id, by: Way.root) { draft in
                    var draft = draft
                    draft.title += "!"
                    return draft
                }
                if number % 2 == 0 { try await way.events.delete(event.id, by: Way.root) }
                try await way.stores.users.insert(Samples.user("user\(number)"), passwordHash: "x")
                #expect(try await running(resting, idle, isPaused: true).drain() == 0)
                _ = try? await running(failing, picky).drain()
                _ = try await running(everything, all).drain()
                #expect(try await way.consumer.drain() == (number % 2 == 0 ? 3 : 2))
            }
            // Four updates fail for one of them: they become its dead letters.
            for _ in 0..<3 {
                try await way.retryNow()
                _ = try? await running(failing, picky).drain()
            }
            let journal = try await way.stores.journal.entries(JournalQuery(order: .oldestFirst, limit: 100)).map(\.change)
            #expect(await all.seen == journal.map(\.id))
            let good = journal.filter { !($0.subject.kind == .event && $0.action == .updated) }
            #expect(Set(await picky.seen) == Set(good.map(\.id)))
            #expect(try await way.backend.queue(of: failing).status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 4))
            for consumer in [Consumer.inbox, everything, resting] {
                #expect(try await way.backend.queue(of: consumer).status() == Way.idle, "\(consumer.name)")
            }
            #expect(try await way.stores.consumers.lag(of: resting).count == 10)
            #expect(await idle.seen == [])
            #expect(try await running(resting, idle).drain() == 10)
            #expect(try await way.stores.consumers.lag(of: resting).count == 0)
            let letters = try await way.backend.brokerAdministration.deadLetters(of: failing, limit: 10)
            #expect(letters.count == 4 && letters.allSatisfy { $0.attempts == 2 && $0.message.routingKey == "event.updated" })
            #expect(try await JournalVerifier(stores: way.stores).verify().fault == nil)
        }
    }

    private func withWay(_ body: (Way) async throws -> Void) async throws {
        try await withBackend { backend in
            let user = Samples.user("alice")
            try await backend.stores.users.insert(user, passwordHash: "x")
            try await body(Way(backend: backend, user: user))
        }
    }
}

/// Everything a change passes on its way.
struct Way: Sendable {
    static let root = Principal(.operator("root"), via: ChangeSource(.cli))
    static let logger = Logger(label: "ems.tests") { _ in SwiftLogNoOpLogHandler() }
    static let idle = BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 0)

    let backend: SQLiteBackend
    /// Somebody to whom all this is shown.
    let user: User

    init(backend: SQLiteBackend, user: User) {
        self.backend = backend
        self.user = user
        queue = backend.queue(of: .inbox)
    }

    var stores: Stores { backend.stores }
    let queue: any ChangeQueue
    var events: EventService { EventService(stores: stores, changeWritten: { _ in }) }
    var notifications: NotificationService { NotificationService(stores: stores, feed: backend.feed) }
    var consumer: ChangeConsumer<InboxHandler> {
        ChangeConsumer(.inbox, queue: queue, handler: InboxHandler(notifications), logger: Self.logger)
    }

    @discardableResult
    func create(_ title: String) async throws -> Event {
        let start = Timestamp.now().adding(seconds: 3600)
        let draft = EventDraft(title: title, startTime: start, endTime: start.adding(seconds: 3600))
        return try await events.create(draft, by: Self.root).event
    }

    func inbox() async throws -> [InboxEntry] {
        try await stores.notifications.inbox(of: user.id, InboxQuery(page: PageRequest(size: 100))).entries
    }

    /// The titles of the events in the inbox, the newest first.
    func titles() async throws -> [String] {
        try await inbox().compactMap { $0.notification.event?.title }
    }

    /// The whole journal.
    func entries() async throws -> [(position: Int64, change: Change)] {
        try await backend.database.read { db in
            try db.all("SELECT position, change_id, entry FROM journal WHERE subject_type = 'event' ORDER BY position") { row in
                (try row.counter(0), try SQLiteJournal.change(Array(row.data(2)), at: row.counter(0), in: db))
            }
        }
    }

    /// As if the pauses of what was set aside were over.
    func retryNow() async throws { try await retry(at: Timestamp(milliseconds: 1)) }

    func retry(at moment: Timestamp) async throws {
        try await backend.database.write { db in
            _ = try db.run("UPDATE consumer_letters SET retry_at = ? WHERE retry_at IS NOT NULL", [moment.milliseconds])
        }
    }

    func notifications(over store: any NotificationStore) -> NotificationService {
        let stores = Stores(
            users: stores.users, events: stores.events, outbox: stores.outbox, journal: stores.journal, notifications: store,
            subscriptions: stores.subscriptions,
            tokens: stores.tokens, rateLimits: stores.rateLimits, logins: stores.logins, consumers: stores.consumers)
        return NotificationService(stores: stores, feed: backend.feed)
    }
}

/// A queue that holds one message of this signature.
private final class OneMessage: ChangeQueue {
    func suspend() async {}

    private let message: BrokerMessage
    private let signature: MessageSignature
    private let isTaken = Mutex(false)
    private let rejected = Mutex<[String]>([])

    init(_ message: BrokerMessage, _ signature: MessageSignature) {
        self.message = message
        self.signature = signature
    }

    /// Why what was rejected was.
    var reasons: [String] { rejected.withLock { $0 } }

    func receive(limit: Int, waiting: Bool) async throws -> [Delivery] {
        let isFirst = isTaken.withLock { isTaken in
            defer { isTaken = true }
            return !isTaken
        }
        return isFirst ? [Delivery(tag: 1, message: message, attempt: 1, signature: signature)] : []
    }

    func place(after deliveries: [Delivery]) -> ConsumerPlace? { nil }
    func acknowledge(_ deliveries: [Delivery]) async throws {}
    func acknowledge(_ deliveries: [Delivery], settingAside failed: [(delivery: Delivery, reason: String)]) async throws {}
    func reject(_ delivery: Delivery, reason: String) async throws { rejected.withLock { $0.append(reason) } }
    func release(_ deliveries: [Delivery]) async throws {}
    func status() async throws -> BrokerStatus { Way.idle }
}

/// Counts down the failures that are still to come.
private final class Failures: Sendable {
    private let remaining: Mutex<Int>

    init(_ count: Int) {
        remaining = Mutex(count)
    }

    func next(_ code: ErrorCode) throws {
        let fails = remaining.withLock { remaining in
            guard remaining > 0 else { return false }
            remaining -= 1
            return true
        }
        if fails { throw EMSError(code, "as the test wants it") }
    }
}

/// A broker that cannot be reached at first, and keeps what is published.
private final class RecordingPublisher: ChangePublisher {
    private let failures: Failures
    private let published = Mutex<[BrokerMessage]>([])

    init(failures: Int) {
        self.failures = Failures(failures)
    }

    var messages: [BrokerMessage] { published.withLock { $0 } }

    func publish(_ messages: [BrokerMessage]) async throws {
        if !messages.isEmpty { try failures.next(.unreachable) }
        published.withLock { $0 += messages }
    }

    func publish(_ messages: [BrokerMessage], to consumer: Consumer) async throws { try await publish(messages) }
}

/// A store that takes no notifications at first.
private struct FailingNotificationStore: NotificationStore {
    let store: any NotificationStore
    let code: ErrorCode
    let failures: Failures

    init(_ store: any NotificationStore, _ code: ErrorCode, failures: Int) {
        self.store = store
        self.code = code
        self.failures = Failures(failures)
    }

    func record(_ notifications: [AddressedNotification], taking place: ConsumerPlace?) async throws -> [RecordedNotification] {
        try failures.next(code)
        return try await store.record(notifications, taking: place)
    }

    func inbox(of user: UserID, _ query: InboxQuery) async throws -> InboxPage { try await store.inbox(of: user, query) }
    func inboxEntry(_ id: NotificationID, of user: UserID) async throws -> InboxEntry? { try await store.inboxEntry(id, of: user) }
    func unreadCount(of user: UserID) async throws -> Int { try await store.unreadCount(of: user) }
    func markRead(_ id: NotificationID, of user: UserID) async throws -> Bool { try await store.markRead(id, of: user) }
    func markAllRead(of user: UserID) async throws -> Int { try await store.markAllRead(of: user) }
    func position(of id: NotificationID) async throws -> Int64? { try await store.position(of: id) }
    func latestPosition() async throws -> Int64 { try await store.latestPosition() }

    func inbox(of user: UserID, after position: Int64, through end: Int64, limit: Int) async throws -> [RecordedNotification] {
        try await store.inbox(of: user, after: position, through: end, limit: limit)
    }

    func inboxCount(of user: UserID, after position: Int64, through end: Int64, limit: Int) async throws -> Int {
        try await store.inboxCount(of: user, after: position, through: end, limit: limit)
    }

    func notifications(after position: Int64, limit: Int) async throws -> [RecordedNotification] {
        try await store.notifications(after: position, limit: limit)
    }

    func recipients(of position: Int64, among users: Set<UserID>) async throws -> Set<UserID> {
        try await store.recipients(of: position, among: users)
    }

    func expandNext() async throws -> Bool { try await store.expandNext() }
    func expansions() async throws -> Int { try await store.expansions() }
    func purge(before moment: Timestamp, limit: Int) async throws -> Int { try await store.purge(before: moment, limit: limit) }
    func purgeable(before moment: Timestamp, limit: Int) async throws -> Int { try await store.purgeable(before: moment, limit: limit) }
}
