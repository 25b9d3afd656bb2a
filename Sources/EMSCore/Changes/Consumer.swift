/// A consumer of the journal. All there are are declared here; what one does with a change is its ``ChangeHandler``, which the runtime
/// chooses.
///
/// Each has a place of its own in the journal, its own pause, retries and dead letters, and at RabbitMQ a queue of its own, which all daemons
/// share: one that is slow, failing or paused delays no other.
public struct Consumer: Sendable, Hashable {
    /// By which operators and stores know it.
    public let name: String
    /// Of what it gets the changes.
    public let subjects: [Subject.Kind]
    /// After so many deliveries, a change that fails while others succeed is a dead letter.
    public let deliveryLimit: Int
    /// For how many seconds at the most a change that failed is set aside.
    public let longestPauseSeconds: Int64

    public init(name: String, subjects: [Subject.Kind], deliveryLimit: Int = 10, longestPauseSeconds: Int64 = 60) {
        self.name = name
        self.subjects = subjects
        self.deliveryLimit = deliveryLimit
        self.longestPauseSeconds = longestPauseSeconds
    }

    /// Puts notifications into inboxes.
    public static let inbox = Consumer(name: "inbox", subjects: [.event])

    public static let all = [inbox]

    /// - Returns: `nil` if none is called so.
    public init?(named name: String) {
        guard let consumer = Self.all.first(where: { $0.name == name }) else { return nil }
        self = consumer
    }

    /// For how long a change is set aside that has failed so often: 2, 4, 8… seconds.
    public func pauseSeconds(afterAttempts count: Int) -> Int64 {
        // Beyond 30 every pause is the longest.
        min(longestPauseSeconds, Int64(1) << Int64(min(max(0, count), 30)))
    }

    // MARK: What holds for all

    /// How many changes are taken at once.
    public static let usualBatchSize = 256
    /// The longest message: far more than an event can have.
    public static let bodyLimit = 1 << 20
    /// How long it takes at most until a consumer notices that it is paused, if it is not in the middle of a batch.
    public static let pauseLatency: Duration = .milliseconds(500)
}

/// What a consumer does with changes. It must do nothing twice: a change may come again.
public protocol ChangeHandler: Sendable {
    /// What is to be done about a change.
    associatedtype Work: Sendable

    /// Whether the work goes into the store, together with the consumer's step along the journal.
    var storesPlace: Bool { get }
    /// - Returns: `nil` if nothing is to be done about it.
    /// - Throws: ``EMSError`` if the change can never be dealt with: it becomes a dead letter.
    func work(for change: Change) throws -> Work?
    /// - Parameter place: where ``storesPlace`` holds, the consumer's step along the journal, to be stored together with the work, or not at all;
    ///   `nil` if the changes are acknowledged afterwards.
    func perform(_ work: [Work], taking place: ConsumerPlace?) async throws
}

/// Puts what is to be told of changes into inboxes: see ``Consumer/inbox``.
public struct InboxHandler: ChangeHandler {
    public let storesPlace = true
    private let notifications: NotificationService

    public init(_ notifications: NotificationService) {
        self.notifications = notifications
    }

    public func work(for change: Change) throws -> AddressedNotification? { try NotificationService.addressed(change) }

    public func perform(_ work: [AddressedNotification], taking place: ConsumerPlace?) async throws {
        try await notifications.record(work, taking: place)
    }
}
