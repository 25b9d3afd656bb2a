/// The pending changes: written with the documents they belong to, cleared when the broker has confirmed them.
public protocol ChangeOutbox: Sendable {
    /// The oldest pending changes. One that is damaged is left out, and stays pending: it must not hold up the others.
    func pendingChanges(limit: Int) async throws -> [Change]
    func clearPending(_ ids: [ChangeID]) async throws
    /// How many are pending, and since when the oldest is.
    func pendingStatus() async throws -> PendingStatus
}

public struct PendingStatus: Sendable, Equatable {
    public let count: Int
    public let oldest: Timestamp?

    public init(count: Int, oldest: Timestamp?) {
        self.count = count
        self.oldest = oldest
    }
}
