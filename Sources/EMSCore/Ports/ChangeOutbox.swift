/// The changes that are stored, and not published yet.
public protocol ChangeOutbox: Sendable {
    /// Whether changes can be cleared only in the order in which they are pending.
    var isOrdered: Bool { get }
    /// The oldest pending changes. One that is damaged is left out, and stays pending: it must not hold up the others.
    func pendingChanges(limit: Int) async throws -> [Change]
    /// Puts changes into the journal, if they are not there since they were written; and before them, what else is pending of the same
    /// subjects.
    /// - Returns: all that is to be published now, in the journal's order.
    func enterIntoJournal(_ changes: [Change]) async throws -> [Change]
    /// Puts all that is pending into the journal, where any number of changes can wait to be published.
    func settle() async throws
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
