import EMSCore

/// What `ems` needs at RabbitMQ, declared by whoever comes first.
public struct Topology: Sendable {
    /// The topic exchange changes are published to.
    public let exchange: String
    /// The fan-out exchange that tells all daemons of new notifications.
    public let liveExchange: String
    private let inboxQueue: String

    /// Two installations at one RabbitMQ have exchanges of different names: what one tells its daemons is nothing to the other's.
    /// - Parameter queue: that of ``Consumer/inbox``; those of others are called after the exchange.
    public init(exchange: String, queue: String) {
        self.exchange = exchange
        inboxQueue = queue
        liveExchange = exchange == "ems.changes" ? "ems.live" : exchange + ".live"
    }

    /// The quorum queue of a consumer, and the one of its dead letters.
    struct Queue: Sendable {
        let name: String
        /// Of which changes it gets the messages, as patterns of routing keys.
        let bindingKeys: [String]

        var deadLetters: String { name + ".dead" }

        /// Dead letters are handed over at least once, for which the queue must refuse rather than drop
        /// (rabbitmq.com/docs/quorum-queues#activating-at-least-once-dead-lettering).
        var arguments: [(name: String, value: AMQPValue)] {
            [
                ("x-queue-type", .text("quorum")), ("x-dead-letter-exchange", .text("")),
                ("x-dead-letter-routing-key", .text(deadLetters)), ("x-dead-letter-strategy", .text("at-least-once")),
                ("x-overflow", .text("reject-publish")), ("x-delivery-limit", .integer(Topology.deliveryLimit)),
            ]
        }

        /// Looking at a dead letter counts as a delivery; newer servers would drop it after twenty looks.
        var deadLetterArguments: [(name: String, value: AMQPValue)] {
            [("x-queue-type", .text("quorum")), ("x-delivery-limit", .integer(1_000_000_000))]
        }

        func declare(with client: AMQPClient, exchange: String) throws {
            try client.declareQueue(deadLetters, arguments: deadLetterArguments)
            try client.declareQueue(name, arguments: arguments)
            for key in bindingKeys { try client.bind(name, to: exchange, key: key) }
        }
    }

    func queue(of consumer: Consumer) -> Queue {
        Queue(
            name: consumer == .inbox ? inboxQueue : "\(exchange).\(consumer.name)",
            bindingKeys: consumer.subjects.map { "\($0.rawValue).*" })
    }

    /// How often RabbitMQ itself delivers a message whose consumers die over it.
    static let deliveryLimit: Int64 = 20

    /// Declares what is missing.
    /// - Throws: ``EMSError`` that names the difference, where something of the name is otherwise.
    func declare(with client: AMQPClient) throws {
        try client.declareExchange(exchange, kind: "topic")
        try client.declareExchange(liveExchange, kind: "fanout")
        for consumer in Consumer.all { try queue(of: consumer).declare(with: client, exchange: exchange) }
    }
}
