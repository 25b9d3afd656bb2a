import EMSCore

/// Subscriptions: the pair of user and event is the document's id, so that there is one at most.
struct MongoSubscriptionStore: SubscriptionStore {
    let database: MongoDatabase

    func subscribe(_ user: UserID, to event: EventID, by author: Author, at now: Timestamp) async throws -> Bool {
        try await database.run { connection in
            let isLiving = try connection.first(.events, where: { $0.member("_id", event) }) { try $0.find("title") != nil }
            guard isLiving == true else { throw EMSError.notFound("event", event) }
            guard
                try connection.exists(
                    .users,
                    where: {
                        $0.member("_id", user)
                        $0.null("is_deleted")
                    })
            else { throw EMSError.notFound("user", user) }
            let subscription = Subscription(eventID: event, userID: user, createdAt: now)
            let change = Change.created(subscription, by: author)
            while true {
                let since = try NotificationStream.end(in: connection).position
                do {
                    try connection.insert(.subscriptions, Self.document(subscription, since: since, change))
                } catch is DuplicateKey {
                    guard let stored = try Self.stored(user, event, in: connection) else { continue }
                    // It has ended; or a pending deletion is about to end it, and the event was restored: it begins again.
                    guard try stored.isEnded || MongoExpansion.settle(user, stored, in: connection) else { return false }
                    let isDone = try Self.write(user, stored, in: connection) { update in
                        update.document("$set") {
                            $0.member("created_at", now)
                            $0.member("since", since)
                        }
                        update.document("$unset") { $0.member("is_ended", "") }
                        PendingChanges.push(change, to: &update)
                    }
                    guard isDone else { continue }
                }
                try MongoExpansion.settleBeginning(of: event, user, after: since, in: connection)
                return true
            }
        }
    }

    /// - Returns: `false` if the subscription has ended, or begun again, since it was read.
    private static func write(
        _ user: UserID, _ stored: Stored, in connection: MongoConnection, _ update: (inout BSONWriter) -> Void
    ) throws -> Bool {
        func matches(_ filter: inout BSONWriter) {
            filter.document("_id") { key(user, stored.event, &$0) }
            filter.member("created_at", stored.createdAt)
            if stored.isEnded { filter.member("is_ended", true) } else { filter.null("is_ended") }
        }
        return try PendingChanges.writing(Subscription.subject(stored.event, user).id, in: .subscriptions, connection) {
            try connection.updateOne(
                .subscriptions,
                where: {
                    matches(&$0)
                    PendingChanges.hasRoom(&$0)
                }, update
            ).matched > 0
        } while: {
            try connection.exists(.subscriptions, where: matches)
        }
    }

    func unsubscribe(_ user: UserID, from event: EventID, by author: Author, at now: Timestamp) async throws -> Bool {
        try await database.run { connection in
            guard let stored = try Self.stored(user, event, in: connection), !stored.isEnded else { return false }
            try MongoExpansion.settle(user, stored, in: connection)
            let change = Change.deleted(
                Subscription(eventID: event, userID: user, createdAt: stored.createdAt), by: author, at: now)
            let isDone = try Self.write(user, stored, in: connection) { update in
                update.document("$set") {
                    $0.member("is_ended", true)
                    // Nothing is for it any more.
                    $0.member("since", StoredCounter.range.upperBound)
                }
                PendingChanges.push(change, to: &update)
            }
            // What was recorded in between was shown, perhaps.
            if isDone { try MongoExpansion.settle(user, stored, in: connection) }
            return isDone
        }
    }
    /// What matters of a subscription to a notification that is on its way.
    struct Stored {
        let event: EventID
        let since: Int64
        let createdAt: Timestamp
        /// It stays until its end is in the journal.
        let isEnded: Bool
    }

    private static func stored(_ user: UserID, _ event: EventID, in connection: MongoConnection) throws -> Stored? {
        try connection.first(.subscriptions, where: { $0.document("_id") { key(user, event, &$0) } }) {
            Stored(event: event, since: since(&$0), createdAt: try $0.date("created_at"), isEnded: try $0.flag("is_ended"))
        }
    }

    /// The end of the stream when the subscription began: it is for what comes afterwards. Earlier versions did not store it, and one that
    /// is damaged holds up nobody else's notifications.
    static func since(_ reader: inout BSONReader) -> Int64 {
        (try? reader.find("since") == nil ? 0 : reader.counter("since")) ?? 0
    }

    /// Moves what is pending of a user's subscriptions into the journal.
    static func settle(_ user: UserID, in connection: MongoConnection, where isOfUser: (inout BSONWriter) -> Void) throws {
        let pending = try connection.find(
            .subscriptions,
            where: {
                isOfUser(&$0)
                $0.document("pending") { $0.member("$exists", true) }
            }
        ) { reader in
            var key = try reader.document("_id")
            return try key.id("event_id") as EventID
        }
        for event in pending { try PendingChanges.settle(Subscription.subject(event, user).id, in: .subscriptions, connection) }
    }

    func subscriptions(of user: UserID, after event: EventID?, limit: Int) async throws -> [Subscription] {
        try await database.run { connection in
            try connection.find(
                .subscriptions,
                where: { filter in
                    filter.null("is_ended")
                    filter.document("_id") { range in
                        range.document("$gt") {
                            $0.member("user_id", user)
                            $0.member("event_id", event?.description ?? "")
                        }
                        range.document("$lt") {
                            $0.member("user_id", user)
                            $0.maxKey("event_id")
                        }
                    }
                },
                options: {
                    $0.document("sort") { $0.member("_id", 1) }
                    $0.member("limit", limit)
                }
            ) { reader in
                var key = try reader.document("_id")
                return Subscription(eventID: try key.id("event_id"), userID: user, createdAt: try reader.date("created_at"))
            }
        }
    }

    /// - Parameter change: that is not in the journal yet.
    static func document(_ subscription: Subscription, since: Int64, _ change: Change? = nil) -> BSONDocument {
        BSONDocument {
            $0.document("_id") { key(subscription.userID, subscription.eventID, &$0) }
            $0.member("created_at", subscription.createdAt)
            $0.member("since", since)
            if let change { PendingChanges.begin(with: change, to: &$0) }
        }
    }

    static func key(_ user: UserID, _ event: EventID, _ writer: inout BSONWriter) {
        writer.member("user_id", user)
        writer.member("event_id", event)
    }
}
