import EMSCore

/// A connection that publishes: hundreds of messages are on their way while the first confirm comes.
actor Publisher {
    /// After so long without a confirm the connection counts as dead.
    private static let patience: Duration = .seconds(10)

    private struct Waiter {
        let continuation: CheckedContinuation<Void, any Error>
        let deadline: ContinuousClock.Instant
    }

    private let url: AMQPURL
    private let topology: Topology
    private let thread: ConnectionThread
    private var client: AMQPClient?
    private var ledger = PublishLedger<Int>()
    private var waiters: [Int: Waiter] = [:]
    private var lastBatch = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(_ url: AMQPURL, topology: Topology) throws {
        self.url = url
        self.topology = topology
        thread = try ConnectionThread.started()
    }

    deinit {
        thread.stop()
    }

    /// Publishes, and returns when the server has confirmed every message.
    func publish(_ messages: [OutgoingMessage]) async throws {
        if messages.isEmpty { return }
        let client = try connected()
        lastBatch += 1
        let batch = lastBatch
        ledger.publish(batch, messages.map { $0.messageID ?? "" })
        do {
            for message in messages { try client.publish(message) }
        } catch {
            lost(EMSError(error))
            throw error
        }
        try await withCheckedThrowingContinuation { continuation in
            waiters[batch] = Waiter(continuation: continuation, deadline: .now + Self.patience)
        }
    }

    /// Ends the connection; what was not confirmed fails.
    func close() {
        lost(EMSError(.goingAway, "the connection to RabbitMQ is being closed"))
    }

    private func connected() throws -> AMQPClient {
        if let client { return client }
        let client = try AMQPClient(url, name: "ems publisher")
        try topology.declare(with: client)
        try client.selectConfirms()
        self.client = client
        ledger = PublishLedger()
        thread.watch(client.descriptor) { [weak self] in self?.assumeIsolated { $0.attend() } }
        return client
    }

    /// Hears what the server says.
    private func attend() {
        guard let client else { return }
        do {
            while let event = try client.nextEvent() { try handle(event) }
        } catch {
            return lost(EMSError(error))
        }
        if let late = waiters.values.map(\.deadline).min(), late < .now {
            lost(AMQPFailure.unreachable(url, "no confirm for \(Self.patience)"))
        }
    }

    private func handle(_ event: AMQPEvent) throws {
        switch event {
        case .confirmed(let tag, let isMultiple, let isPositive):
            for (batch, outcome) in ledger.confirmed(tag, isMultiple: isMultiple, isPositive: isPositive) {
                finish(batch, outcome)
            }
        case .returned(let messageID, let reason): ledger.returned(messageID, reason)
        case .closed(let code, let reason): throw AMQPFailure.closed(by: url, code: code, reason: reason)
        case .delivered, .consumerCancelled, .nothing: break
        }
    }

    private func finish(_ batch: Int, _ outcome: PublishLedger<Int>.Outcome) {
        guard let waiter = waiters.removeValue(forKey: batch) else { return }
        switch outcome {
        case .confirmed: waiter.continuation.resume()
        case .unroutable(let reason):
            // The binding is gone: the next connection declares it again.
            client = nil
            thread.unwatch()
            let error = EMSError(
                .unreachable, "RabbitMQ at \(url.server) has no queue for what is published to \(topology.exchange) (\(reason))",
                fix: "ems broker declare", retryAfter: 1)
            waiter.continuation.resume(throwing: error)
            failAll(error)
        case .refused:
            waiter.continuation.resume(
                throwing: EMSError(
                    .busy, "RabbitMQ at \(url.server) could not store a message", fix: "look at its log, memory and disk", retryAfter: 1))
        }
    }

    private func lost(_ error: EMSError) {
        client = nil
        thread.unwatch()
        failAll(error)
    }

    private func failAll(_ error: EMSError) {
        let waiting = waiters.values
        waiters = [:]
        for waiter in waiting { waiter.continuation.resume(throwing: error) }
    }
}
