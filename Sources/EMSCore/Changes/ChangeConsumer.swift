import Logging
import ServiceLifecycle

/// A consumer at work in this process.
public protocol RunningConsumer: Service {
    var consumer: Consumer { get }
    var progress: ConsumerProgress { get }
    /// Consumes all that waits now, without waiting for more.
    /// - Returns: how many changes were consumed.
    func drain() async throws -> Int
}

/// Takes changes from a consumer's queue and has its handler deal with them: perform, then acknowledge.
///
/// Of each consumer any number may run: they compete.
public struct ChangeConsumer<Handler: ChangeHandler>: RunningConsumer {
    /// How often a paused consumer looks whether it may go on.
    private static var pauseInterval: Duration { .seconds(1) }

    public let consumer: Consumer
    private let handler: Handler
    private let queue: any ChangeQueue
    private let batchSize: Int
    private let proveStore: @Sendable () async throws -> Void
    private let unsignedMessagesEnd: @Sendable () async throws -> Timestamp?
    private let isPaused: @Sendable () async throws -> Bool
    private let logger: Logger
    public let progress = ConsumerProgress()

    /// - Parameters:
    ///   - batchSize: how many messages are taken at once.
    ///   - proveStore: writes something to the store, and throws where that fails.
    ///   - unsignedMessagesEnd: see ``ConsumerStore/unsignedMessagesEnd()``.
    ///   - isPaused: see ``ConsumerStore/isPaused(_:)``; asked before each batch.
    public init(
        _ consumer: Consumer, queue: any ChangeQueue, handler: Handler, batchSize: Int = Consumer.usualBatchSize,
        proveStore: @escaping @Sendable () async throws -> Void = {},
        unsignedMessagesEnd: @escaping @Sendable () async throws -> Timestamp? = { nil },
        isPaused: @escaping @Sendable () async throws -> Bool = { false }, logger: Logger
    ) {
        self.proveStore = proveStore
        self.unsignedMessagesEnd = unsignedMessagesEnd
        self.isPaused = isPaused
        self.consumer = consumer
        self.queue = queue
        self.handler = handler
        self.batchSize = batchSize
        self.logger = logger
    }

    public func drain() async throws -> Int {
        var consumed = 0
        var progress = ProgressWatch()
        while true {
            if try await isPaused() { return consumed }
            let deliveries = try await queue.receive(limit: batchSize, waiting: false)
            guard !deliveries.isEmpty else { return consumed }
            try progress.expect(deliveries)
            try await consume(deliveries)
            consumed += deliveries.count
            try Task.checkCancellation()
        }
    }

