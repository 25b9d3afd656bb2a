/// What an operator does with the broker.
public protocol BrokerAdministration: Sendable {
    /// - Returns: the queue is that of ``Consumer/inbox``.
    func report() async throws -> BrokerReport
    /// Sends a message of no meaning to a queue of its own, waits for the confirm, and reads it back.
    func probe() async throws
    /// Declares what the broker lacks.
    /// - Parameter replacing: recreates queues that are declared differently, after moving their messages to the dead letters.
    /// - Returns: how many messages went there.
    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` that names the difference, where it may not be replaced.
    func declare(replacing: Bool) async throws -> Int
    /// A consumer's dead letters, the oldest first.
    func deadLetters(of consumer: Consumer, limit: Int) async throws -> [DeadLetter]
    /// Gives dead letters back to be consumed, under their own ids.
    /// - Parameter signing: signs those that this installation has not signed; without, they come back as they were.
    /// - Returns: how many there were.
    func requeue(_ selection: DeadLetterSelection, of consumer: Consumer, signing: Bool) async throws -> Int
    /// Removes dead letters for good.
    /// - Returns: how many there were.
    func drop(_ selection: DeadLetterSelection, of consumer: Consumer) async throws -> Int
}

/// Which dead letters are meant.
public enum DeadLetterSelection: Sendable, Equatable {
    case all
    /// By the id of their change.
    case messages(Set<String>)

    public func contains(_ messageID: String) -> Bool {
        switch self {
        case .all: true
        case .messages(let ids): ids.contains(messageID)
        }
    }
}

/// A message that could not be consumed, and why.
public struct DeadLetter: Sendable, Equatable {
    public let message: BrokerMessage
    public let reason: String
    /// How often it was delivered; 0 where that is not known.
    public let attempts: Int
    public let diedAt: Timestamp?

    public init(message: BrokerMessage, reason: String, attempts: Int, diedAt: Timestamp?) {
        self.message = message
        self.reason = reason
        self.attempts = attempts
        self.diedAt = diedAt
    }
}

extension DeadLetter: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("message_id", message.messageID)
            $0.member("routing_key", message.routingKey)
            $0.member("reason", reason)
            $0.member("attempts", attempts)
            $0.member("died_at", diedAt?.description)
            $0.member("body", String(decoding: message.body, as: UTF8.self))
        }
    }
}

/// How the broker is.
public struct BrokerReport: Sendable, Equatable {
    /// `embedded` or `rabbitmq`.
    public let kind: String
    /// The server, without user and password, or the file.
    public let location: String
    public let version: String
    public let queue: String
    /// Messages that wait to be consumed.
    public let depth: Int
    /// Messages that were delivered and not acknowledged; `nil` where the broker does not say.
    public let unacknowledged: Int?
    /// Who consumes from the queue; `nil` where the broker does not know.
    public let consumers: Int?
    public let deadLetters: Int

    public init(
        kind: String, location: String, version: String, queue: String, depth: Int, unacknowledged: Int?, consumers: Int?,
        deadLetters: Int
    ) {
        self.kind = kind
        self.location = location
        self.version = version
        self.queue = queue
        self.depth = depth
        self.unacknowledged = unacknowledged
        self.consumers = consumers
        self.deadLetters = deadLetters
    }
}
