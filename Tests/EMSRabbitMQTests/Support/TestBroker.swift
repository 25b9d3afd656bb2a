@testable import EMSRabbitMQ
import EMSCore
import StoreConformance
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The RabbitMQ that the tests use: `scripts/services run` says where it is.
enum TestServer {
    static let url = ProcessInfo.processInfo.environment["EMS_TEST_RABBITMQ_URL"]
    static let isHere: Bool = url != nil
    static let hint: Comment = "needs a RabbitMQ: run the tests with `make test` or `scripts/services run swift test`"
}

/// Runs `body` with exchanges and queues of its own, which are gone afterwards.
func withTopology(_ body: (Topology) async throws -> Void) async throws {
    let name = "ems-test-\(ID<Topology>())"
    let topology = Topology(exchange: name, queue: name)
    do {
        try await body(topology)
    } catch {
        try remove(topology)
        throw error
    }
    try remove(topology)
}

private func remove(_ topology: Topology) throws {
    let client = try AMQPClient(AMQPURL(TestServer.url ?? ""), name: "ems tests")
    for queue in (Consumer.all + [slow]).map(topology.queue) {
        for name in [queue.name, queue.deadLetters] { try client.deleteQueue(name) }
    }
    for exchange in [topology.exchange, topology.liveExchange] { try client.deleteExchange(exchange) }
}

/// A consumer that there is in the tests only.
let slow = Consumer(name: "slow", subjects: [.event])

/// The broker as one consumer sees it.
struct OneQueueBroker: MessageBroker {
    let broker: RabbitMQBroker
    let queue: RabbitMQQueue

    init(_ broker: RabbitMQBroker, _ consumer: Consumer = .inbox) throws {
        self.broker = broker
        queue = try broker.queue(of: consumer)
    }

    func publish(_ messages: [BrokerMessage]) async throws { try await broker.publish(messages) }
    func publish(_ messages: [BrokerMessage], to consumer: Consumer) async throws { try await broker.publish(messages, to: consumer) }
    func receive(limit: Int, waiting: Bool) async throws -> [Delivery] { try await queue.receive(limit: limit, waiting: waiting) }
    func acknowledge(_ deliveries: [Delivery]) async throws { try await queue.acknowledge(deliveries) }
    func acknowledge(_ deliveries: [Delivery], settingAside failed: [(delivery: Delivery, reason: String)]) async throws {
        try await queue.acknowledge(deliveries, settingAside: failed)
    }
    func place(after deliveries: [Delivery]) -> ConsumerPlace? { queue.place(after: deliveries) }
    func reject(_ delivery: Delivery, reason: String) async throws { try await queue.reject(delivery, reason: reason) }
    func release(_ deliveries: [Delivery]) async throws { try await queue.release(deliveries) }
    func suspend() async { await queue.suspend() }
    func status() async throws -> BrokerStatus { try await queue.status() }
}

let testSigner = MessageSigner { [Array("a secret that only the tests have".utf8)] }

func withBroker(_ body: (RabbitMQBroker) async throws -> Void) async throws {
    try await withTopology { topology in
        let broker = try RabbitMQBroker(url: TestServer.url ?? "", topology: topology, signer: testSigner)
        try await body(broker)
        await broker.close()
    }
}
