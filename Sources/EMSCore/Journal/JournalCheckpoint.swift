/// Where the journal begins: the last entry that was cut off, and its hash, from which the chain goes on.
///
/// It is kept as an entry of the journal itself (`purge`, `purged`), and so is part of the chain.
public struct JournalCheckpoint: Sendable, Equatable {
    public let position: Int64
    public let hash: JournalHash

    public init(position: Int64, hash: JournalHash) {
        self.position = position
        self.hash = hash
    }

    /// Of a journal from which nothing was cut off.
    static let beginning = JournalCheckpoint(position: 0, hash: .start)

    static let subject = Subject(.purge, "journal")

    /// - Returns: `nil` if the change is of another kind.
    init?(_ change: Change) {
        guard change.subject == Self.subject, change.action == .purged, let state = try? change.after?.value(),
            let position = state["through"]?.integer, position > 0, let hash = state["hash"]?.string.flatMap({ JournalHash($0) })
        else { return nil }
        self.init(position: position, hash: hash)
    }

    /// What notes that the entries up to here were cut off.
    func noted(_ count: Int, before moment: Timestamp, by author: Author, at now: Timestamp) -> Change {
        let state = JSONText.object { writer in
            writer.member("count", count)
            writer.member("before", moment.description)
            writer.member("through", position)
            writer.member("hash", hash.description)
        }
        return .noted(.purged, Self.subject, by: author, at: now, state: state)
    }

    /// The newest one, and when it was noted; `nil` if nothing was ever cut off.
    static func newest(in journal: any JournalStore) async throws -> (checkpoint: JournalCheckpoint, notedAt: Timestamp)? {
        // Two processes may have cut at once: what the one that came further has removed is gone.
        let notes = try await journal.entries(JournalQuery(kind: subject.kind, subject: subject.id, limit: 100))
        // One that lies beyond its own note was not written by us.
        return notes.compactMap { note in
            JournalCheckpoint(note.change).flatMap { $0.position < note.position ? ($0, note.change.timestamp) : nil }
        }.max { $0.0.position < $1.0.position }
    }
}
