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
    for queue in [topology.queue, topology.deadLetterQueue] { try client.deleteQueue(queue) }
    for exchange in [topology.exchange, topology.liveExchange] { try client.deleteExchange(exchange) }
}

let testSigner = MessageSigner { [Array("a secret that only the tests have".utf8)] }

func withBroker(_ body: (RabbitMQBroker) async throws -> Void) async throws {
    try await withTopology { topology in
        let broker = try RabbitMQBroker(url: TestServer.url ?? "", topology: topology, signer: testSigner)
        try await body(broker)
        await broker.close()
    }
}
