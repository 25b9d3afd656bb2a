/// Inboxes: what users get to see of changes, and what they have read.
public struct NotificationService: Sendable {
    private let store: any NotificationStore
    private let feed: any LiveFeed
    private let now: @Sendable () -> Timestamp

    public init(stores: Stores, feed: any LiveFeed, now: @escaping @Sendable () -> Timestamp = Timestamp.now) {
        store = stores.notifications
        self.feed = feed
        self.now = now
    }

    /// Puts what is to be told of changes into inboxes, and tells all daemons. What was recorded before is left alone.
    /// - Parameter place: see ``NotificationStore/record(_:taking:)``.
    func record(_ notifications: [AddressedNotification], taking place: ConsumerPlace? = nil) async throws {
        if notifications.isEmpty, place == nil { return }
        let recorded = try await store.record(notifications, taking: place)
        if !recorded.isEmpty { try await feed.announce(recorded) }
    }

    /// Sends an operator's message.
    public func send(
        _ message: String, to audience: Notification.Audience, about event: Event? = nil, by principal: Principal, dryRun: Bool = false
    ) async throws -> Notification {
        let message = TextRules.trimmed(message)
        var faults = FieldFaults()
        faults.check("message", message, length: 1...1000, multiline: true)
        try faults.finish()
        let notification = Notification(
            kind: .message, event: event.map { .init(id: $0.id, title: $0.title, action: "message") }, message: message,
            actor: principal.displayName, timestamp: now())
        if !dryRun {
            let recorded = try await store.record([AddressedNotification(notification: notification, audience: audience)])
            try await feed.announce(recorded)
        }
        return notification
    }

    /// Reminds the subscribers of events that begin soon: once for each beginning, however often it is asked for.
    /// - Returns: those of the events that nobody was reminded of before; with `dryRun`, that would be.
    public func remind(of events: [Event], by principal: Principal, dryRun: Bool = false) async throws -> [Event] {
        let reminders = events.map { event in
            // The same id for the same beginning: the store records it once.
            let id = NotificationID(named: "reminder:\(event.id):\(event.startTime.milliseconds)")
            let notification = Notification(
                id: id, kind: .eventReminder, event: .init(id: event.id, title: event.title, action: "reminder"),
                message: "\(event.title) begins at \(event.startTime)", actor: principal.displayName, timestamp: now())
            return AddressedNotification(notification: notification, audience: .subscribers(of: event.id, creator: nil))
        }
        if dryRun {
            var due: [Event] = []
            for (event, reminder) in zip(events, reminders) where try await store.position(of: reminder.notification.id) == nil {
                due.append(event)
            }
            return due
        }
        let recorded = try await store.record(reminders)
        if !recorded.isEmpty { try await feed.announce(recorded) }
        let new = Set(recorded.map(\.notification.id))
        return zip(events, reminders).filter { new.contains($1.notification.id) }.map(\.0)
    }

    public func inbox(of user: UserID, _ query: InboxQuery) async throws -> InboxPage {
        try query.page.validate()
        return try await store.inbox(of: user, query)
    }

    public func entry(_ id: NotificationID, of user: UserID) async throws -> InboxEntry {
        guard let entry = try await store.inboxEntry(id, of: user) else { throw EMSError.notFound("notification", id) }
        return entry
    }

    public func unreadCount(of user: UserID) async throws -> Int {
        try await store.unreadCount(of: user)
    }

    public func markRead(_ id: NotificationID, of user: UserID) async throws {
        guard try await store.markRead(id, of: user) else { throw EMSError.notFound("notification", id) }
    }

    /// - Returns: how many were unread.
    public func markAllRead(of user: UserID) async throws -> Int {
        try await store.markAllRead(of: user)
    }

    /// Where in the stream a client stands that has seen this notification last; `nil` where it cannot be told.
    public func position(of id: NotificationID) async throws -> Int64? {
        try await store.position(of: id)
    }

    public func latestPosition() async throws -> Int64 {
        try await store.latestPosition()
    }

    /// What the user's inbox got after one position up to another, the oldest first.
    public func missed(by user: UserID, after position: Int64, through end: Int64, limit: Int) async throws -> [RecordedNotification] {
        try await store.inbox(of: user, after: position, through: end, limit: limit)
    }

    /// How many ``missed(by:after:through:limit:)`` can find at the most. It is `limit` where there are that many or more.
    public func missedCount(by user: UserID, after position: Int64, through end: Int64, limit: Int) async throws -> Int {
        // Positions lie one apart at the least, so that a short stretch needs no counting.
        if end - position < limit { return Int(max(0, end - position)) }
        return try await store.inboxCount(of: user, after: position, through: end, limit: limit)
    }

    /// Which of some users a notification is for.
    public func recipients(of notification: RecordedNotification, among users: Set<UserID>) async throws -> Set<UserID> {
        notification.isForEveryone ? users : try await store.recipients(of: notification.position, among: users)
    }

    /// How many notifications are on their way into the inboxes of many.
    public func expansions() async throws -> Int { try await store.expansions() }

    /// New notifications of any process, from now on.
    public func live() async throws -> AsyncStream<[RecordedNotification]> {
        try await feed.notifications()
    }

    /// Removes old notifications from everybody's inbox, a thousand in one write.
    public func purge(before moment: Timestamp) async throws -> Int {
        var removed = 0
        while true {
            let count = try await store.purge(before: moment, limit: 1000)
            removed += count
            if count == 0 { return removed }
            try Task.checkCancellation()
        }
    }

    public func purgeable(before moment: Timestamp) async throws -> Int {
        try await store.purgeable(before: moment, limit: 1_000_000)
    }

    /// Who sees what of a change. Created: everyone. Updated and deleted: the subscribers and the creator.
    /// - Returns: `nil` for a quiet change.
    static func addressed(_ change: Change) throws -> AddressedNotification? {
        if change.isQuiet || !change.isPublished || change.action == .recorded { return nil }
        let event = try change.event()
        let changes = try change.changedFields()
        let notification = Notification(
            id: change.id.retyped(), kind: kind(of: change.action, event, changes),
            event: .init(id: event.id, title: event.title, action: change.action.rawValue), changes: changes, actor: change.actor.name,
            timestamp: change.timestamp)
        let audience: Notification.Audience =
            change.action == .created ? .everyone : .subscribers(of: event.id, creator: UserID(event.createdBy))
        return AddressedNotification(notification: notification, audience: audience, endsSubscriptions: change.action == .deleted)
    }

    /// Of an update that changed several things, the kind says what matters most to those who want to come.
    private static func kind(of action: Change.Action, _ event: Event, _ changes: [String]) -> Notification.Kind {
        switch action {
        case .created: .eventCreated
        case .deleted: .eventDeleted
        case .updated where changes.contains("status") && event.status == .canceled: .eventCanceled
        case .updated where !Set(changes).isDisjoint(with: ["start_time", "end_time"]): .eventRescheduled
        case .updated where !Set(changes).isDisjoint(with: ["location", "coordinates"]): .eventMoved
        default: .eventUpdated
        }
    }
}
