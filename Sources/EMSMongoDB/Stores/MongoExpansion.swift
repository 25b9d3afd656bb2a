import EMSCore

/// A notification on its way into the inboxes of an event's subscribers, in the order of their ids.
///
/// A subscriber beyond the cursor is a recipient if the subscription began before the notification, and is shown it as if it were in the
/// inbox. Whoever looks reads the subscription first, then the cursor, then the inbox: a subscription that was there before the cursor
/// passed it is in the inbox afterwards. Whoever ends or renews such a subscription puts it there first (``settle(_:in:)``).
struct MongoExpansion: Sendable {
    let position: Int64
    let event: EventID
    /// Gets it too, from the beginning.
    let creator: UserID?
    /// Those up to this user have it.
    let cursor: String
    /// Where the event was deleted: subscriptions that began until then end with it.
    let endsSubscriptionsAt: Timestamp?

    /// For so long nobody else goes on with what a process has begun.
    private static let claimSeconds: Int64 = 5

    init(position: Int64, event: EventID, creator: UserID?, cursor: String, endsSubscriptionsAt: Timestamp?) {
        self.position = position
        self.event = event
        self.creator = creator
        self.cursor = cursor
        self.endsSubscriptionsAt = endsSubscriptionsAt
    }

    /// - Returns: `nil` for a notification that is not on its way to many.
    /// - Parameter start: the cursor of one that has none yet.
    init?(_ reader: inout BSONReader, orElse start: String? = nil) throws {
        guard let cursor = try reader.optionalText("cursor") ?? start, var audience = try reader.optionalDocument("audience"),
            let event = try audience.optionalText("event_id")
        else { return nil }
        guard let event = EventID(event) else { throw BSONReader.damaged("'event_id' is no id") }
        position = try reader.counter("_id")
        self.event = event
        creator = try audience.optionalText("creator").flatMap { UserID($0) }
        self.cursor = cursor
        endsSubscriptionsAt = try audience.flag("ends_subscriptions") ? reader.optionalDate("timestamp") : nil
    }

    // MARK: Expanding

    /// Puts it into the next inboxes.
    /// - Returns: the cursor afterwards; `nil` where all have it.
    func deliver(in connection: MongoConnection) throws -> String? {
        let limit = AudienceExpander.chunkLimit
        let found = try connection.find(
            .subscriptions,
            where: {
                $0.member("_id.event_id", event)
                $0.document("_id.user_id") { $0.member("$gt", cursor) }
            },
            options: {
                $0.document("sort") { $0.member("_id.user_id", 1) }
                $0.member("limit", limit)
                $0.member("hint", "subscriptions_event")
            }
        ) { reader in
            var key = try reader.document("_id")
            let isPending = try reader.find("pending") != nil
            return (user: try key.text("user_id"), since: MongoSubscriptionStore.since(&reader), isPending: isPending)
        }
        let recipients = found.filter { $0.since < position }
        try NotificationStream.put([position], into: recipients.map(\.user), in: connection)
        if let endsSubscriptionsAt, !recipients.isEmpty {
            // Those of an event that came back in the meantime stay.
            let isBack = try connection.first(.events, where: { $0.member("_id", event) }, EventDocument.living) != nil
            // That they began comes before they end.
            for user in found.lazy.filter(\.isPending).compactMap({ UserID($0.user) }) {
                try PendingChanges.settle(Subscription.subject(event, user).id, in: .subscriptions, connection)
            }
            try settleOthers(found, in: connection)
            try connection.deleteMany(.subscriptions) { filter in
                filter.document("_id") {
                    $0.array("$in") { keys in
                        for recipient in recipients {
                            keys.document {
                                $0.member("user_id", recipient.user)
                                $0.member("event_id", event)
                            }
                        }
                    }
                }
                // None that was renewed since it was read.
                filter.array("$or") { cases in
                    cases.document { $0.null("since") }
                    cases.document { $0.document("since") { $0.member("$lt", position) } }
                }
                if isBack { filter.document("created_at") { $0.member("$lte", endsSubscriptionsAt) } }
            }
            // What was recorded in between was shown, perhaps.
            try settleOthers(found, in: connection)
        }
        return found.count == limit ? found.last?.user : nil
    }

    /// Puts what else is on its way to subscribers into their inboxes, because their subscriptions end: it was shown to them.
    private func settleOthers(_ subscribers: [(user: String, since: Int64, isPending: Bool)], in connection: MongoConnection) throws {
        for other in try Self.incomplete(of: event, in: connection) where other.position != position {
            let users = subscribers.filter { $0.since < other.position && other.cursor < $0.user }.map(\.user)
            try NotificationStream.put([other.position], into: users, in: connection)
        }
    }

    /// What is on its way to the subscribers of an event, also what is not shown yet.
    private static func incomplete(of event: EventID, in connection: MongoConnection) throws -> [MongoExpansion] {
        try connection.find(
            .notifications,
            where: {
                $0.document("incomplete") { $0.member("$gt", 0) }
                $0.member("audience.event_id", event)
            }
        ) { reader in try? MongoExpansion(&reader, orElse: "") }
    }

