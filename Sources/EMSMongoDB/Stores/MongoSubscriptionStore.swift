import EMSCore

/// Subscriptions: the pair of user and event is the document's id, so that there is one at most.
struct MongoSubscriptionStore: SubscriptionStore {
    let database: MongoDatabase

    func subscribe(_ user: UserID, to event: EventID, at now: Timestamp) async throws -> Bool {
        try await database.run { connection in
            let isLiving = try connection.first(.events, where: { $0.member("_id", event) }) { try $0.find("title") != nil }
            guard isLiving == true else { throw EMSError.notFound("event", event) }
            guard try connection.exists(.users, where: { $0.member("_id", user) }) else { throw EMSError.notFound("user", user) }
            do {
                try connection.insert(.subscriptions, Self.document(Subscription(eventID: event, userID: user, createdAt: now)))
                return true
            } catch is DuplicateKey {
                return false
            }
        }
    }

    func unsubscribe(_ user: UserID, from event: EventID) async throws -> Bool {
        try await database.run { connection in
            try connection.deleteMany(.subscriptions) { $0.document("_id") { Self.key(user, event, &$0) } } > 0
        }
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

    static func document(_ subscription: Subscription) -> BSONDocument {
        BSONDocument {
            $0.document("_id") { key(subscription.userID, subscription.eventID, &$0) }
            $0.member("created_at", subscription.createdAt)
        }
    }

    static func key(_ user: UserID, _ event: EventID, _ writer: inout BSONWriter) {
        writer.member("user_id", user)
        writer.member("event_id", event)
    }
}
