import EMSCore
import Logging

/// The message broker on RabbitMQ: one connection that publishes, one that consumes, one that looks after the queues, each on its own
/// thread and made when it is first needed.
public struct RabbitMQBroker: MessageBroker {
    public let topology: Topology
    /// The server, without user and password.
    public let server: String
    private let url: AMQPURL
    private let signer: MessageSigner
    private let publisher: Publisher
    private let consumer: Consumer
    private let administrator: Administrator

    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` where the URL cannot be read. Nothing is connected yet.
    public init(url: String, topology: Topology, signer: MessageSigner) throws {
        self.url = try AMQPURL(url)
        self.signer = signer
        self.topology = topology
        server = self.url.server
        publisher = try Publisher(self.url, topology: topology)
        consumer = try Consumer(self.url, topology: topology)
        administrator = try Administrator(self.url, topology: topology)
    }

    /// What tells all daemons of new notifications.
    public func liveExchange(logger: Logger) -> any LiveExchange {
        RabbitMQLiveExchange(url: url, topology: topology, signer: signer, publisher: publisher, logger: logger)
    }

    public var administration: any BrokerAdministration {
        RabbitMQAdministration(topology: topology, server: server, administrator: administrator, signer: signer, publisher: publisher)
    }

    /// Ends all connections, so that the server is not left to find out.
    public func close() async {
        await publisher.close()
        await consumer.close()
        await administrator.close()
    }

    public func publish(_ messages: [BrokerMessage]) async throws {
        try await publisher.publish(messages.map { try $0.signed(by: signer).outgoing(to: topology.exchange) })
    }

    public func receive(limit: Int, waiting: Bool) async throws -> [Delivery] {
        let received = try await consumer.receive(limit: limit, waiting: waiting)
        do {
            return try received.map {
                let message = $0.message
                let signature = try signer.check(message.signature, of: message.body, id: message.messageID, for: .change)
                return Delivery(tag: $0.tag, message: message, attempt: $0.attempt, signature: signature)
            }
        } catch {
            await consumer.release(received.map(\.tag))
            throw error
        }
    }

    public func acknowledge(_ deliveries: [Delivery]) async throws {
        if !deliveries.isEmpty { try await consumer.acknowledge(deliveries.map(\.tag)) }
    }

    /// The letter is confirmed before the message is acknowledged: cut short in between, it is there twice and never not at all.
    public func reject(_ delivery: Delivery, reason: String) async throws {
        let letter = DeadLetter(message: delivery.message, reason: reason, attempts: delivery.attempt, diedAt: .now())
        try await publisher.publish([letter.outgoing(to: topology)])
        try await consumer.acknowledge([delivery.tag])
    }

    public func release(_ deliveries: [Delivery]) async throws {
        if !deliveries.isEmpty { await consumer.release(deliveries.map(\.tag)) }
    }

    public func acknowledge(_ deliveries: [Delivery], settingAside failed: [(delivery: Delivery, reason: String)]) async throws {
        try await acknowledge(deliveries)
        try await release(failed.map(\.delivery))
    }

    /// Messages are acknowledged to the server, after what they led to is stored.
    public func place(after deliveries: [Delivery]) -> ConsumerPlace? { nil }

    public func suspend() async { await consumer.close() }

    public func status() async throws -> BrokerStatus {
        let (queue, dead) = try await administrator.states()
        let held = await consumer.heldCount
        return BrokerStatus(depth: queue.messages + held, unacknowledged: held, deadLetters: dead.messages)
    }
}

/// The header that holds a message's signature.
let signatureHeader = "x-ems-signature"

extension BrokerMessage {
    init(_ message: IncomingMessage, routingKey: String) {
        self.init(
            messageID: message.messageID, routingKey: routingKey, body: message.body, signature: message.text(signatureHeader),
            traceparent: message.text("traceparent").flatMap { TraceParent($0) })
    }

    func signed(by signer: MessageSigner) throws -> BrokerMessage {
        BrokerMessage(
            messageID: messageID, routingKey: routingKey, body: body, signature: try signer.sign(body, id: messageID, for: .change),
            traceparent: traceparent)
    }

    func outgoing(to exchange: String) -> OutgoingMessage {
        var message = OutgoingMessage(exchange: exchange, routingKey: routingKey, body: body, messageID: messageID, type: "event")
        if let trace = traceparent?.description ?? ownTrace { message.headers.append(("traceparent", .text(trace))) }
        if let signature { message.headers.append((signatureHeader, .text(signature))) }
        return message
    }

    /// W3C Trace Context (w3.org/TR/trace-context, section 3.2): the id of the change is the id of its trace.
    private var ownTrace: String? {
        guard messageID.utf8.count == 32, messageID.allSatisfy({ $0.isHexDigit }) else { return nil }
        return "00-\(messageID)-\(messageID.suffix(16))-01"
    }
}

extension DeadLetter {
    private static let reasonHeader = "x-ems-reason"
    private static let attemptsHeader = "x-ems-attempts"
    private static let diedAtHeader = "x-ems-died-at"
    private static let routingKeyHeader = "x-ems-routing-key"

    func outgoing(to topology: Topology) -> OutgoingMessage {
        var letter = message.outgoing(to: "")
        return OutgoingMessage(
            exchange: "", routingKey: topology.deadLetterQueue, body: message.body, messageID: message.messageID, type: "event",
            headers: {
                letter.headers += [
                    (Self.reasonHeader, .text(reason)), (Self.attemptsHeader, .integer(Int64(attempts))),
                    (Self.routingKeyHeader, .text(message.routingKey)), (Self.diedAtHeader, .text((diedAt ?? .now()).description)),
                ]
                return letter.headers
            }())
    }

    /// One of ours, or one that RabbitMQ itself put there (`x-death`).
    init(_ message: IncomingMessage) {
        func number(_ name: String) -> Int? {
            if case .integer(let number)? = message.headers[name] { Int(number) } else { nil }
        }
        let reason =
            message.text(Self.reasonHeader)
            ?? message.text("x-death.reason").map { Self.reason($0, bytes: message.body.count) }
        let action = (try? JSONParser.parse(message.body))?["action"]?.string
        self.init(
            message: BrokerMessage(
                message, routingKey: message.text(Self.routingKeyHeader) ?? action.map { "event.\($0)" } ?? message.routingKey),
            reason: reason ?? "unknown", attempts: number(Self.attemptsHeader) ?? number("x-delivery-count") ?? 0,
            diedAt: message.text(Self.diedAtHeader).flatMap { Timestamp($0) }
                ?? number("x-death.time").flatMap { Self.moment(seconds: $0) })
    }

    /// Why RabbitMQ itself put it there.
    private static func reason(_ word: String, bytes: Int) -> String {
        switch word {
        case "delivery_limit": "its consumers crashed \(Topology.deliveryLimit) times while processing it"
        case "rejected" where bytes > ChangeConsumer.bodyLimit:
            "the message has \(bytes) bytes; \(ChangeConsumer.bodyLimit) are read at most"
        case "rejected": "its headers cannot be read"
        default: word
        }
    }

    /// Whoever publishes can write any number there.
    private static func moment(seconds: Int) -> Timestamp? {
        let (milliseconds, isTooLarge) = Int64(seconds).multipliedReportingOverflow(by: 1000)
        return isTooLarge ? nil : Timestamp(stored: milliseconds)
    }
}
