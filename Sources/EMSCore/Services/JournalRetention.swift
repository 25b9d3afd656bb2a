/// Cuts off the beginning of the journal: entries that need not be kept any longer.
///
/// What is to go is verified first: a journal that was altered is not cut, nor one that does not say what the store says. A user or an event
/// whose last entry is among it is recorded again, so that the journal still tells the whole state. Then a checkpoint with the hash of
/// the last one is noted, with which the chain goes on; after that the entries go, and the names and addresses that nothing else refers to.
/// The next call finishes a cut that was interrupted.
public struct JournalRetention: Sendable {
    /// How long others have their turn after each write.
    private static let rest: Duration = .milliseconds(20)

    private let journal: any JournalStore
    private let verifier: JournalVerifier
    private let batchSize: Int
    private let now: @Sendable () -> Timestamp

    /// - Parameter batchSize: how many entries are read, or removed, at once.
    public init(stores: Stores, batchSize: Int = 1000, now: @escaping @Sendable () -> Timestamp = Timestamp.now) {
        journal = stores.journal
        verifier = JournalVerifier(stores: stores)
        self.batchSize = batchSize
        self.now = now
    }

    /// What was cut off.
    public struct Cut: Sendable, Equatable {
        public let entries: Int
        /// The first entry that would go as well, but is not published or consumed yet, or is a dead letter; `nil` if there is none.
        public let neededFrom: Int64?

        public init(entries: Int, neededFrom: Int64?) {
            self.entries = entries
            self.neededFrom = neededFrom
        }
    }

    /// When entries were cut off last; `nil` if they never were.
    public func lastCut() async throws -> Timestamp? { try await JournalCheckpoint.newest(in: journal)?.notedAt }

    /// Cuts off the entries before the first one that was made at a time or later. A time that is still to come was given by a clock that was
    /// ahead, and tells nothing.
    /// - Parameters:
    ///   - dryRun: nothing is cut off; tells what would be.
    ///   - progress: told how many entries were looked at.
    /// - Throws: ``EMSError`` with ``ErrorCode/storeCorrupt`` if what is to be cut off was altered: nothing is.
    public func cut(before moment: Timestamp, by author: Author, dryRun: Bool = false, progress: (Int) -> Void = { _ in }) async throws
        -> Cut
    {
        let start = try await checkpoint()
        let needed = try await journal.firstNeeded()
        let walk = try await read(from: start, before: moment, needed: needed, progress)
        let end = walk.end.position
        let cut = Cut(entries: Int(end - start.position), neededFrom: walk.isHeldUp ? needed : nil)
        if dryRun { return cut }
        if cut.entries > 0 {
            for subject in walk.subjects { try await recordAgain(subject, through: end) }
            // Another process may have cut meanwhile, or a consumer may have been set back.
            guard try await checkpoint() == start, try await journal.firstNeeded() > end else { return Cut(entries: 0, neededFrom: nil) }
            try await journal.record(walk.end.noted(cut.entries, before: moment, by: author, at: now()))
            FaultPoint.reached(.betweenCheckpointAndCut)
        }
        try await removeTexts(walk.references.union(try await journal.unusedTexts()), after: end)
        while try await journal.removeEntries(through: end, limit: batchSize) > 0 {
            FaultPoint.reached(.betweenCuts)
            try await Task.sleep(for: Self.rest)
        }
        return cut
    }

    private func checkpoint() async throws -> JournalCheckpoint {
        try await JournalCheckpoint.newest(in: journal)?.checkpoint ?? .beginning
    }

    /// What there is to be cut off, with what an earlier call has left.
    private struct Walk {
        var end: JournalCheckpoint
        var subjects: Set<Subject> = []
        /// To texts of persons.
        var references: Set<String> = []
        /// Whether it ended at an entry that is still needed.
        var isHeldUp = false
    }

    private func read(
        from start: JournalCheckpoint, before moment: Timestamp, needed: Int64, _ progress: (Int) -> Void
    ) async throws -> Walk {
        var walk = Walk(end: start)
        let now = now()
        var (position, looked) = (Int64(0), 0)
        while true {
            let batch = try await journal.storedEntries(after: position, limit: batchSize)
            for entry in batch {
                if entry.position > start.position {
                    if entry.keys.timestamp >= moment, entry.keys.timestamp <= now { return walk }
                    if entry.position >= needed {
                        walk.isHeldUp = true
                        return walk
                    }
                    let expected = walk.end.hash.followed(by: entry.sealed.canonical)
                    if let fault = JournalVerifier.fault(of: entry, at: walk.end.position + 1, expecting: expected) {
                        // What another process cuts off is missing here.
                        guard try await checkpoint() == start else { return Walk(end: start) }
                        throw Self.refused(fault)
                    }
                    walk.end = JournalCheckpoint(position: entry.position, hash: expected)
                    if let subject = entry.keys.stateSubject { walk.subjects.insert(subject) }
                }
                walk.references.formUnion(entry.sealed.possibleReferences)
                looked += 1
            }
            progress(looked)
            guard let last = batch.last else { return walk }
            position = last.position
            try Task.checkCancellation()
        }
    }

    /// Unless the journal tells of it later on.
    private func recordAgain(_ subject: Subject, through end: Int64) async throws {
        let last = try await journal.entries(JournalQuery(kind: subject.kind, subject: subject.id, limit: 1)).first
        guard let last, last.position <= end else { return }
        // Whatever was altered behind our back must not be recorded as if it had been so all the time.
        if let fault = try await verifier.difference(of: subject) { throw Self.refused(fault) }
        if try await journal.recordAgain([subject], through: end, at: now()) > 0 { try await Task.sleep(for: Self.rest / 10) }
        try Task.checkCancellation()
    }

    private static func refused(_ fault: JournalVerifier.Fault) -> EMSError {
        EMSError(
            .storeCorrupt, "no entry was removed from the journal: \(fault.description)", fix: "ems audit verify; compare with a backup")
    }

    /// - Parameter references: to texts that nothing may refer to any more.
    private func removeTexts(_ references: Set<String>, after end: Int64) async throws {
        var (unused, position) = (references, end)
        while !unused.isEmpty {
            let batch = try await journal.storedEntries(after: position, limit: batchSize)
            for entry in batch { unused.subtract(entry.sealed.possibleReferences) }
            guard let last = batch.last else { break }
            position = last.position
            try Task.checkCancellation()
        }
        if !unused.isEmpty { try await journal.removeTexts(unused, unusedThrough: position) }
    }
}

extension JournalKeys {
    /// What the entry is about, if that has a state which the journal must tell.
    fileprivate var stateSubject: Subject? {
        guard let kind = Subject.Kind(rawValue: kind), kind.isReplayed else { return nil }
        return Subject(kind, subject)
    }
}
