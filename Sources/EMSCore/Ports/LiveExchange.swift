/// Tells all daemons of notifications, as fast as it can and without promises: what gets lost on the way is found in the store.
public protocol LiveExchange: Sendable {
    func announce(_ notifications: [RecordedNotification]) async throws
    /// What any process announces from now on, as long as the task runs that reads it; in no certain order, perhaps with gaps.
    func announcements() async -> AsyncStream<[RecordedNotification]>
}
