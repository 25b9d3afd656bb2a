/// What consumers of changes share through the store: reports of failures, and the end of the transition to signed messages.
public protocol ConsumerStore: Sendable {
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
