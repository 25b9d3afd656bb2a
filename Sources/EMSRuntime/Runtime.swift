import EMSCore
import EMSSQLite
import Logging

/// The composition: configuration in, the core's services out. Nothing is opened or started that nobody asked for.
public struct Runtime: Sendable {
    public let settings: Settings
    public let logger: Logger
    public let users: UserService
    public let events: EventService
    public let subscriptions: SubscriptionService
    public let notifications: NotificationService
    public let relay: ChangeRelay
    public let consumer: ChangeConsumer
    private let backend: SQLiteBackend
    private let hasher: PasswordHasher

    /// Opens the store and puts the services on it.
    public init(settings: Settings, mode: SQLiteDatabase.Mode, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        backend = try SQLiteBackend(path: settings.databasePath, mode: mode)
        hasher = PasswordHasher(cost: settings.bcryptCost)
        let wakeup = Wakeup()
        users = UserService(stores: backend.stores, hasher: hasher)
        events = EventService(stores: backend.stores) {
            FaultPoint.reached(.betweenWriteAndPublish)
            wakeup.signal()
        }
        subscriptions = SubscriptionService(stores: backend.stores)
        notifications = NotificationService(stores: backend.stores, feed: backend.feed)
        relay = ChangeRelay(stores: backend.stores, broker: backend.broker, wakeup: wakeup, logger: logger)
        consumer = ChangeConsumer(broker: backend.broker, notifications: notifications, logger: logger)
    }

    /// Log-in and tokens: the part that needs the signing key.
    public func authentication() async throws -> AuthenticationService {
        let accessTokens = try await AccessTokens(secret: settings.signingKey().secret)
        return AuthenticationService(stores: backend.stores, hasher: hasher, accessTokens: accessTokens, policy: settings.authentication)
    }

    /// Carries pending changes as far as a command that is about to end can: to the broker, and, since the embedded broker lives in
    /// this file, into the inboxes. What fails here is not lost: it stays pending for a daemon or the next command.
    public func deliverChanges() async throws {
        _ = try await relay.flush()
        _ = try await consumer.drain()
    }

    /// How the parts are: what `/readyz` tells.
    public func health() async throws -> Health {
        try await backend.database.ping()
        let pending = try await backend.stores.outbox.pendingStatus()
        let broker = try await backend.broker.status()
        return Health(pending: pending, broker: broker)
    }

    /// Removes what has served its time: idempotency keys of yesterday, sessions that ended a week ago.
    public func housekeeping() async throws {
        try await events.forgetOldIdempotencyKeys()
        _ = try await backend.stores.tokens.purge(before: Timestamp.now().adding(seconds: -7 * 86_400))
    }

    public struct Health: Sendable {
        public let pending: PendingStatus
        public let broker: BrokerStatus
    }
}
