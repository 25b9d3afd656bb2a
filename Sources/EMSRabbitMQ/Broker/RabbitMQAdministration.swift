import EMSCore

/// What operators do with RabbitMQ.
struct RabbitMQAdministration: BrokerAdministration {
    let topology: Topology
    let server: String
    let administrator: Administrator
    let signer: MessageSigner
    let publisher: Publisher

    func report() async throws -> BrokerReport {
        let inbox = topology.queue(of: .inbox)
        let (queue, dead) = try await administrator.states(of: inbox)
        return BrokerReport(
            kind: "rabbitmq", location: server, version: try await administrator.version(), queue: inbox.name, depth: queue.messages,
            unacknowledged: nil, consumers: queue.consumers, deadLetters: dead.messages)
    }

    func probe() async throws { try await administrator.probe() }

    func declare(replacing: Bool) async throws -> Int {
        do {
            try await administrator.declare()
            return 0
        } catch let difference as EMSError where difference.code == .configuration && replacing {
            return try await administrator.replaceQueues()
        }
    }

    func deadLetters(of consumer: Consumer, limit: Int) async throws -> [DeadLetter] {
        try await administrator.letters(in: topology.queue(of: consumer), limit: limit)
    }

    /// To the consumer's own queue: the others have dealt with them.
    func requeue(_ selection: DeadLetterSelection, of consumer: Consumer, signing: Bool) async throws -> Int {
        let queue = topology.queue(of: consumer)
        return try await administrator.take(selection, from: queue) { [publisher, signer] letters in
            let messages = try letters.map { signing ? try $0.message.signed(by: signer) : $0.message }
            try await publisher.publish(messages.map { $0.outgoing(to: queue) })
        }
    }

    func drop(_ selection: DeadLetterSelection, of consumer: Consumer) async throws -> Int {
        let queue = topology.queue(of: consumer)
        // All are dropped without being read: it is the way out where one of them cannot be.
        if selection == .all { return try await administrator.purgeDeadLetters(of: queue) }
        return try await administrator.take(selection, from: queue) { _ in }
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

    func states(of queue: Topology.Queue) throws -> (queue: QueueState, dead: QueueState) {
        try connected { client in
            (try client.queueState(queue.name), try client.queueState(queue.deadLetters))
        }
    }

    func version() throws -> String {
        try connected { $0.serverVersion }
    }

    func letters(in queue: Topology.Queue, limit: Int) throws -> [DeadLetter] {
        try alone { client in
            var letters: [DeadLetter] = []
            while letters.count < limit, let message = try client.get(queue.deadLetters) {
                letters.append(DeadLetter(message))
            }
            return letters
        }
    }

    /// Those that another connection has just looked at are back in the queue a moment after its end: a purge does not see them before.
    func purgeDeadLetters(of queue: Topology.Queue) async throws -> Int {
        let client = try AMQPClient(url, name: "ems dead letters")
        var dropped = 0
        var triesLeft = 20
        while triesLeft > 0 {
            let count = try client.purge(queue.deadLetters)
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
    func take(
        _ selection: DeadLetterSelection, from queue: Topology.Queue, _ handOver: @Sendable ([DeadLetter]) async throws -> Void
    ) async throws -> Int {
        let client = try AMQPClient(url, name: "ems dead letters")
        // Those that somebody has just looked at come back in a moment.
        var patience = 20
        var rest = try client.queueState(queue.deadLetters).messages
        while rest == 0, patience > 0 {
            patience -= 1
            try await Task.sleep(for: .milliseconds(100))
            rest = try client.queueState(queue.deadLetters).messages
        }
        var batch: [(tag: UInt64, letter: DeadLetter)] = []
        var taken = 0
        var wanted: Int? = if case .messages(let ids) = selection { ids.count } else { nil }
        while rest > 0 || (wanted ?? 0) > 0 {
            guard let message = try client.get(queue.deadLetters) else {
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
        _ = try client.queueState(queue.deadLetters)
        return taken
    }

    /// Recreates the queues that are declared differently, after moving their messages to the dead letters.
    /// - Returns: how many those were.
    func replaceQueues() throws -> Int {
        var moved = 0
        for consumer in Consumer.all {
            let queue = topology.queue(of: consumer)
            do {
                // A refused declaration ends its channel.
                try alone { try queue.declare(with: $0, exchange: topology.exchange) }
            } catch let difference as EMSError where difference.code == .configuration {
                moved += try replace(queue)
            }
        }
        try declare()
        return moved
    }

    private func replace(_ queue: Topology.Queue) throws -> Int {
        try alone { client in
            try client.declareQueue(queue.deadLetters, arguments: queue.deadLetterArguments)
            try client.selectConfirms()
            var moved = 0
            while let message = try client.get(queue.name) {
                let letter = DeadLetter(
                    message: BrokerMessage(message, routingKey: message.originalRoutingKey),
                    reason: "it lay in a queue that was declared otherwise", attempts: 0, diedAt: .now())
                try client.publish(letter.outgoing(to: queue))
                try confirm(client)
                try client.acknowledge(message.deliveryTag, multiple: false)
                moved += 1
            }
            try client.deleteQueue(queue.name)
            try queue.declare(with: client, exchange: topology.exchange)
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
