/// Where notifications and the state of every inbox are kept. What is for everyone is stored once; counts are kept, not counted.
public protocol NotificationStore: Sendable {
    /// Records notifications in one write. One whose id is known already is left as it was.
    ///
    /// A notification with more than ``AudienceExpander/chunkLimit`` recipients is on its way into the rest of their inboxes afterwards
    /// (``expandNext()``). Every read shows it to all recipients from the beginning.
    /// - Parameter place: the step of the consumer, stored in the same write; if another process has taken it, nothing is recorded.
    /// - Returns: those that were new, with their positions.
    func record(_ notifications: [AddressedNotification], taking place: ConsumerPlace?) async throws -> [RecordedNotification]
    /// A page of the user's inbox, the newest first.
    func inbox(of user: UserID, _ query: InboxQuery) async throws -> InboxPage
    func inboxEntry(_ id: NotificationID, of user: UserID) async throws -> InboxEntry?
    func unreadCount(of user: UserID) async throws -> Int
    /// - Returns: `false` where there is no such notification in the user's inbox.
    func markRead(_ id: NotificationID, of user: UserID) async throws -> Bool
    /// - Returns: how many were unread.
    func markAllRead(of user: UserID) async throws -> Int
    /// Where the notification stands in the stream, whoever it is for; `nil` where it is not known (any more).
    func position(of id: NotificationID) async throws -> Int64?
    /// The position of the newest notification; 0 where there is none.
    func latestPosition() async throws -> Int64
    /// What the user's inbox got after `position` up to and including `end`, the oldest first.
    func inbox(of user: UserID, after position: Int64, through end: Int64, limit: Int) async throws -> [RecordedNotification]
    /// How many ``inbox(of:after:through:limit:)`` would find, counted up to `limit`.
    func inboxCount(of user: UserID, after position: Int64, through end: Int64, limit: Int) async throws -> Int
    /// What was recorded after `position`, whoever it is for, the oldest first: the tail of the stream, as far as every inbox holds it.
    func notifications(after position: Int64, limit: Int) async throws -> [RecordedNotification]
    /// Which of some users a notification that is not for everyone is for.
    func recipients(of position: Int64, among users: Set<UserID>) async throws -> Set<UserID>
    /// Puts a notification that is on its way into the next inboxes, at most ``AudienceExpander/chunkLimit``, in one write.
    /// - Returns: `false` where none is on its way.
    func expandNext() async throws -> Bool
    /// How many notifications are on their way into inboxes.
    func expansions() async throws -> Int
    /// Removes up to `limit` notifications recorded before the given moment, from everybody's inbox.
    /// - Returns: how many were removed.
    func purge(before moment: Timestamp, limit: Int) async throws -> Int
    /// How many ``purge(before:limit:)`` would remove, counted up to `limit`.
    func purgeable(before moment: Timestamp, limit: Int) async throws -> Int
}

extension NotificationStore {
    public func record(_ notifications: [AddressedNotification]) async throws -> [RecordedNotification] {
        try await record(notifications, taking: nil)
    }
}

/// A notification and whom it is for.
public struct AddressedNotification: Sendable, Equatable {
    public let notification: Notification
    public let audience: Notification.Audience
    /// Whether the subscriptions of the event end with this notification: it was deleted.
    public let endsSubscriptions: Bool

    public init(notification: Notification, audience: Notification.Audience, endsSubscriptions: Bool = false) {
        self.notification = notification
        self.audience = audience
        self.endsSubscriptions = endsSubscriptions
    }
}
