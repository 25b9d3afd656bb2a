import EMSCore

/// All stores in one MongoDB.
public struct MongoBackend: Sendable {
    public let database: MongoDatabase
    public let stores: Stores

    public init(database: MongoDatabase) {
        self.database = database
        stores = Stores(
            users: MongoUserStore(database: database),
            events: MongoEventStore(database: database),
            outbox: MongoChangeOutbox(database: database),
            journal: MongoJournalStore(database: database),
            notifications: MongoNotificationStore(database: database),
            subscriptions: MongoSubscriptionStore(database: database),
            tokens: MongoTokenStore(database: database),
            rateLimits: MongoRateLimitStore(database: database), logins: MongoLoginStore(database: database),
            consumers: MongoConsumerStore(database: database))
    }
}
