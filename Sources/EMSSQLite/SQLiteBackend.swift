import EMSCore

/// The embedded default: all stores, the broker and the live feed in one SQLite file.
public struct SQLiteBackend: Sendable {
    public let database: SQLiteDatabase
    public let stores: Stores
    public let broker: any MessageBroker
    public let feed: any LiveFeed
    public let administration: any StoreAdministration
    public let brokerAdministration: any BrokerAdministration
    public let transfer: any StoreTransfer

    /// - Throws: see ``SQLiteDatabase/init(path:mode:)``.
    public init(path: String, mode: SQLiteDatabase.Mode) throws {
        database = try SQLiteDatabase(path: path, mode: mode)
        stores = Stores(
            users: SQLiteUserStore(database: database),
            events: SQLiteEventStore(database: database),
            outbox: SQLiteChangeOutbox(database: database),
            notifications: SQLiteNotificationStore(database: database),
            subscriptions: SQLiteSubscriptionStore(database: database),
            tokens: SQLiteTokenStore(database: database),
            rateLimits: SQLiteRateLimitStore(database: database))
        broker = SQLiteMessageBroker(database: database)
        feed = SQLiteLiveFeed(database: database)
        administration = SQLiteAdministration(database: database)
        brokerAdministration = SQLiteBrokerAdministration(database: database)
        transfer = SQLiteTransfer(database: database)
    }
}
