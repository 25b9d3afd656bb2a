import EMSCore

/// What operators do with RabbitMQ.
struct RabbitMQAdministration: BrokerAdministration {
    let topology: Topology
    let server: String
    let administrator: Administrator
    let signer: MessageSigner
    let publisher: Publisher

    func report() async throws -> BrokerReport {
        let (queue, dead) = try await administrator.states()
        return BrokerReport(
            kind: "rabbitmq", location: server, version: try await administrator.version(), queue: topology.queue, depth: queue.messages,
            unacknowledged: nil, consumers: queue.consumers, deadLetters: dead.messages)
    }

    func probe() async throws { try await administrator.probe() }

    func declare(replacing: Bool) async throws -> Int {
        do {
            try await administrator.declare()
            return 0
        } catch let difference as EMSError where difference.code == .configuration && replacing {
            return try await administrator.replaceQueue()
        }
    }

    func deadLetters(limit: Int) async throws -> [DeadLetter] {
        try await administrator.letters(limit: limit)
    }

    func requeue(_ selection: DeadLetterSelection, signing: Bool) async throws -> Int {
        try await administrator.take(selection) { [publisher, signer, topology] letters in
            let messages = try letters.map { signing ? try $0.message.signed(by: signer) : $0.message }
            try await publisher.publish(messages.map { $0.outgoing(to: topology.exchange) })
        }
    }

    func drop(_ selection: DeadLetterSelection) async throws -> Int {
        // All are dropped without being read: it is the way out where one of them cannot be.
        if selection == .all { return try await administrator.purgeDeadLetters() }
        return try await administrator.take(selection) { _ in }
    }
}

