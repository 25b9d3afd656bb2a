import EMSCore
import Logging

/// The fan-out exchange `ems.live`: every daemon has a queue of its own, which lives as long as its connection.
struct RabbitMQLiveExchange: LiveExchange {
    let url: AMQPURL
    let topology: Topology
    let signer: MessageSigner
    let publisher: Publisher
    let logger: Logger

    func announce(_ notifications: [RecordedNotification]) async throws {
        if notifications.isEmpty { return }
        let body = LiveMessage.body(of: notifications)
        try await publisher.publish([
            OutgoingMessage(
                exchange: topology.liveExchange, routingKey: "", body: body, type: "notifications",
                headers: [(signatureHeader, .text(try signer.sign(body, id: "", for: .live)))], isPersistent: false, isMandatory: false)
        ])
    }

    func announcements() async -> AsyncStream<[RecordedNotification]> {
        let stream = AsyncStream<[RecordedNotification]>.makeStream()
        let task = Task { await keepListening(stream.continuation) }
        stream.continuation.onTermination = { _ in task.cancel() }
        return stream.stream
    }

    /// Connects again whenever the connection breaks, with growing pauses.
    private func keepListening(_ continuation: AsyncStream<[RecordedNotification]>.Continuation) async {
        var backoff = Backoff()
        var passedOver = PassedOver()
        var listener: LiveListener?
        while !Task.isCancelled {
            do {
                let connected = try listener ?? LiveListener(url, topology: topology)
                listener = connected
                try await connected.connect()
                backoff.reset()
                while !Task.isCancelled {
                    for message in try await connected.next() {
                        do {
                            continuation.yield(try notifications(in: message))
                        } catch {
                            // What the store holds is found all the same.
                            guard let count = passedOver.add() else { continue }
                            logger.warning(
                                "messages at \(topology.liveExchange) are passed over, \(count) so far: \(EMSError(error).message)")
                        }
                    }
                }
            } catch {
                if Task.isCancelled { break }
                let delay = backoff.next()
                logger.warning("live notifications come from the store alone, next try in \(delay): \(EMSError(error))")
                try? await Task.sleep(for: delay)
            }
        }
        await listener?.stop()
        continuation.finish()
    }

    /// - Throws: ``EMSError`` where this installation has not signed it, or it cannot be read.
    private func notifications(in message: LiveListener.Message) throws -> [RecordedNotification] {
        guard try signer.check(message.signature, of: message.body, id: "", for: .live) == .valid else {
            throw EMSError(.malformed, "it is not signed by a key of this installation")
        }
        return try LiveMessage.notifications(in: message.body)
    }
}

/// Counts messages that are passed over. Whoever can publish can publish many: the log is not to grow with them.
private struct PassedOver {
    private static let interval: Duration = .seconds(60)
    private var count = 0
    private var toldAt: ContinuousClock.Instant?

    /// - Returns: how many there are, where it is time to say so.
    mutating func add() -> Int? {
        count += 1
        if let toldAt, .now - toldAt < Self.interval { return nil }
        toldAt = .now
        return count
    }
}

/// The connection behind ``RabbitMQLiveExchange/announcements()``.
private actor LiveListener {
    struct Message: Sendable {
        let body: [UInt8]
        let signature: String?
    }

    /// How many messages may wait here; more are what a stuck process would gather, and are found in the store.
    private static let waitingLimit = 10_000

    private let url: AMQPURL
    private let topology: Topology
    private let thread: ConnectionThread
    private var client: AMQPClient?
    private var waiting: [Message] = []
    private var reader: CheckedContinuation<Void, any Error>?

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(_ url: AMQPURL, topology: Topology) throws {
        self.url = url
        self.topology = topology
        thread = try ConnectionThread.started()
    }

    deinit {
        thread.stop()
    }

    func connect() throws {
        let client = try AMQPClient(url, name: "ems live")
        try topology.declare(with: client)
        let queue = try client.declareQueue("", durable: false, exclusive: true, autoDelete: true)
        try client.bind(queue, to: topology.liveExchange, key: "")
        try client.consume(queue, prefetch: 0, acknowledges: false)
        self.client = client
        thread.watch(client.descriptor) { [weak self] in self?.assumeIsolated { $0.attend() } }
    }

    /// What came in; waits for the first message.
    func next() async throws -> [Message] {
        while waiting.isEmpty, !Task.isCancelled {
            guard client != nil else { throw AMQPFailure.unreachable(url, "the connection was lost") }
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    if Task.isCancelled { return continuation.resume() }
                    reader = continuation
                }
            } onCancel: {
                Task { await self.wake() }
            }
        }
        defer { waiting = [] }
        return waiting
    }

    func stop() {
        client = nil
        thread.unwatch()
    }

    private func wake() {
        reader?.resume()
        reader = nil
    }

    private func attend() {
        guard let client else { return }
        do {
            while let event = try client.nextEvent() {
                switch event {
                case .delivered(let message):
                    if waiting.count < Self.waitingLimit, message.body.count <= Consumer.bodyLimit {
                        waiting.append(Message(body: message.body, signature: message.text(signatureHeader)))
                    }
                    wake()
                case .consumerCancelled: throw AMQPFailure.unreachable(url, "its queue was taken away")
                case .closed(let code, let reason): throw AMQPFailure.closed(by: url, code: code, reason: reason)
                case .confirmed, .returned, .nothing: break
                }
            }
        } catch {
            self.client = nil
            thread.unwatch()
            reader?.resume(throwing: error)
            reader = nil
        }
    }
}

/// The body of a message at `ems.live`: `{"notifications": [{"position", "is_for_everyone", "notification": {…}}]}`.
enum LiveMessage {
    static func body(of notifications: [RecordedNotification]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.name("notifications")
            $0.array { list in
                for recorded in notifications {
                    list.object {
                        $0.member("position", Int(recorded.position))
                        $0.member("is_for_everyone", recorded.isForEveryone)
                        $0.name("notification")
                        recorded.notification.encode(to: &$0)
                    }
                }
            }
        }
        return writer.bytes
    }

    /// - Throws: ``EMSError`` that says what is wrong with the body.
    static func notifications(in body: [UInt8]) throws -> [RecordedNotification] {
        let json: JSONValue
        do {
            json = try JSONParser.parse(body)
        } catch {
            throw EMSError(.malformed, "the body is not JSON: \(error)")
        }
        guard case .array(let elements)? = json["notifications"] else {
            throw EMSError(.malformed, "it holds no notifications")
        }
        return try elements.map { element in
            guard let position = element["position"]?.integer, case .bool(let isForEveryone)? = element["is_for_everyone"] else {
                throw EMSError(.malformed, "a notification has no position")
            }
            return RecordedNotification(
                position: position, notification: try Notification(element["notification"] ?? .null), isForEveryone: isForEveryone)
        }
    }
}
