import EMSCore

/// Subscriptions: the pair of user and event is the document's id, so that there is one at most.
struct MongoSubscriptionStore: SubscriptionStore {
    let database: MongoDatabase

    func subscribe(_ user: UserID, to event: EventID, at now: Timestamp) async throws -> Bool {
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
            let since = try NotificationStream.end(in: connection).position
            let document = Self.document(Subscription(eventID: event, userID: user, createdAt: now), since: since)
            do {
                try connection.insert(.subscriptions, document)
            } catch is DuplicateKey {
                // A pending deletion is about to end it, and the event was restored: it is created again.
                guard let stored = try Self.stored(user, event, in: connection), try MongoExpansion.settle(user, stored, in: connection)
                else { return false }
                try connection.replaceOne(
                    .subscriptions, where: { $0.document("_id") { Self.key(user, event, &$0) } }, document, upsert: true)
            }
            try MongoExpansion.settleBeginning(of: event, user, after: since, in: connection)
            return true
        }
    }

    func unsubscribe(_ user: UserID, from event: EventID) async throws -> Bool {
        try await database.run { connection in
            guard let stored = try Self.stored(user, event, in: connection) else { return false }
            try MongoExpansion.settle(user, stored, in: connection)
            let count = try connection.deleteMany(.subscriptions) { $0.document("_id") { Self.key(user, event, &$0) } }
            // What was recorded in between was shown, perhaps.
            if count > 0 { try MongoExpansion.settle(user, stored, in: connection) }
            return count > 0
        }
    }

    /// What matters of a subscription to a notification that is on its way.
    struct Stored {
        let event: EventID
        let since: Int64
        let createdAt: Timestamp
    }

    private static func stored(_ user: UserID, _ event: EventID, in connection: MongoConnection) throws -> Stored? {
        try connection.first(.subscriptions, where: { $0.document("_id") { key(user, event, &$0) } }) {
            Stored(event: event, since: since(&$0), createdAt: try $0.date("created_at"))
        }
    }

    /// The end of the stream when the subscription began: it is for what comes afterwards. Earlier versions did not store it, and one that
    /// is damaged holds up nobody else's notifications.
    static func since(_ reader: inout BSONReader) -> Int64 {
        (try? reader.find("since") == nil ? 0 : reader.counter("since")) ?? 0
    }

    func subscriptions(of user: UserID, after event: EventID?, limit: Int) async throws -> [Subscription] {
        try await database.run { connection in
            try connection.find(
                .subscriptions,
                where: { filter in
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

    static func document(_ subscription: Subscription, since: Int64) -> BSONDocument {
        BSONDocument {
            $0.document("_id") { key(subscription.userID, subscription.eventID, &$0) }
            $0.member("created_at", subscription.createdAt)
            $0.member("since", since)
        }
    }

    static func key(_ user: UserID, _ event: EventID, _ writer: inout BSONWriter) {
        writer.member("user_id", user)
        writer.member("event_id", event)
    }
}
