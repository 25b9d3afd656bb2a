/// Tells every daemon of newly recorded notifications, whichever process recorded them.
public protocol LiveFeed: Sendable {
    /// Makes recorded notifications known to all daemons.
    func announce(_ notifications: [RecordedNotification]) async throws
    /// All notifications announced from now on: in the order of their positions, each once, in batches.
    /// When the method returns, nothing recorded later is missed.
    func notifications() async throws -> AsyncStream<[RecordedNotification]>
}
