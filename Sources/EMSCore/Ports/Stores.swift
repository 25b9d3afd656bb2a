/// One place where everything is kept: what an adapter hands to the runtime.
public struct Stores: Sendable {
    public let users: any UserStore
    public let events: any EventStore
    public let outbox: any ChangeOutbox
    public let journal: any JournalStore
    public let notifications: any NotificationStore
    public let subscriptions: any SubscriptionStore
    public let tokens: any TokenStore
    public let rateLimits: any RateLimitStore
    public let logins: any LoginStore
    public let consumers: any ConsumerStore
    /// `nil` where the store has no transaction that lasts as long as an import.
    public let transaction: (any StoreTransaction)?
    /// `nil` where it cannot be told whether what was read still holds.
    public let watch: (any StoreWatch)?

    public init(
        users: any UserStore, events: any EventStore, outbox: any ChangeOutbox, journal: any JournalStore,
        notifications: any NotificationStore,
        subscriptions: any SubscriptionStore, tokens: any TokenStore, rateLimits: any RateLimitStore, logins: any LoginStore,
        consumers: any ConsumerStore, transaction: (any StoreTransaction)? = nil, watch: (any StoreWatch)? = nil
    ) {
        self.users = users
        self.events = events
        self.outbox = outbox
        self.journal = journal
        self.notifications = notifications
        self.subscriptions = subscriptions
        self.tokens = tokens
        self.rateLimits = rateLimits
        self.logins = logins
        self.consumers = consumers
        self.transaction = transaction
        self.watch = watch
    }
}

/// Many writes that are stored together, or not at all. Others wait with theirs until it ends.
public protocol StoreTransaction: Sendable {
    func begin() async throws
    func commit() async throws
    func rollBack() async throws
}
