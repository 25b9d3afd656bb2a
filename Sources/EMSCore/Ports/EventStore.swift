/// Where events are kept, each write together with its pending change: either both are stored or neither.
public protocol EventStore: Sendable {
    /// Adds an event.
    /// - Parameter idempotency: under which key the request came; where the key is known already, nothing is written.
    /// - Returns: what became of it.
    /// - Throws: ``EMSError`` with ``ErrorCode/exists`` where the id is taken.
    func insert(_ event: Event, change: Change, idempotency: IdempotencyKey?) async throws -> InsertOutcome
    /// Adds many events, each with its change; those whose ids or import keys are taken are left out.
    /// - Returns: the ids of those.
    func insert(_ batch: [(event: Event, change: Change)]) async throws -> Set<EventID>
    /// What became of an earlier request under this key; `nil` where there was none in the key's lifetime.
    func outcome(of key: IdempotencyKey, at now: Timestamp) async throws -> InsertOutcome?
    /// Replaces the event if it still has the version `expected`.
    /// - Throws: ``EMSError`` with ``ErrorCode/versionConflict`` or ``ErrorCode/notFound``.
    func update(_ event: Event, expecting expected: Int, change: Change) async throws
    /// Deletes the event if it still has the version `expected`.
    /// - Throws: as ``update(_:expecting:change:)``.
    func delete(_ id: EventID, expecting expected: Int, change: Change) async throws
    func event(id: EventID) async throws -> Event?
    /// Those of the events that there are, in no certain order.
    func events(ids: [EventID]) async throws -> [Event]
    /// Those of the events that there are, by what they were brought in as.
    func events(importKeys: [ImportKey]) async throws -> [Event]
    /// The ids that begin with these hex digits, in their order.
    func ids(beginningWith digits: String, limit: Int) async throws -> [EventID]
    /// The tags that begin so, in their order.
    func tags(beginningWith text: String, limit: Int) async throws -> [String]
    func events(_ query: EventQuery) async throws -> EventPage
    /// Scheduled events that ended before the given moment, the earliest first.
    func scheduledEvents(endedBefore moment: Timestamp, limit: Int) async throws -> [Event]
    /// Forgets idempotency keys older than the given moment.
    func forgetIdempotencyKeys(before moment: Timestamp) async throws
}

/// The client's name for one request, so that its repetition does nothing.
public struct IdempotencyKey: Sendable, Equatable {
    /// For how long a key is remembered.
    public static let lifetimeSeconds: Int64 = 24 * 3600
    public static let lengthLimit = 255

    /// Whose key it is: keys of different principals never meet.
    public let owner: String
    public let key: String
    /// A digest of the request, to tell a repetition from another use of the key.
    public let fingerprint: [UInt8]

    public init(owner: String, key: String, fingerprint: [UInt8]) {
        self.owner = owner
        self.key = key
        self.fingerprint = fingerprint
    }
}

public enum InsertOutcome: Sendable, Equatable {
    case inserted
    /// The same request came before, and made this event.
    case repeated(EventID)
    /// The key came before with another request.
    case keyReused
}