    /// Consumes until the daemon stops.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var backoff = Backoff()
            var watch = ProgressWatch()
            var pause = PauseWatch(look: isPaused)
            while !Task.isCancelled {
                do {
                    if try await pause.isOn() {
                        await queue.suspend()
                        try await Task.sleep(for: Self.pauseInterval)
                        continue
                    }
                    let deliveries = try await queue.receive(limit: batchSize, waiting: true)
                    if !deliveries.isEmpty, try await pause.isOn() {
                        await queue.suspend()
                    } else if !deliveries.isEmpty {
                        try watch.expect(deliveries)
                        do {
                            try await consume(deliveries)
                        } catch {
                            watch = ProgressWatch()
                            throw error
                        }
                        progress.recorded()
                    }
                    backoff.reset()
                } catch  where Task.isCancelled {
                    return
                } catch {
                    progress.failed(EMSError(error))
                    let delay = backoff.next()
                    logger.warning("changes wait for \(consumer.name), next try in \(delay): \(EMSError(error))")
                    try? await Task.sleep(for: delay)
                }
            }
        }
    }

    /// Whether a consumer is paused, as it was a moment ago: a busy one does not ask the store for each batch.
    private struct PauseWatch {
        let look: @Sendable () async throws -> Bool
        private var known: (isPaused: Bool, until: ContinuousClock.Instant)?

        init(look: @escaping @Sendable () async throws -> Bool) {
            self.look = look
        }

        mutating func isOn() async throws -> Bool {
            if let known, ContinuousClock.now < known.until { return known.isPaused }
            let isPaused = try await look()
            known = (isPaused, .now + Consumer.pauseLatency)
            return isPaused
        }
    }

    /// What was dealt with does not come again at once, but for a replay that begins there: where a damaged queue delivers it for ever,
    /// nobody must be busy for ever.
    private struct ProgressWatch {
        private var first: (tag: Int64, attempt: Int)?
        private var repetitions = 0

        mutating func expect(_ deliveries: [Delivery]) throws {
            guard let next = deliveries.first else { return }
            repetitions = first.map { $0 == (next.tag, next.attempt) } == true ? repetitions + 1 : 0
            first = (next.tag, next.attempt)
            guard repetitions > 2 else { return }
            self = ProgressWatch()
            throw EMSError(
                .storeCorrupt,
                "the queue delivers \(Printable.quoted(String(next.message.messageID.prefix(64)))) again after it was consumed",
                fix: "restore a backup")
        }
    }

    /// A delivery, and what is to be done about its change.
    private typealias Consumable = (delivery: Delivery, work: Handler.Work?)

    private func consume(_ deliveries: [Delivery]) async throws {
        var good: [Consumable] = []
        var rejected: [Delivery] = []
        let acceptsUnsigned = deliveries.contains { $0.signature == .absent } ? try await acceptsUnsigned(releasing: deliveries) : false
        for delivery in deliveries {
            do {
                let change = try Self.change(in: delivery, acceptsUnsigned: acceptsUnsigned)
                good.append((delivery, try handler.work(for: change)))
            } catch {
                try await reject(delivery, EMSError(error).message)
                rejected.append(delivery)
            }
        }
        // What came back too often is tried by itself: it may be what makes all the others fail.
        if good.contains(where: { $0.delivery.attempt >= consumer.deliveryLimit }) { return try await consumeOneByOne(good, rejected) }
        let place = handler.storesPlace && rejected.isEmpty ? queue.place(after: deliveries) : nil
        FaultPoint.reached(.betweenReceiveAndRecord)
        do {
            try await handler.perform(good.compactMap(\.work), taking: place)
        } catch {
            guard !EMSError(error).code.isPassing else {
                try await queue.release(good.map(\.delivery))
                throw error
            }
            return try await consumeOneByOne(good, rejected)
        }
        FaultPoint.reached(.betweenRecordAndAcknowledge)
        if place != nil { return }
        try await queue.acknowledge(deliveries)
    }

    /// Where one of them is at fault, the others are not kept waiting.
    /// - Throws: the last failure.
    private func consumeOneByOne(_ good: [Consumable], _ rejected: [Delivery]) async throws {
        var done = rejected
        var failed: [(delivery: Delivery, reason: String)] = []
        var failure: (any Error)?
        for (delivery, work) in good {
            do {
                if let work { try await handler.perform([work], taking: nil) }
                done.append(delivery)
            } catch {
                let reason = EMSError(error).message
                // An error says what it likes: only a store that takes other writes proves that it is the message.
                if delivery.attempt >= consumer.deliveryLimit, await isStoreWorking() {
                    try await reject(delivery, "not stored after \(delivery.attempt) deliveries: \(reason)")
                    done.append(delivery)
                } else {
                    failed.append((delivery, reason))
                    failure = error
                }
            }
        }
        if done.isEmpty {
            // Perhaps none of them is at fault.
            try await queue.release(good.map(\.delivery))
        } else {
            try await queue.acknowledge(done, settingAside: failed)
        }
        if let failure { throw failure }
    }

    private func reject(_ delivery: Delivery, _ reason: String) async throws {
        logger.error("a message goes to the dead letters: \(reason)", metadata: Self.metadata(delivery))
        try await queue.reject(delivery, reason: reason)
    }

    private func acceptsUnsigned(releasing deliveries: [Delivery]) async throws -> Bool {
        do {
            return try await unsignedMessagesEnd().map { Timestamp.now() < $0 } ?? false
        } catch {
            try await queue.release(deliveries)
            throw error
        }
    }

    private func isStoreWorking() async -> Bool {
        do {
            try await proveStore()
            return true
        } catch {
            return false
        }
    }

    /// Whoever can write to the broker chooses the id: it may hold what a terminal would obey, or a line of its own.
    private static func metadata(_ delivery: Delivery) -> Logger.Metadata {
        ["message_id": "\(Printable.quoted(String(delivery.message.messageID.prefix(64))))"]
    }

    private static func change(in delivery: Delivery, acceptsUnsigned: Bool) throws -> Change {
        if let change = delivery.change { return change }
        switch delivery.signature {
        case .valid: break
        case .absent where acceptsUnsigned: break
        case .absent: throw EMSError(.malformed, "the message is not signed")
        case .invalid: throw EMSError(.malformed, "the message is not signed by a key of this installation")
        }
        guard delivery.message.body.count <= Consumer.bodyLimit else {
            throw EMSError(.tooLarge, "the message has \(delivery.message.body.count) bytes; \(Consumer.bodyLimit) are read at most")
        }
        guard let id = ChangeID(delivery.message.messageID) else {
            throw EMSError(.malformed, "the message id \(Printable.quoted(delivery.message.messageID)) is no change id")
        }
        return try Change(id: id, message: delivery.message.body, traceparent: delivery.message.traceparent)
    }
}
