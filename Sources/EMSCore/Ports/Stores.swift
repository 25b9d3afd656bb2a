/// One place where everything is kept: what an adapter hands to the runtime.
public struct Stores: Sendable {
    public let users: any UserStore
    public let events: any EventStore
    public let outbox: any ChangeOutbox
    public let notifications: any NotificationStore
    public let subscriptions: any SubscriptionStore
    public let tokens: any TokenStore
    public let rateLimits: any RateLimitStore
    public let logins: any LoginStore

    public init(
        users: any UserStore, events: any EventStore, outbox: any ChangeOutbox, notifications: any NotificationStore,
        subscriptions: any SubscriptionStore, tokens: any TokenStore, rateLimits: any RateLimitStore, logins: any LoginStore
    ) {
        self.users = users
        self.events = events
        self.outbox = outbox
        self.notifications = notifications
        self.subscriptions = subscriptions
        self.tokens = tokens
        self.rateLimits = rateLimits
        self.logins = logins
    }
}
