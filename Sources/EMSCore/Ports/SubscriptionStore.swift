/// Who wants to hear of which event. Subscriptions outlive connections; they end with the event or the user, whose deletion stands for theirs
/// in the journal.
public protocol SubscriptionStore: Sendable {
    /// - Returns: whether the subscription is new.
    /// - Throws: ``EMSError`` with ``ErrorCode/notFound`` where there is no such event or user.
    func subscribe(_ user: UserID, to event: EventID, by author: Author, at now: Timestamp) async throws -> Bool
    /// - Returns: whether there was one.
    func unsubscribe(_ user: UserID, from event: EventID, by author: Author, at now: Timestamp) async throws -> Bool
    /// The subscribed events in the order of their ids.
    func subscriptions(of user: UserID, after event: EventID?, limit: Int) async throws -> [Subscription]
}

public struct Subscription: Sendable, Equatable {
    public let eventID: EventID
    public let userID: UserID
    public let createdAt: Timestamp

    public init(eventID: EventID, userID: UserID, createdAt: Timestamp) {
        self.eventID = eventID
        self.userID = userID
        self.createdAt = createdAt
    }

    /// As what the journal knows it: the event's id, a colon and the user's.
    public var subject: Subject { Self.subject(eventID, userID) }

    public static func subject(_ event: EventID, _ user: UserID) -> Subject { Subject(.subscription, "\(event):\(user)") }

    /// - Returns: the event and the user of a subject; `nil` if it is none of a subscription.
    public static func pair(of subject: String) -> (event: EventID, user: UserID)? {
        let parts = subject.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let event = EventID(String(parts[0])), let user = UserID(String(parts[1])) else { return nil }
        return (event, user)
    }
}

extension Subscription: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("event_id", eventID.description)
            $0.member("user_id", userID.description)
            $0.member("created_at", createdAt.description)
        }
    }
}
