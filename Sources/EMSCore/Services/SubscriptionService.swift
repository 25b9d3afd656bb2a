/// Who hears of the updates of which event.
public struct SubscriptionService: Sendable {
    private let store: any SubscriptionStore
    private let now: @Sendable () -> Timestamp

    public init(stores: Stores, now: @escaping @Sendable () -> Timestamp = Timestamp.now) {
        store = stores.subscriptions
        self.now = now
    }

    /// - Returns: whether the subscription is new.
    public func subscribe(_ user: UserID, to event: EventID, by author: Author) async throws -> Bool {
        try await store.subscribe(user, to: event, by: author, at: now())
    }

    /// - Returns: whether there was one.
    public func unsubscribe(_ user: UserID, from event: EventID, by author: Author) async throws -> Bool {
        try await store.unsubscribe(user, from: event, by: author, at: now())
    }

    public func subscriptions(of user: UserID, after event: EventID? = nil, limit: Int = 1000) async throws -> [Subscription] {
        try await store.subscriptions(of: user, after: event, limit: limit)
    }
}
