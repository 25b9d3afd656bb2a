/// What `ems` needs at RabbitMQ, declared by whoever comes first.
public struct Topology: Sendable {
    /// The topic exchange changes are published to.
    public let exchange: String
    /// The quorum queue they are consumed from.
    public let queue: String
    /// The fan-out exchange that tells all daemons of new notifications.
    public let liveExchange: String

    /// Two installations at one RabbitMQ have exchanges of different names: what one tells its daemons is nothing to the other's.
    public init(exchange: String, queue: String) {
        self.exchange = exchange
        self.queue = queue
        liveExchange = exchange == "ems.changes" ? "ems.live" : exchange + ".live"
    }

    public var deadLetterQueue: String { queue + ".dead" }

    /// All changes of events.
    static let bindingKey = "event.*"

    /// How often RabbitMQ itself delivers a message whose consumers die over it.
    static let deliveryLimit: Int64 = 20

    /// Dead letters are handed over at least once, for which the queue must refuse rather than drop
    /// (rabbitmq.com/docs/quorum-queues#activating-at-least-once-dead-lettering).
    var queueArguments: [(name: String, value: AMQPValue)] {
        [
            ("x-queue-type", .text("quorum")), ("x-dead-letter-exchange", .text("")),
            ("x-dead-letter-routing-key", .text(deadLetterQueue)), ("x-dead-letter-strategy", .text("at-least-once")),
            ("x-overflow", .text("reject-publish")), ("x-delivery-limit", .integer(Self.deliveryLimit)),
        ]
    }

    /// Looking at a dead letter counts as a delivery; newer servers would drop it after twenty looks.
    var deadLetterArguments: [(name: String, value: AMQPValue)] {
        [("x-queue-type", .text("quorum")), ("x-delivery-limit", .integer(1_000_000_000))]
    }

    /// Declares what is missing.
    /// - Throws: ``EMSError`` that names the difference, where something of the name is otherwise.
    func declare(with client: AMQPClient) throws {
        try client.declareExchange(exchange, kind: "topic")
        try client.declareExchange(liveExchange, kind: "fanout")
        try client.declareQueue(deadLetterQueue, arguments: deadLetterArguments)
        try client.declareQueue(queue, arguments: queueArguments)
        try client.bind(queue, to: exchange, key: Self.bindingKey)
    }
}
