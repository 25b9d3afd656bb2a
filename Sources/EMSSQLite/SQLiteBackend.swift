import EMSCore

/// The embedded default: all stores, the queues and the live feed in one SQLite file.
public struct SQLiteBackend: Sendable {
    public let database: SQLiteDatabase
    public let stores: Stores
    public let feed: any LiveFeed
    public let administration: any StoreAdministration
    public let brokerAdministration: any BrokerAdministration
    public let transfer: any StoreTransfer

    /// - Throws: see ``SQLiteDatabase/init(path:mode:)``.
    public init(path: String, mode: SQLiteDatabase.Mode, readLimit: Duration? = nil) throws {
        self.init(try SQLiteDatabase(path: path, mode: mode, readLimit: readLimit))
    }

    /// Opens a private copy, which is gone with the value: the file itself is only read, whichever version made it.
    public init(copyOf path: String) throws {
        self.init(try SQLiteDatabase(copyOf: path))
    }

    public func queue(of consumer: Consumer) -> any ChangeQueue { SQLiteChangeQueue(database: database, consumer: consumer) }

    /// Where tasks are at home that read often; `nil` for what is no daemon.
    public var executor: (any TaskExecutor)? { database.readers }

    /// Empties the write-ahead log, as far as other processes let it: before a process that wrote much ends.
    @Sendable public func truncateLog() async { await database.truncateLog() }

    private init(_ database: SQLiteDatabase) {
        self.database = database
        stores = Stores(
            users: SQLiteUserStore(database: database),
            events: SQLiteEventStore(database: database),
            outbox: SQLiteChangeOutbox(database: database),
            journal: SQLiteJournalStore(database: database),
            notifications: SQLiteNotificationStore(database: database),
            subscriptions: SQLiteSubscriptionStore(database: database),
            tokens: SQLiteTokenStore(database: database),
            rateLimits: SQLiteRateLimitStore(database: database), logins: SQLiteLoginStore(database: database),
            consumers: SQLiteConsumerStore(database: database),
            transaction: database.mode == .bulk ? SQLiteTransaction(database: database) : nil, watch: database.watch)
        feed = SQLiteLiveFeed(database: database)
        administration = SQLiteAdministration(database: database)
        brokerAdministration = SQLiteBrokerAdministration(database: database)
        transfer = SQLiteTransfer(database: database)
    }
}
