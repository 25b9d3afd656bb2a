/// Carries changes from the relay to the consumers: at least once, to one consumer at a time.
public protocol MessageBroker: Sendable {
    /// Publishes persistently, and returns when the broker has confirmed every message.
    /// - Throws: ``EMSError`` where any was not confirmed; those that were may come again.
    func publish(_ messages: [BrokerMessage]) async throws
    /// Takes up to `limit` messages, and waits for the first one if asked to.
    /// They stay the broker's until acknowledged: those of a consumer that dies are delivered again.
    /// - Returns: an empty array where there is none, or the task was cancelled.
    func receive(limit: Int, waiting: Bool) async throws -> [Delivery]
    func acknowledge(_ deliveries: [Delivery]) async throws
    /// Puts the message among the dead letters.
    func reject(_ delivery: Delivery, reason: String) async throws
    /// Gives the messages back, to be delivered again.
    func release(_ deliveries: [Delivery]) async throws
    func status() async throws -> BrokerStatus
}

/// A message as it is published.
public struct BrokerMessage: Sendable, Equatable {
    /// The id of the change, by which repetitions are recognised.
    public let messageID: String
    public let routingKey: String
    public let body: [UInt8]
    /// As the broker carries it; `nil` for a message that has not been signed.
    public let signature: String?

    public init(messageID: String, routingKey: String, body: [UInt8], signature: String? = nil) {
        self.messageID = messageID
        self.routingKey = routingKey
        self.body = body
        self.signature = signature
    }

    public init(_ change: Change) {
        self.init(messageID: change.id.description, routingKey: change.routingKey, body: change.json())
    }
}

/// A message on its way to a consumer.
public struct Delivery: Sendable, Equatable {
    /// The broker's name for this delivery.
    public let tag: Int64
    public let message: BrokerMessage
    /// How often it has been delivered, this time included.
    public let attempt: Int
    /// Whether this installation wrote the message. Always valid at a broker that only this installation can write to.
    public let signature: MessageSignature

    public init(tag: Int64, message: BrokerMessage, attempt: Int, signature: MessageSignature) {
        self.tag = tag
        self.message = message
        self.attempt = attempt
        self.signature = signature
    }
}

public struct BrokerStatus: Sendable, Equatable {
    /// Messages waiting or being consumed.
    public let depth: Int
    /// Those of them that were delivered and not acknowledged: to this process at RabbitMQ, to any at the embedded broker.
    public let unacknowledged: Int
    public let deadLetters: Int

    public init(depth: Int, unacknowledged: Int, deadLetters: Int) {
        self.depth = depth
        self.unacknowledged = unacknowledged
        self.deadLetters = deadLetters
    }
}
