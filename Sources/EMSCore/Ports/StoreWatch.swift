/// A part of a store, as far as whoever keeps what was read tells parts apart.
public enum StorePart: Int, CaseIterable, Sendable {
    /// Users and their sessions.
    case identities
    /// Events, and how many there are of each kind.
    case events
    /// Notifications, and what is read of them.
    case inboxes
}

/// A state of a part of a store: as long as it is the same, what was read holds.
public struct StoreState: Sendable, Hashable {
    private let number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }
}

/// Tells whether what was read from a store still holds, at next to no cost.
public protocol StoreWatch: Sendable {
    /// The state a part is in. What is read after this was asked belongs to this state, or to a later one.
    /// - Returns: `nil` where it cannot be told at the moment: then the store must be asked.
    func state(of part: StorePart) -> StoreState?
}
