import EMSCore

/// Where a suite has no broker: whoever asks for one is mistaken.
public struct NoBroker: ChangePublisher, ChangeQueue, LiveFeed {
    private static let unused = EMSError(.internal, "this suite has no broker")

    public init() {}

    public func publish(_ messages: [BrokerMessage]) async throws { throw Self.unused }
    public func publish(_ messages: [BrokerMessage], to consumer: Consumer) async throws { throw Self.unused }
    public func receive(limit: Int, waiting: Bool) async throws -> [Delivery] { throw Self.unused }
    public func acknowledge(_ deliveries: [Delivery]) async throws { throw Self.unused }
    public func acknowledge(_ deliveries: [Delivery], settingAside failed: [(delivery: Delivery, reason: String)]) async throws {
        throw Self.unused
    }
    public func place(after deliveries: [Delivery]) -> ConsumerPlace? { nil }
    public func reject(_ delivery: Delivery, reason: String) async throws { throw Self.unused }
    public func release(_ deliveries: [Delivery]) async throws { throw Self.unused }
    public func suspend() async {}
    public func status() async throws -> BrokerStatus { throw Self.unused }
    public func announce(_ notifications: [RecordedNotification]) async throws { throw Self.unused }
    public func notifications() async throws -> AsyncStream<[RecordedNotification]> { throw Self.unused }
}
