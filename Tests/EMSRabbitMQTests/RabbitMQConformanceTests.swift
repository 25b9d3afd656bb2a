import EMSCore
@testable import EMSRabbitMQ
import EMSSQLite
import Foundation
import Logging
import StoreConformance
import Testing

/// One after another: RabbitMQ 3.10 stumbles over many quorum queues that come and go at once.
@Suite("The RabbitMQ adapter as the ports want it", .serialized, .enabled(if: TestServer.isHere, TestServer.hint))
struct RabbitMQConformanceTests {
    @Test("Broker", arguments: MessageBrokerConformance.cases)
    func broker(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    /// With the store it tells of: any will do.
    @Test("Live feed", arguments: LiveFeedConformance.cases)
    func feed(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    private func run(_ behaviour: ConformanceCase) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ems-test-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let stores = try SQLiteBackend(path: directory.path + "/ems.db", mode: .daemon).stores
        try await withBroker { broker in
            let view = try OneQueueBroker(broker)
            let logger = Logger(label: "tests", factory: { _ in SwiftLogNoOpLogHandler() })
            let feed = SequencedLiveFeed(
                store: stores.notifications, exchange: broker.liveExchange(logger: logger), logger: logger)
            try await behaviour.check(StoreFixture(stores: stores, broker: view, feed: feed))
            await view.queue.close()
        }
    }

    @Test("Each consumer has a queue and dead letters of its own, and a replay is for one of them")
    func independence() async throws {
        try await withBroker { broker in
            // Whoever declares comes first: messages that no queue takes yet are none of this.
            let (inbox, other) = (try OneQueueBroker(broker), try OneQueueBroker(broker, slow))
            _ = try await inbox.receive(limit: 1, waiting: false)
            try declare(slow, at: broker)
            let messages = (0..<5).map { Samples.brokerMessage("\($0)") }
            try await broker.publish(messages)
            // One takes all; the other takes nothing, then rejects.
            let taken = try await received(5, from: inbox)
            #expect(taken.map(\.message.messageID) == messages.map(\.messageID))
            try await inbox.acknowledge(taken)
            #expect(try await inbox.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 0))
            let held = try await received(5, from: other)
            try await other.reject(held[0], reason: "a test")
            try await other.acknowledge(Array(held[1...]))
            #expect(try await eventually { try await other.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 1) })
            #expect(try await inbox.status().deadLetters == 0)
            let administration = broker.administration
            #expect(try await administration.deadLetters(of: .inbox, limit: 9).isEmpty)
            let letters = try await administration.deadLetters(of: slow, limit: 9)
            #expect(letters.map(\.message.messageID) == [messages[0].messageID])
            #expect(letters.map(\.message.routingKey) == ["event.created"])
            // What is given back, or published again, comes to that one only, under its own routing key.
            #expect(try await administration.requeue(.all, of: slow, signing: false) == 1)
            try await broker.publish([messages[1]], to: slow)
            let again = try await received(2, from: other)
            #expect(Set(again.map(\.message.messageID)) == Set(messages[..<2].map(\.messageID)))
            #expect(again.allSatisfy { $0.message.routingKey == "event.created" && $0.signature == .valid })
            try await other.acknowledge(again)
            #expect(try await inbox.receive(limit: 9, waiting: false).isEmpty)
            for view in [inbox, other] { await view.queue.close() }
        }
    }

    private func declare(_ consumer: Consumer, at broker: RabbitMQBroker) throws {
        let client = try AMQPClient(AMQPURL(TestServer.url ?? ""), name: "ems tests")
        try broker.topology.queue(of: consumer).declare(with: client, exchange: broker.topology.exchange)
    }

    private func received(_ count: Int, from broker: OneQueueBroker) async throws -> [Delivery] {
        var all: [Delivery] = []
        #expect(
            try await eventually {
                all += try await broker.receive(limit: count, waiting: false)
                return all.count >= count
            })
        return try #require(all.count == count ? all : nil)
    }
}
