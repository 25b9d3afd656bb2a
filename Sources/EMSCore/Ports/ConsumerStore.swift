/// How a consumer gets on.
public struct ConsumerStatus: Sendable, Equatable {
    public let consumer: Consumer
    /// How many entries it has before it.
    public let lag: Int
    /// Since when the first of them is there; `nil` if there is none, or only the broker knows.
    public let oldest: Timestamp?
    /// How many entries a second it has dealt with in the last minute.
    public let rate: Double
    /// How many dead letters it has.
    public let dead: Int
    public let isPaused: Bool

    public init(consumer: Consumer, lag: Int, oldest: Timestamp?, rate: Double, dead: Int, isPaused: Bool) {
        self.consumer = consumer
        self.lag = lag
        self.oldest = oldest
        self.rate = rate
        self.dead = dead
        self.isPaused = isPaused
    }
}

extension ConsumerStatus: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("name", consumer.name)
            $0.member("is_paused", isPaused)
            $0.member("lag", lag)
            $0.member("oldest", oldest?.description)
            $0.name("rate")
            $0.number(rate)
            $0.member("dead", dead)
        }
    }
}

/// What consumers of changes share through the store: reports of failures, and the end of the transition to signed messages.
public protocol ConsumerStore: Sendable {
    /// Whether an operator has paused it, in all processes.
    func isPaused(_ consumer: Consumer) async throws -> Bool
    /// - Returns: whether that is new.
    func setPaused(_ consumer: Consumer, _ isPaused: Bool) async throws -> Bool
    /// Sets a consumer that reads the journal itself back, so that it goes on with the entry at the position.
    func setBack(_ consumer: Consumer, to position: Int64) async throws
    /// How many entries of the journal a consumer that reads it itself has before it, up to a bound, and since when the first of them is there.
    func lag(of consumer: Consumer) async throws -> PendingStatus
    /// Until when messages without a signature are accepted from the broker: for a week after version 0.1.0, which signed none, had the
    /// store; `nil` where it never had.
    func unsignedMessagesEnd() async throws -> Timestamp?
    /// Keeps the report in place of the process' earlier one.
    func save(_ report: ConsumerReport) async throws
    /// Removes a process' report: its consumer works again.
    func removeReport(of process: String) async throws
    /// The reports made since a moment; older ones are of processes that are gone.
    func reports(since moment: Timestamp) async throws -> [ConsumerReport]
    /// When the newest notification was recorded; `nil` where there is none.
    func lastRecordedAt() async throws -> Timestamp?
}

/// A consumer that cannot record the messages it receives.
public struct ConsumerReport: Sendable, Equatable {
    /// How long a report holds: a process that fails makes one more often.
    public static let lifetimeSeconds: Int64 = 60

    /// A name of the process, unique among all.
    public let process: String
    /// How many messages it holds and has not acknowledged.
    public let unacknowledged: Int
    /// Since when it has recorded nothing.
    public let failingSince: Timestamp
    public let failure: String
    public let reportedAt: Timestamp

    public init(process: String, unacknowledged: Int, failingSince: Timestamp, failure: String, reportedAt: Timestamp) {
        self.process = process
        self.unacknowledged = unacknowledged
        self.failingSince = failingSince
        self.failure = failure
        self.reportedAt = reportedAt
    }
}
