import EMSCore

/// A connection that consumes the changes of one queue. What was delivered waits here until it is asked for, and is the server's until acknowledged.
actor ConsumingConnection {
    /// How many messages may be here, unacknowledged.
    static let prefetch: UInt16 = 512

    private struct Held {
        let message: BrokerMessage
        var attempt: Int
    }

    /// A delivery whose signature has not been checked.
    struct Received: Sendable {
        let tag: Int64
        let message: BrokerMessage
        let attempt: Int
    }

    private let url: AMQPURL
    private let topology: Topology
    private let queue: Topology.Queue
    private let thread: ConnectionThread
    private var client: AMQPClient?
    /// Counts the connections: a delivery of an earlier one cannot be acknowledged any more.
    private var epoch: Int64 = 0
    /// Delivered and not acknowledged, by tag.
    private var held: [UInt64: Held] = [:]
    /// Those of them that wait to be received, in their order.
    private var ready: [UInt64] = []
    private var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
    private var lastWaiter = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(_ url: AMQPURL, topology: Topology, queue: Topology.Queue) throws {
        self.url = url
        self.topology = topology
        self.queue = queue
        thread = try ConnectionThread.started()
    }

    deinit {
        thread.stop()
    }

    /// How many messages are here.
    var heldCount: Int { held.count }

    // MARK: For the broker

    func receive(limit: Int, waiting: Bool) async throws -> [Received] {
        while true {
            _ = try connected()
            let tags = ready.prefix(limit)
            if !tags.isEmpty {
                ready.removeFirst(tags.count)
                return tags.compactMap { tag in
                    held[tag].map { Received(tag: name(tag), message: $0.message, attempt: $0.attempt) }
                }
            }
            if !waiting || Task.isCancelled { return [] }
            try await arrival()
        }
    }

    /// Returns when something was delivered, or the task is cancelled.
    private func arrival() async throws {
        lastWaiter += 1
        let waiter = lastWaiter
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if Task.isCancelled { return continuation.resume() }
                waiters[waiter] = continuation
            }
        } onCancel: {
            Task { await self.stopWaiting(waiter) }
        }
    }

    private func stopWaiting(_ waiter: Int) {
        waiters.removeValue(forKey: waiter)?.resume()
    }

    func acknowledge(_ names: [Int64]) throws {
        guard let client else { return }
        let tags = names.compactMap(tag).filter { held[$0] != nil }
        guard let last = tags.max() else { return }
        for tag in tags { held[tag] = nil }
        do {
            // Where nothing older is left, one frame acknowledges all.
            if tags.count > 1, !held.keys.contains(where: { $0 < last }) {
                try client.acknowledge(last, multiple: true)
            } else {
                for tag in tags { try client.acknowledge(tag, multiple: false) }
            }
        } catch {
            lost(EMSError(error))
            throw error
        }
    }

    /// Puts messages back to the front of what waits here. The server is not asked, so that it does not count this as a failed delivery.
    func release(_ names: [Int64]) {
        let tags = names.compactMap(tag).filter { held[$0] != nil }
        for tag in tags { held[tag]?.attempt += 1 }
        ready = (ready + tags).sorted()
        wake()
    }

    // MARK: The connection

    /// Ends the connection; what is held here goes back.
    func close() {
        lost(EMSError(.goingAway, "the connection to RabbitMQ is being closed"))
    }

    private func connected() throws -> AMQPClient {
        if let client { return client }
        let client = try AMQPClient(url, name: "ems consumer \(queue.name)")
        try topology.declare(with: client)
        try client.consume(queue.name, prefetch: Self.prefetch, acknowledges: true)
        self.client = client
        epoch = (epoch + 1) & Self.epochMask
        thread.watch(client.descriptor) { [weak self] in self?.assumeIsolated { $0.attend() } }
        return client
    }

    private func attend() {
        guard let client else { return }
        do {
            while let event = try client.nextEvent() { try handle(event) }
        } catch let unreadable as UnreadableMessage {
            // It would come again on every connection: it goes to the dead letters, and the others come on the next one.
            client.reject(unreadable.deliveryTag)
            lost(EMSError(.malformed, "a message that cannot be read went to the dead letters", fix: "ems broker dead drop --all"))
        } catch {
            lost(EMSError(error))
        }
    }

    private func handle(_ event: AMQPEvent) throws {
        switch event {
        case .delivered(let message):
            guard message.deliveryTag < 1 << Self.tagBits else {
                throw AMQPFailure.unreachable(url, "it gives deliveries numbers beyond all bounds")
            }
            // A message that is too long to be read must not occupy memory until its turn.
            guard message.body.count <= Consumer.bodyLimit else {
                client?.reject(message.deliveryTag)
                break
            }
            var attempt = 1
            // Whoever publishes can write any number there.
            if case .integer(let count)? = message.headers["x-delivery-count"] { attempt += Int(min(max(0, count), 1_000_000)) }
            held[message.deliveryTag] = Held(message: BrokerMessage(message, routingKey: message.originalRoutingKey), attempt: attempt)
            ready.append(message.deliveryTag)
            wake()
        case .consumerCancelled:
            throw AMQPFailure.unreachable(url, "the queue \(queue.name) was taken away")
        case .closed(let code, let reason): throw AMQPFailure.closed(by: url, code: code, reason: reason)
        case .confirmed, .returned, .nothing: break
        }
    }

    private func wake() {
        let waiting = waiters.values
        waiters = [:]
        for waiter in waiting { waiter.resume() }
    }

    /// The server gives to others what was held here.
    private func lost(_ error: EMSError) {
        client = nil
        thread.unwatch()
        held = [:]
        ready = []
        let waiting = waiters.values
        waiters = [:]
        for waiter in waiting { waiter.resume(throwing: error) }
    }

    // MARK: Names of deliveries: the connection's number, then the server's tag on it

    private static let tagBits: Int64 = 40
    private static let epochMask: Int64 = (1 << 23) - 1

    private func name(_ tag: UInt64) -> Int64 { epoch << Self.tagBits | Int64(tag) }

    private func tag(_ name: Int64) -> UInt64? {
        guard name >> Self.tagBits == epoch else { return nil }
        return UInt64(name & ((1 << Self.tagBits) - 1))
    }
}