/// A connection that looks after the queues. What it takes from one and does not acknowledge goes back with the connection.
actor Administrator {
    /// How many letters are handed over at once.
    private static let batchSize = 256

    private let url: AMQPURL
    private let topology: Topology
    private let thread: ConnectionThread
    private var client: AMQPClient?

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(_ url: AMQPURL, topology: Topology) throws {
        self.url = url
        self.topology = topology
        thread = try ConnectionThread.started()
    }

    deinit {
        thread.stop()
    }

    // MARK: Looking

    func states() throws -> (queue: QueueState, dead: QueueState) {
        try connected { client in
            (try client.queueState(topology.queue), try client.queueState(topology.deadLetterQueue))
        }
    }

    func version() throws -> String {
        try connected { $0.serverVersion }
    }

    func letters(limit: Int) throws -> [DeadLetter] {
        try alone { client in
            var letters: [DeadLetter] = []
            while letters.count < limit, let message = try client.get(topology.deadLetterQueue) {
                letters.append(DeadLetter(message))
            }
            return letters
        }
    }

    /// Those that another connection has just looked at are back in the queue a moment after its end: a purge does not see them before.
    func purgeDeadLetters() async throws -> Int {
        let client = try AMQPClient(url, name: "ems dead letters")
        var dropped = 0
        var triesLeft = 20
        while triesLeft > 0 {
            let count = try client.purge(topology.deadLetterQueue)
            dropped += count
            triesLeft = count > 0 ? 20 : triesLeft - 1
            try await Task.sleep(for: .milliseconds(100))
        }
        return dropped
    }

    // MARK: Probing

    /// On a connection and a queue of its own, which go together.
    func probe() throws {
        let client = try AMQPClient(url, name: "ems doctor")
        let queue = try client.declareQueue("", durable: false, exclusive: true, autoDelete: true)
        try client.selectConfirms()
        try client.publish(OutgoingMessage(exchange: "", routingKey: queue, body: Array("{}".utf8), messageID: "probe"))
        guard try Self.confirmed(client) else { throw EMSError(.unreachable, "RabbitMQ did not confirm a message within 5 s") }
        guard let message = try client.get(queue), message.messageID == "probe" else {
            throw EMSError(.unreachable, "a message that RabbitMQ confirmed did not come back")
        }
        try client.acknowledge(message.deliveryTag, multiple: false)
        // What no queue takes must come back, or changes would be lost on a missing binding.
        try client.publish(OutgoingMessage(exchange: "", routingKey: queue + ".none", body: [], messageID: "unroutable"))
        guard try !Self.confirmed(client) else { throw EMSError(.unreachable, "RabbitMQ confirmed a message that no queue took") }
    }

    /// - Returns: `false` where the message came back first.
    private static func confirmed(_ client: AMQPClient) throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(5)
        while ContinuousClock.now < deadline {
            switch try client.nextEvent(within: .milliseconds(100)) {
            case .confirmed(_, _, let isPositive): return isPositive
            case .returned: return false
            case .closed(_, let reason): throw EMSError(.unreachable, "RabbitMQ closed the channel: \(reason)")
            default: continue
            }
        }
        return false
    }

    // MARK: Changing

    func declare() throws {
        try alone { try topology.declare(with: $0) }
    }

    /// Takes the chosen letters out of the queue, those of a batch when `handOver` has returned.
    func take(_ selection: DeadLetterSelection, _ handOver: @Sendable ([DeadLetter]) async throws -> Void) async throws -> Int {
        let client = try AMQPClient(url, name: "ems dead letters")
        // Those that somebody has just looked at come back in a moment.
        var patience = 20
        var rest = try client.queueState(topology.deadLetterQueue).messages
        while rest == 0, patience > 0 {
            patience -= 1
            try await Task.sleep(for: .milliseconds(100))
            rest = try client.queueState(topology.deadLetterQueue).messages
        }
        var batch: [(tag: UInt64, letter: DeadLetter)] = []
        var taken = 0
        var wanted: Int? = if case .messages(let ids) = selection { ids.count } else { nil }
        while rest > 0 || (wanted ?? 0) > 0 {
            guard let message = try client.get(topology.deadLetterQueue) else {
                guard let left = wanted, left > 0, patience > 0 else { break }
                patience -= 1
                try await Task.sleep(for: .milliseconds(100))
                continue
            }
            if selection.contains(message.messageID) { wanted = wanted.map { $0 - 1 } }
            rest -= 1
            if selection.contains(message.messageID) { batch.append((message.deliveryTag, DeadLetter(message))) }
            if batch.count == Self.batchSize || rest <= 0 {
                try await handOver(batch.map(\.letter))
                for (tag, _) in batch { try client.acknowledge(tag, multiple: false) }
                taken += batch.count
                batch = []
            }
        }
        if !batch.isEmpty {
            try await handOver(batch.map(\.letter))
            for (tag, _) in batch { try client.acknowledge(tag, multiple: false) }
            taken += batch.count
        }
        // An answer to anything tells that the acknowledgements before it were heard.
        _ = try client.queueState(topology.deadLetterQueue)
        return taken
    }

    /// Makes the queue anew, its messages having gone to the dead letters.
    /// - Returns: how many those were.
    func replaceQueue() throws -> Int {
        try alone { client in
            try client.declareQueue(topology.deadLetterQueue, arguments: topology.deadLetterArguments)
            try client.selectConfirms()
            var moved = 0
            while let message = try client.get(topology.queue) {
                let letter = DeadLetter(
                    message: BrokerMessage(message, routingKey: message.routingKey),
                    reason: "it lay in a queue that was declared otherwise", attempts: 0, diedAt: .now())
                try client.publish(letter.outgoing(to: topology))
                try confirm(client)
                try client.acknowledge(message.deliveryTag, multiple: false)
                moved += 1
            }
            try client.deleteQueue(topology.queue)
            try topology.declare(with: client)
            return moved
        }
    }

    private func confirm(_ client: AMQPClient) throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            switch try client.nextEvent(within: .milliseconds(100)) {
            case .confirmed(_, _, let isPositive):
                if isPositive { return }
                throw EMSError(.busy, "RabbitMQ at \(url.server) could not store a message", retryAfter: 1)
            case .returned(_, let reason): throw AMQPFailure.unreachable(url, reason)
            case .closed(let code, let reason): throw AMQPFailure.closed(by: url, code: code, reason: reason)
            case .delivered, .consumerCancelled, .nothing, nil: break
            }
        }
        throw AMQPFailure.unreachable(url, "no confirm")
    }

    // MARK: The connection

    func close() {
        client = nil
        thread.unwatch()
    }

    /// On the connection that stays open; made anew where it has broken.
    private func connected<Value>(_ body: (AMQPClient) throws -> Value) throws -> Value {
        if let client {
            do {
                return try body(client)
            } catch {
                // It may have died while nobody looked: once more, on a new one.
                self.client = nil
                thread.unwatch()
            }
        }
        let client = try AMQPClient(url, name: "ems administrator")
        try topology.declare(with: client)
        let value = try body(client)
        self.client = client
        thread.watch(client.descriptor) { [weak self] in self?.assumeIsolated { $0.attend() } }
        return value
    }

    /// On a connection of its own, which ends with it.
    private func alone<Value>(_ body: (AMQPClient) throws -> Value) throws -> Value {
        try body(AMQPClient(url, name: "ems administrator"))
    }

    private func attend() {
        guard let client else { return }
        do {
            while let event = try client.nextEvent() {
                if case .closed(let code, let reason) = event { throw AMQPFailure.closed(by: url, code: code, reason: reason) }
            }
        } catch {
            self.client = nil
            thread.unwatch()
        }
    }
}
