/// Cuts off the beginning of the journal: entries that need not be kept any longer.
///
/// A user or an event whose last entry is among them is recorded once more first, so that the journal still tells the whole state. Then a
/// checkpoint with the hash of the last one is noted, with which the chain goes on; after that the entries go, and the names and addresses
/// that nothing else refers to. What is cut short is finished by the next call.
public struct JournalRetention: Sendable {
    /// How long others have their turn after each write.
    private static let rest: Duration = .milliseconds(20)

    private let journal: any JournalStore
    private let batchSize: Int
    private let now: @Sendable () -> Timestamp

    /// - Parameter batchSize: how many entries are read, or removed, at once.
    public init(journal: any JournalStore, batchSize: Int = 1000, now: @escaping @Sendable () -> Timestamp = Timestamp.now) {
        self.journal = journal
        self.batchSize = batchSize
        self.now = now
    }

    /// What was cut off.
    public struct Cut: Sendable, Equatable {
        public let entries: Int
        /// The first entry that would go as well, but is waiting for a consumer, or is a dead letter; `nil` if there is none.
        public let neededFrom: Int64?

        public init(entries: Int, neededFrom: Int64?) {
            self.entries = entries
            self.neededFrom = neededFrom
        }
    }

    /// When entries were cut off last; `nil` if they never were.
    public func lastCut() async throws -> Timestamp? { try await JournalCheckpoint.newest(in: journal)?.notedAt }

    /// Cuts off the entries before the first one that was made at a time or later.
    /// - Parameters:
    ///   - dryRun: nothing is written; tells what would be cut off.
    ///   - progress: told how many entries were looked at.
    /// - Throws: ``EMSError`` with ``ErrorCode/storeCorrupt`` if the chain of hashes is broken in what is to be cut off: nothing is.
    public func cut(before moment: Timestamp, by author: Author, dryRun: Bool = false, progress: (Int) -> Void = { _ in }) async throws
        -> Cut
    {
        let begun = try await JournalCheckpoint.newest(in: journal)?.checkpoint
        let start = begun ?? JournalCheckpoint(position: 0, hash: .start)
        let (wanted, needed) = (try await end(before: moment), try await journal.firstNeeded())
        let end = max(start.position, min(wanted, needed - 1))
        var unused = dryRun ? [] : try await journal.unusedTexts()
        let checkpoint = try await read(from: start, through: end, recordingAgain: !dryRun, &unused, progress)
        let cut = Cut(entries: Int(end - start.position), neededFrom: needed <= wanted ? needed : nil)
        if dryRun { return cut }
        if cut.entries > 0 {
            try await journal.record(checkpoint.noted(cut.entries, before: moment, by: author, at: now()))
            FaultPoint.reached(.betweenCheckpointAndCut)
        }
        try await removeTexts(&unused, after: end)
        while try await journal.removeEntries(through: end, limit: batchSize) > 0 {
            FaultPoint.reached(.betweenCuts)
            try await Task.sleep(for: Self.rest)
        }
        return cut
    }

    /// The last position before the first entry of a time or later.
    private func end(before moment: Timestamp) async throws -> Int64 {
        if let first = try await journal.firstPosition(since: moment) { return first - 1 }
        return try await journal.entries(JournalQuery(limit: 1)).first?.position ?? 0
    }

    /// Reads what is to be cut off, and what an earlier call has left.
    /// - Parameter references: gets those of the entries.
    /// - Returns: the last entry's position and hash.
    private func read(
        from start: JournalCheckpoint, through end: Int64, recordingAgain: Bool, _ references: inout Set<String>, _ progress: (Int) -> Void
    ) async throws -> JournalCheckpoint {
        var (chain, position) = (start, Int64(0))
        while position < end {
            let batch = try await journal.storedEntries(after: position, limit: batchSize).filter { $0.position <= end }
            guard let last = batch.last else { break }
            for entry in batch {
                references.formUnion(entry.sealed.possibleReferences)
                guard entry.position > start.position else { continue }
                let hash = chain.hash.followed(by: entry.sealed.canonical)
                guard entry.position == chain.position + 1, entry.hash == hash.bytes else {
                    throw EMSError(
                        .storeCorrupt, "the journal was altered at position \(chain.position + 1): nothing was cut off",
                        fix: "ems audit verify; compare it with a backup")
                }
                chain = JournalCheckpoint(position: entry.position, hash: hash)
            }
            position = last.position
            if recordingAgain {
                let subjects = Set(batch.lazy.filter { $0.position > start.position }.compactMap(\.keys.stateSubject))
                if try await journal.recordAgain(Array(subjects), through: end, at: now()) > 0 { try await Task.sleep(for: Self.rest) }
            }
            progress(Int(position))
            try Task.checkCancellation()
        }
        guard chain.position == end else {
            throw EMSError(
                .storeCorrupt, "the journal has no entry \(chain.position + 1): nothing was cut off",
                fix: "ems audit verify; compare it with a backup")
        }
        return chain
    }

    /// - Parameter unused: references in what is cut off.
    private func removeTexts(_ unused: inout Set<String>, after end: Int64) async throws {
        if unused.isEmpty { return }
        var position = end
        while true {
            let batch = try await journal.storedEntries(after: position, limit: batchSize)
            for entry in batch { unused.subtract(entry.sealed.possibleReferences) }
            guard let last = batch.last, !unused.isEmpty else { break }
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
