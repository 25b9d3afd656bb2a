import EMSCore
import EMSRabbitMQ
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
            let logger = Logger(label: "tests", factory: { _ in SwiftLogNoOpLogHandler() })
            let feed = SequencedLiveFeed(
                store: stores.notifications, exchange: broker.liveExchange(logger: logger), logger: logger)
            try await behaviour.check(StoreFixture(stores: stores, broker: broker, feed: feed))
        }
    }
}