    /// - Returns: `false` where none is on its way that nobody else is at work on.
    static func advanceFirst(in connection: MongoConnection) throws -> Bool {
        let now = Timestamp.now()
        let claimed = try connection.updated(
            .notifications,
            where: { filter in
                filter.document("incomplete") { $0.member("$gt", 0) }
                filter.document("cursor") { $0.member("$exists", true) }
                // A time further ahead was set by a clock that was ahead.
                filter.array("$or") { cases in
                    cases.document { $0.null("claimed_until") }
                    cases.document { $0.document("claimed_until") { $0.member("$lte", now) } }
                    cases.document { $0.document("claimed_until") { $0.member("$gt", now.adding(seconds: 2 * claimSeconds)) } }
                }
            },
            { update in update.document("$set") { $0.member("claimed_until", now.adding(seconds: claimSeconds)) } },
            { try MongoExpansion(&$0) })
        guard let found = claimed, let expansion = found else { return false }
        if let cursor = try expansion.deliver(in: connection) {
            try connection.updateOne(
                .notifications,
                where: {
                    $0.member("_id", expansion.position)
                    $0.member("cursor", expansion.cursor)
                },
                { update in
                    update.document("$set") { $0.member("cursor", cursor) }
                    update.document("$unset") { $0.member("claimed_until", "") }
                })
        } else {
            try NotificationStream.markComplete(expansion.position, in: connection)
        }
        return true
    }

    // MARK: What is on its way to a user

    /// Which of the expansions are on their way to a user, the oldest first. Some may have arrived since.
    static func positions(_ expansions: [MongoExpansion], reaching user: UserID, in connection: MongoConnection) throws -> [Int64] {
        if expansions.isEmpty { return [] }
        var since: [EventID: Int64] = [:]
        let subscriptions = try connection.find(
            .subscriptions,
            where: { filter in
                filter.document("_id") {
                    $0.array("$in") { keys in
                        for event in Set(expansions.map(\.event)) { keys.document { MongoSubscriptionStore.key(user, event, &$0) } }
                    }
                }
            }
        ) { reader in
            var key = try reader.document("_id")
            return (event: try key.id("event_id") as EventID, since: MongoSubscriptionStore.since(&reader))
        }
        for subscription in subscriptions { since[subscription.event] = subscription.since }
        // The cursors as they are after the subscriptions were read.
        let current = try all(in: connection)
        return current.filter { expansion in
            if expansion.creator == user { return true }
            guard let since = since[expansion.event] else { return false }
            return since < expansion.position && expansion.cursor < user.description
        }.map(\.position)
    }

    static func all(in connection: MongoConnection) throws -> [MongoExpansion] {
        try connection.find(
            .notifications,
            where: {
                $0.document("incomplete") { $0.member("$gt", 0) }
                $0.document("cursor") { $0.member("$exists", true) }
            },
            options: {
                $0.document("sort") { $0.member("incomplete", 1) }
                $0.document("projection") { for field in ["cursor", "audience", "timestamp"] { $0.member(field, 1) } }
            }
        ) { reader in
            // One that is damaged holds up nothing else.
            try? MongoExpansion(&reader)
        }
    }

    /// Puts what is on its way to a subscriber into the inbox now.
    /// - Returns: whether a deletion is among it: the subscription has ended.
    @discardableResult
    static func settle(_ user: UserID, _ subscription: MongoSubscriptionStore.Stored, in connection: MongoConnection) throws -> Bool {
        let reaching = try all(in: connection).filter {
            $0.event == subscription.event && $0.position > subscription.since && $0.cursor < user.description
        }
        try NotificationStream.put(reaching.map(\.position), into: [user.description], in: connection)
        return reaching.contains { $0.endsSubscriptionsAt.map { subscription.createdAt <= $0 } ?? false }
    }

    /// Puts what was recorded while a subscription began into the subscriber's inbox: it was shown, perhaps.
    static func settleBeginning(of event: EventID, _ user: UserID, after position: Int64, in connection: MongoConnection) throws {
        if try NotificationStream.end(in: connection).position == position { return }
        let shown = try all(in: connection).filter { $0.event == event && $0.position > position }
        try NotificationStream.put(shown.map(\.position), into: [user.description], in: connection)
    }

    static func isOnItsWay(_ position: Int64, in connection: MongoConnection) throws -> Bool {
        try expansion(at: position, in: connection) != nil
    }

    private static func expansion(at position: Int64, in connection: MongoConnection) throws -> MongoExpansion? {
        try connection.first(.notifications, where: { $0.member("_id", position) }) { try MongoExpansion(&$0) } ?? nil
    }

    /// To which of some users a notification is on its way. Whom it has reached is not among them.
    static func recipients(of position: Int64, among users: [UserID], in connection: MongoConnection) throws -> Set<UserID> {
        guard let expansion = try expansion(at: position, in: connection) else { return [] }
        let subscribers = try connection.find(
            .subscriptions,
            where: { filter in
                filter.document("_id") {
                    $0.array("$in") { keys in
                        for user in users { keys.document { MongoSubscriptionStore.key(user, expansion.event, &$0) } }
                    }
                }
            }
        ) { reader -> UserID? in
            var key = try reader.document("_id")
            return MongoSubscriptionStore.since(&reader) < position ? try key.id("user_id") : nil
        }
        // The cursor as it is after the subscriptions were read; whom it has passed has it in the inbox.
        guard let current = try Self.expansion(at: position, in: connection) else { return [] }
        var found = Set(subscribers.filter { current.cursor < $0.description })
        if let creator = expansion.creator, users.contains(creator) { found.insert(creator) }
        return found
    }
}
