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
    /// The entries after a position as they are stored, also those that cannot be read, with everything that was written before the call.
    func storedEntries(after position: Int64, limit: Int) async throws -> [StoredEntry]

    // MARK: Cutting off the beginning: see ``JournalRetention``

    /// The first position that a consumer has before it, that is a dead letter or is not published yet; the one after the last, if there
    /// is none.
    func firstNeeded() async throws -> Int64
    /// Records those of the subjects again that exist and have no entry after a position.
    /// - Returns: how many those were.
    func recordAgain(_ subjects: [Subject], through position: Int64, at now: Timestamp) async throws -> Int
    /// Removes the oldest entries, up to a position.
    /// - Returns: how many were removed.
    func removeEntries(through position: Int64, limit: Int) async throws -> Int
    /// References to texts that were found to be unused before, and are still there.
    func unusedTexts() async throws -> Set<String>
    /// Removes texts to which no entry up to a position refers, unless one after it does. Where a process may just be about to refer to one,
    /// the texts go with the first call of an hour later that is about them as well.
    func removeTexts(_ references: Set<String>, unusedThrough position: Int64) async throws
}
