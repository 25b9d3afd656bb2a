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
            #expect(try await way.relay.flush() == 1)
            #expect(try await way.stores.outbox.pendingStatus().count == 0)
            #expect(try await way.consumer.drain() == 1)
            let entries = try await way.inbox()
            #expect(entries.map(\.notification.kind) == [.eventCreated])
            #expect(entries.first?.notification.event == .init(id: event.id, title: "Concert", action: "created"))
            #expect(entries.first?.notification.actor == "operator:root")
            #expect(try await way.broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 0))
        }
    }

    @Test("Flushing and draining again shows nothing twice")
    func repetition() async throws {
        try await withWay { way in
            try await way.create("Concert")
            _ = try await way.relay.flush()
            _ = try await way.consumer.drain()
            for _ in 0..<3 {
                #expect(try await way.relay.flush() == 0)
                #expect(try await way.consumer.drain() == 0)
            }
            #expect(try await way.inbox().count == 1)
        }
    }

    @Test("A change that is published twice, before and after it was consumed, shows nothing twice")
    func duplicates() async throws {
        try await withWay { way in
            try await way.create("Concert")
            let pending = try await way.stores.outbox.pendingChanges(limit: 10)
            try await way.broker.publish(pending.map(BrokerMessage.init))
            _ = try await way.relay.flush()
            _ = try await way.consumer.drain()
            try await way.broker.publish(pending.map(BrokerMessage.init))
            #expect(try await way.consumer.drain() == 1)
            #expect(try await way.inbox().count == 1)
            #expect(try await way.stores.notifications.unreadCount(of: way.user.id) == 1)
            #expect(try await way.broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 0))
        }
    }

    @Test("A consumer that died after recording leaves its messages to another, which shows nothing twice")
    func deadConsumer() async throws {
        try await withWay { way in
            try await way.create("Concert")
            _ = try await way.relay.flush()
            let held = try await way.broker.receive(limit: 10, waiting: false)
            let changes = try held.map { try Change(id: try #require(ChangeID($0.message.messageID)), body: $0.message.body) }
            try await way.notifications.record(changes)
            #expect(try await way.consumer.drain() == 0)
            // Its lease runs out.
            try await way.backend.database.write { db in _ = try db.run("UPDATE broker_messages SET leased_until = 1") }
            #expect(try await way.consumer.drain() == 1)
            #expect(try await way.inbox().count == 1)
            #expect(try await way.broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 0))
        }
    }

    @Test("Many changes arrive in their order, also through several relays and consumers at once")
    func many() async throws {
        try await withWay { way in
            let titles = (0..<40).map { "Concert \($0)" }
            for title in titles[..<20] { try await way.create(title) }
            _ = try await way.relay.flush()
            _ = try await way.consumer.drain()
            let first = try await way.titles()
            #expect(first == titles[..<20].reversed())
            for title in titles[20...] { try await way.create(title) }
            let results = await concurrently(4) { _ in
                _ = try await way.relay.flush()
                _ = try await way.consumer.drain()
            }
            for result in results { try result.get() }
            _ = try await way.consumer.drain()
            let arrived = try await way.titles()
            #expect(arrived.sorted() == titles.sorted())
            #expect(try await way.stores.outbox.pendingStatus().count == 0)
        }
    }

    @Test("A message that is no change goes to the dead letters, and blocks no other")
    func malformed() async throws {
        try await withWay { way in
            let good = try await way.create("Concert")
            let bodies = [
                "", "no JSON", "[]", "{}", #"{"type": "event", "action": "exploded", "actor": "x", "timestamp": "2026-01-01T00:00:00Z"}"#,
                #"{"type": "event", "action": "created", "actor": "x", "timestamp": "2026-01-01T00:00:00Z", "data": {}}"#,
            ]
            try await way.broker.publish(bodies.map { Samples.brokerMessage($0) })
            let change = Samples.change(.created, Samples.event())
            let nameless = BrokerMessage(messageID: "no id", routingKey: change.routingKey, body: BrokerMessage(change).body)
            try await way.broker.publish([nameless])
            _ = try await way.relay.flush()
            #expect(try await way.consumer.drain() == bodies.count + 2)
            #expect(try await way.inbox().compactMap { $0.notification.event?.id } == [good.id])
            #expect(try await way.broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: bodies.count + 1))
            let reasons = try await way.backend.database.read { db in
                try db.all("SELECT reason FROM broker_dead_letters") { $0[0] as String }
            }
            #expect(reasons.allSatisfy { !$0.isEmpty })
            #expect(try await way.consumer.drain() == 0)
        }
    }

    @Test("While the broker cannot be reached a change stays pending, and arrives later")
    func brokerFails() async throws {
        try await withWay { way in
            let broker = FailingBroker(way.broker, failures: 2)
            let relay = ChangeRelay(stores: way.stores, broker: broker, logger: Way.logger)
            try await way.create("Concert")
            for _ in 0..<2 {
                await expectFailure(.unreachable) { try await relay.flush() }
                #expect(try await way.stores.outbox.pendingStatus().count == 1)
                #expect(try await way.consumer.drain() == 0)
            }
            #expect(try await relay.flush() == 1)
            #expect(try await way.stores.outbox.pendingStatus().count == 0)
            _ = try await way.consumer.drain()
            #expect(try await way.inbox().count == 1)
        }
    }

    @Test("A running relay and a running consumer get over failures by themselves")
    func running() async throws {
        try await withWay { way in
            let broker = FailingBroker(way.broker, failures: 3)
            let relay = ChangeRelay(stores: way.stores, broker: broker, logger: Way.logger)
            let store = FailingNotificationStore(way.stores.notifications, .storeBusy, failures: 3)
            let consumer = ChangeConsumer(broker: way.broker, notifications: way.notifications(over: store), logger: Way.logger)
            let services = [Task { try await relay.run() }, Task { try await consumer.run() }]
            defer { for service in services { service.cancel() } }
            try await way.create("Concert")
            #expect(try await eventually(within: .seconds(30)) { try await way.inbox().count == 1 })
            #expect(try await eventually { try await way.broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 0) })
            for service in services {
                service.cancel()
                try await service.value
            }
        }
    }

    @Test("What could not be stored comes again, and is then shown once")
    func storeFails() async throws {
        try await withWay { way in
            let store = FailingNotificationStore(way.stores.notifications, .storeBusy, failures: 2)
            let consumer = ChangeConsumer(broker: way.broker, notifications: way.notifications(over: store), logger: Way.logger)
            try await way.create("Concert")
            _ = try await way.relay.flush()
            for _ in 0..<2 {
                await expectFailure(.storeBusy) { try await consumer.drain() }
                #expect(try await way.broker.status() == BrokerStatus(depth: 1, unacknowledged: 0, deadLetters: 0))
            }
            #expect(try await consumer.drain() == 1)
            #expect(try await way.inbox().count == 1)
            #expect(try await way.broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 0))
        }
    }

    @Test("What cannot be stored at all goes to the dead letters with the tenth delivery")
    func storeFailsForGood() async throws {
        try await withWay { way in
            let store = FailingNotificationStore(way.stores.notifications, .internal, failures: .max)
            let consumer = ChangeConsumer(broker: way.broker, notifications: way.notifications(over: store), logger: Way.logger)
            try await way.create("Concert")
            _ = try await way.relay.flush()
            for delivery in 1...9 {
                await expectFailure(.internal) { try await consumer.drain() }
                #expect(
                    try await way.broker.status() == BrokerStatus(depth: 1, unacknowledged: 0, deadLetters: 0), "after delivery \(delivery)"
                )
            }
            #expect(try await consumer.drain() == 1)
            #expect(try await way.broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 1))
            #expect(try await way.inbox().isEmpty)
        }
    }

    @Test("While the store is out of order, nothing goes to the dead letters, however often it is delivered")
    func storeIsDown() async throws {
        try await withWay { way in
            let store = FailingNotificationStore(way.stores.notifications, .storeFull, failures: 30)
            let consumer = ChangeConsumer(
                broker: way.broker, notifications: way.notifications(over: store),
                proveStore: { throw EMSError(.storeFull, "no room") }, logger: Way.logger)
            try await way.create("Concert")
            _ = try await way.relay.flush()
            for _ in 1...30 { await expectFailure(.storeFull) { try await consumer.drain() } }
            #expect(try await consumer.drain() == 1)
            #expect(try await way.broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 0))
            #expect(try await way.inbox().count == 1)
        }
    }

    @Test("A message that keeps failing goes to the dead letters, whatever its error says, when the store takes other writes")
    func poison() async throws {
        try await withWay { way in
            let store = FailingNotificationStore(way.stores.notifications, .storeFull, failures: .max)
            let consumer = ChangeConsumer(broker: way.broker, notifications: way.notifications(over: store), logger: Way.logger)
            try await way.create("Concert")
            _ = try await way.relay.flush()
            for _ in 1...9 { await expectFailure(.storeFull) { try await consumer.drain() } }
            #expect(try await consumer.drain() == 1)
            #expect(try await way.broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 1))
        }
    }

    @Test("A message longer than any change is not read, and the others are consumed")
    func tooLong() async throws {
        try await withWay { way in
            try await way.create("Concert")
            _ = try await way.relay.flush()
            let body = [UInt8](repeating: UInt8(ascii: " "), count: ChangeConsumer.bodyLimit + 1)
            try await way.broker.publish([BrokerMessage(messageID: "evil\n\u{1B}[2J", routingKey: "event.created", body: body)])
            _ = try await way.consumer.drain()
            #expect(try await way.broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 1))
            #expect(try await way.inbox().count == 1)
        }
    }

    @Test(
        "A message that this installation has not signed is not consumed; unsigned ones are while the transition lasts",
        arguments: [
            (MessageSignature.absent, -1, false), (.absent, 60, true), (.invalid, 60, false), (.valid, -1, true),
        ])
    func unsigned(signature: MessageSignature, secondsLeft: Int64, isConsumed: Bool) async throws {
        try await withWay { way in
            try await way.create("Concert")
            _ = try await way.relay.flush()
            let consumer = ChangeConsumer(
                broker: ForeignBroker(broker: way.broker, signature: signature), notifications: way.notifications,
                unsignedMessagesEnd: { Timestamp.now().adding(seconds: secondsLeft) }, logger: Way.logger)
            #expect(try await consumer.drain() == 1)
            #expect(try await way.broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: isConsumed ? 0 : 1))
            #expect(try await way.inbox().count == (isConsumed ? 1 : 0))
        }
    }

    @Test("An update and a deletion reach the subscriber, who hears no more afterwards")
    func followUps() async throws {
        try await withWay { way in
            let event = try await way.create("Concert")
            _ = try await way.stores.subscriptions.subscribe(way.user.id, to: event.id, at: Timestamp.now())
            _ = try await way.events.update(event.id, by: Way.root) { draft in
                var draft = draft
                draft.title = "Recital"
                return draft
            }
            try await way.events.delete(event.id, by: Way.root)
            #expect(try await way.relay.flush() == 3)
            #expect(try await way.consumer.drain() == 3)
            #expect(try await way.inbox().map(\.notification.kind) == [.eventDeleted, .eventUpdated, .eventCreated])
            #expect(try await way.stores.subscriptions.subscriptions(of: way.user.id, after: nil, limit: 10).isEmpty)
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
private struct Way: Sendable {
    static let root = Principal.operator("root")
    static let logger = Logger(label: "ems.tests") { _ in SwiftLogNoOpLogHandler() }

    let backend: SQLiteBackend
    /// Somebody to whom all this is shown.
    let user: User

    var stores: Stores { backend.stores }
    var broker: any MessageBroker { backend.broker }
    var events: EventService { EventService(stores: stores, changeWritten: { _ in }) }
    var notifications: NotificationService { NotificationService(stores: stores, feed: backend.feed) }
    var relay: ChangeRelay { ChangeRelay(stores: stores, broker: broker, logger: Self.logger) }
    var consumer: ChangeConsumer { ChangeConsumer(broker: broker, notifications: notifications, logger: Self.logger) }

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

    func notifications(over store: any NotificationStore) -> NotificationService {
        let stores = Stores(
            users: stores.users, events: stores.events, outbox: stores.outbox, notifications: store, subscriptions: stores.subscriptions,
            tokens: stores.tokens, rateLimits: stores.rateLimits, logins: stores.logins, consumers: stores.consumers)
        return NotificationService(stores: stores, feed: backend.feed)
    }
}

/// A broker that others write to as well: its messages have this signature.
private struct ForeignBroker: MessageBroker {
    let broker: any MessageBroker
    let signature: MessageSignature

    func receive(limit: Int, waiting: Bool) async throws -> [Delivery] {
        try await broker.receive(limit: limit, waiting: waiting).map {
            Delivery(tag: $0.tag, message: $0.message, attempt: $0.attempt, signature: signature)
        }
    }

    func publish(_ messages: [BrokerMessage]) async throws { try await broker.publish(messages) }
    func acknowledge(_ deliveries: [Delivery]) async throws { try await broker.acknowledge(deliveries) }
    func reject(_ delivery: Delivery, reason: String) async throws { try await broker.reject(delivery, reason: reason) }
    func release(_ deliveries: [Delivery]) async throws { try await broker.release(deliveries) }
    func status() async throws -> BrokerStatus { try await broker.status() }
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

/// A broker that cannot be reached at first.
private struct FailingBroker: MessageBroker {
    let broker: any MessageBroker
    let failures: Failures

    init(_ broker: any MessageBroker, failures: Int) {
        self.broker = broker
        self.failures = Failures(failures)
    }

    func publish(_ messages: [BrokerMessage]) async throws {
        if !messages.isEmpty { try failures.next(.unreachable) }
        try await broker.publish(messages)
    }

    func receive(limit: Int, waiting: Bool) async throws -> [Delivery] { try await broker.receive(limit: limit, waiting: waiting) }
    func acknowledge(_ deliveries: [Delivery]) async throws { try await broker.acknowledge(deliveries) }
    func reject(_ delivery: Delivery, reason: String) async throws { try await broker.reject(delivery, reason: reason) }
    func release(_ deliveries: [Delivery]) async throws { try await broker.release(deliveries) }
    func status() async throws -> BrokerStatus { try await broker.status() }
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

    func record(_ notifications: [AddressedNotification]) async throws -> [RecordedNotification] {
        try failures.next(code)
        return try await store.record(notifications)
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

    func recipients(of position: Int64) async throws -> Set<UserID> { try await store.recipients(of: position) }
    func purge(before moment: Timestamp, limit: Int) async throws -> Int { try await store.purge(before: moment, limit: limit) }
    func purgeable(before moment: Timestamp, limit: Int) async throws -> Int { try await store.purgeable(before: moment, limit: limit) }
}
