/// Where the relay publishes changes to.
public protocol ChangePublisher: Sendable {
    /// Publishes persistently, and returns when the broker has confirmed every message.
    /// - Throws: ``EMSError`` where any was not confirmed; those that were may come again.
    func publish(_ messages: [BrokerMessage]) async throws
    /// As ``publish(_:)``, to one consumer only, which is to have them again.
    func publish(_ messages: [BrokerMessage], to consumer: Consumer) async throws
}

/// A broker that is a server of its own.
public typealias MessageBroker = ChangePublisher & ChangeQueue

/// Where a consumer takes its changes from: at least once, one process at a time.
public protocol ChangeQueue: Sendable {
    /// Takes up to `limit` messages, and waits for the first one if asked to.
    /// They stay the broker's until acknowledged: those of a consumer that dies are delivered again.
    /// - Returns: an empty array where there is none, or the task was cancelled.
    func receive(limit: Int, waiting: Bool) async throws -> [Delivery]
    func acknowledge(_ deliveries: [Delivery]) async throws
    /// The consumer's new place after these deliveries, to be stored together with what the consumer makes of them; `nil` if they must be
    /// acknowledged afterwards.
    func place(after deliveries: [Delivery]) -> ConsumerPlace?
    /// Puts the message among the dead letters.
    func reject(_ delivery: Delivery, reason: String) async throws
    /// Gives the messages back, to be delivered again at once.
    func release(_ deliveries: [Delivery]) async throws
    /// Acknowledges messages, and gives back those that failed while these did not: they are delivered again later, and hold up no other.
    func acknowledge(_ deliveries: [Delivery], settingAside failed: [(delivery: Delivery, reason: String)]) async throws
    /// Gives back all that was delivered and not acknowledged, and takes nothing until the next ``receive(limit:waiting:)``.
    func suspend() async
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

    /// The trace that the change belongs to, if it came with one.
    public let traceparent: TraceParent?

    public init(messageID: String, routingKey: String, body: [UInt8], signature: String? = nil, traceparent: TraceParent? = nil) {
        self.messageID = messageID
        self.routingKey = routingKey
        self.body = body
        self.signature = signature
        self.traceparent = traceparent
    }

    /// - Throws: ``EMSError`` if the change cannot be read.
    public init(_ change: Change) throws {
        self.init(
            messageID: change.id.description, routingKey: change.routingKey, body: try change.message(),
            traceparent: change.source.traceparent)
    }
}

/// A message on its way to a consumer.
public struct Delivery: Sendable, Equatable {
    /// The broker's name for this delivery.
    public let tag: Int64
    public let message: BrokerMessage
    /// The change, if the queue holds changes and not messages; the message's body is empty then.
    public let change: Change?
    /// How often it has been delivered, this time included.
    public let attempt: Int
    /// Whether this installation wrote the message. Always valid at a broker that only this installation can write to.
    public let signature: MessageSignature

    public init(tag: Int64, message: BrokerMessage, change: Change? = nil, attempt: Int, signature: MessageSignature) {
        self.tag = tag
        self.message = message
        self.change = change
        self.attempt = attempt
        self.signature = signature
    }
}

/// The step of a consumer along the journal: taken by nobody else in the meantime, or not at all.
public struct ConsumerPlace: Sendable, Equatable {
    public let consumer: String
    /// The position the consumer had when it read on: it must not have gone back since.
    public let from: Int64
    /// The position of the first entry that it read: it must not have come there since.
    public let first: Int64
    /// The position it has afterwards.
    public let through: Int64

    public init(consumer: String, from: Int64, first: Int64, through: Int64) {
        self.consumer = consumer
        self.from = from
        self.first = first
        self.through = through
    }
}

public struct BrokerStatus: Sendable, Equatable {
    /// Messages waiting or being consumed.
    public let depth: Int
    /// Those of them that were delivered and not acknowledged: to this process at RabbitMQ; in the embedded queue, those set aside.
    public let unacknowledged: Int
    public let deadLetters: Int

    public init(depth: Int, unacknowledged: Int, deadLetters: Int) {
        self.depth = depth
        self.unacknowledged = unacknowledged
        self.deadLetters = deadLetters
    }
}
