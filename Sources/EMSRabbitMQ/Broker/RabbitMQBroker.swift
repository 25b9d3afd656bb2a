import EMSCore
import Logging

/// The message broker on RabbitMQ: a connection that publishes, one for each consumer, and one that looks after the queues, each on its own
/// thread and made when it is first needed.
public struct RabbitMQBroker: ChangePublisher {
    public let topology: Topology
    /// The server, without user and password.
    public let server: String
    private let url: AMQPURL
    private let signer: MessageSigner
    private let publisher: Publisher
    private let administrator: Administrator

    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` where the URL cannot be read. Nothing is connected yet.
    public init(url: String, topology: Topology, signer: MessageSigner) throws {
        self.url = try AMQPURL(url)
        self.signer = signer
        self.topology = topology
        server = self.url.server
        publisher = try Publisher(self.url, topology: topology)
        administrator = try Administrator(self.url, topology: topology)
    }

    /// What tells all daemons of new notifications.
    public func liveExchange(logger: Logger) -> any LiveExchange {
        RabbitMQLiveExchange(url: url, topology: topology, signer: signer, publisher: publisher, logger: logger)
    }

    public var administration: any BrokerAdministration {
        RabbitMQAdministration(topology: topology, server: server, administrator: administrator, signer: signer, publisher: publisher)
    }

    /// Where a consumer takes its changes from.
    public func queue(of consumer: Consumer) throws -> RabbitMQQueue {
        try RabbitMQQueue(url, topology: topology, consumer, signer: signer, publisher: publisher, administrator: administrator)
    }

    /// Ends the connections, so that the server is not left to find out.
    public func close() async {
        await publisher.close()
        await administrator.close()
    }

    public func publish(_ messages: [BrokerMessage]) async throws {
        try await publisher.publish(messages.map { try $0.signed(by: signer).outgoing(to: topology.exchange) })
    }

    public func publish(_ messages: [BrokerMessage], to consumer: Consumer) async throws {
        let queue = topology.queue(of: consumer)
        try await publisher.publish(messages.map { try $0.signed(by: signer).outgoing(to: queue) })
    }
}

/// The header that holds a message's signature.
let signatureHeader = "x-ems-signature"
/// The header that holds the routing key of a message that was not published to the exchange.
private let routingKeyHeader = "x-ems-routing-key"

extension IncomingMessage {
    /// The routing key under which its change was published first.
    var originalRoutingKey: String { text(routingKeyHeader) ?? routingKey }
}

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

    /// To one queue, past the exchange.
    func outgoing(to queue: Topology.Queue) -> OutgoingMessage {
        var message = outgoing(to: "")
        message.headers.append((routingKeyHeader, .text(routingKey)))
        return OutgoingMessage(
            exchange: "", routingKey: queue.name, body: body, messageID: messageID, type: "event", headers: message.headers)
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

    func outgoing(to queue: Topology.Queue) -> OutgoingMessage {
        var letter = message.outgoing(to: "")
        return OutgoingMessage(
            exchange: "", routingKey: queue.deadLetters, body: message.body, messageID: message.messageID, type: "event",
            headers: {
                letter.headers += [
                    (Self.reasonHeader, .text(reason)), (Self.attemptsHeader, .integer(Int64(attempts))),
                    (routingKeyHeader, .text(message.routingKey)), (Self.diedAtHeader, .text((diedAt ?? .now()).description)),
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
                message, routingKey: message.text(routingKeyHeader) ?? action.map { "event.\($0)" } ?? message.routingKey),
            reason: reason ?? "unknown", attempts: number(Self.attemptsHeader) ?? number("x-delivery-count") ?? 0,
            diedAt: message.text(Self.diedAtHeader).flatMap { Timestamp($0) }
                ?? number("x-death.time").flatMap { Self.moment(seconds: $0) })
    }

    /// Why RabbitMQ itself put it there.
    private static func reason(_ word: String, bytes: Int) -> String {
        switch word {
        case "delivery_limit": "its consumers crashed \(Topology.deliveryLimit) times while processing it"
        case "rejected" where bytes > Consumer.bodyLimit:
            "the message has \(bytes) bytes; \(Consumer.bodyLimit) are read at most"
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
