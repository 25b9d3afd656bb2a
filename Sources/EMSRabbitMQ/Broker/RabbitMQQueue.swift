import EMSCore

/// The queue of one consumer, which all daemons share.
public struct RabbitMQQueue: ChangeQueue {
    private let queue: Topology.Queue
    private let signer: MessageSigner
    private let publisher: Publisher
    private let connection: ConsumingConnection
    private let administrator: Administrator

    init(
        _ url: AMQPURL, topology: Topology, _ consumer: Consumer, signer: MessageSigner, publisher: Publisher, administrator: Administrator
    ) throws {
        queue = topology.queue(of: consumer)
        self.signer = signer
        self.publisher = publisher
        self.administrator = administrator
        connection = try ConsumingConnection(url, topology: topology, queue: queue)
    }

    /// Ends the connection, so that the server is not left to find out.
    public func close() async { await connection.close() }

    public func receive(limit: Int, waiting: Bool) async throws -> [Delivery] {
        let received = try await connection.receive(limit: limit, waiting: waiting)
        do {
            return try received.map {
                let message = $0.message
                let signature = try signer.check(message.signature, of: message.body, id: message.messageID, for: .change)
                return Delivery(tag: $0.tag, message: message, attempt: $0.attempt, signature: signature)
            }
        } catch {
            await connection.release(received.map(\.tag))
            throw error
        }
    }

    public func acknowledge(_ deliveries: [Delivery]) async throws {
        if !deliveries.isEmpty { try await connection.acknowledge(deliveries.map(\.tag)) }
    }

    /// The letter is confirmed before the message is acknowledged: cut short in between, it is there twice and never not at all.
    public func reject(_ delivery: Delivery, reason: String) async throws {
        let letter = DeadLetter(message: delivery.message, reason: reason, attempts: delivery.attempt, diedAt: .now())
        try await publisher.publish([letter.outgoing(to: queue)])
        try await connection.acknowledge([delivery.tag])
    }

    public func release(_ deliveries: [Delivery]) async throws {
        if !deliveries.isEmpty { await connection.release(deliveries.map(\.tag)) }
    }

    public func acknowledge(_ deliveries: [Delivery], settingAside failed: [(delivery: Delivery, reason: String)]) async throws {
        try await acknowledge(deliveries)
        try await release(failed.map(\.delivery))
    }

    /// Messages are acknowledged to the server, after what they led to is stored.
    public func place(after deliveries: [Delivery]) -> ConsumerPlace? { nil }

    public func suspend() async { await connection.close() }

    public func status() async throws -> BrokerStatus {
        let (waiting, dead) = try await administrator.states(of: queue)
        let held = await connection.heldCount
        return BrokerStatus(depth: waiting.messages + held, unacknowledged: held, deadLetters: dead.messages)
    }
}
