/// The journal. An entry about a state is written by the store that writes the state.
public protocol JournalStore: Sendable {
    /// Appends what has no state of its own: a log-in that failed, an export.
    func record(_ change: Change) async throws
    /// The references to texts of persons, those that are not in the journal left out.
    func references(to texts: [PersonalText]) async throws -> [PersonalText: String]
    /// The entries that match, in the order asked for, with everything that was written before the call.
    /// - Throws: ``EMSError`` with ``ErrorCode/storeCorrupt`` if one of them cannot be read.
    func entries(_ query: JournalQuery) async throws -> [JournalEntry]
    /// The last version of each of these events that is known, also of a deleted one; those of which nothing is known left out.
    func lastVersions(of events: [EventID]) async throws -> [EventID: Int]
    /// The first position of which the entry was made at a time or later; `nil` if there is none.
    func firstPosition(since moment: Timestamp) async throws -> Int64?
    /// How many entries about events were made since a moment, up to a bound.
    func count(since moment: Timestamp) async throws -> Int
    /// The entries after a position as they are stored, also those that cannot be read.
    func storedEntries(after position: Int64, limit: Int) async throws -> [StoredEntry]
}
