import Crypto

/// Recomputes the journal's chain of hashes, replays it, and compares what comes out with what is stored.
public struct JournalVerifier: Sendable {
    private let journal: any JournalStore
    private let events: any EventStore
    private let users: any UserStore

    public init(stores: Stores) {
        journal = stores.journal
        events = stores.events
        users = stores.users
    }

    /// What was found.
    public struct Report: Sendable {
        /// How many entries are as they were written.
        public let entries: Int64
        /// The last hash of those: whoever keeps it can tell later whether anything up to here was altered.
        public let hash: JournalHash
        /// The first difference; `nil` if there is none.
        public let fault: Fault?
    }

    public struct Fault: Sendable, Equatable {
        /// The first position that differs; `nil` if what differs has no entry.
        public let position: Int64?
        /// A sentence without a full stop.
        public let description: String
    }

    private static let batchSize = 1000
    /// How often a difference is looked at again: what is changed meanwhile differs for a moment.
    private static let attempts = 5

    /// - Parameter progress: told how many entries were looked at.
    public func verify(progress: (Int64) -> Void = { _ in }) async throws -> Report {
        var start = try await checkpoint()
        while true {
            let report = try await verify(from: start, progress)
            guard report.fault != nil else { return report }
            // What is cut off meanwhile is missing for a moment.
            let newest = try await checkpoint()
            if newest.position <= start.position { return report }
            start = newest
        }
    }

    /// A note that cannot be read is found among the entries.
    private func checkpoint() async throws -> JournalCheckpoint {
        do {
            return try await JournalCheckpoint.newest(in: journal)?.checkpoint ?? .beginning
        } catch let error as EMSError where error.code == .storeCorrupt {
            return .beginning
        }
    }

    private func verify(from start: JournalCheckpoint, _ progress: (Int64) -> Void) async throws -> Report {
        var (position, hash) = (start.position, start.hash)
        var subjects: [Subject: Digest] = [:]
        // The last one that was cut off may still be there.
        if let last = try await journal.storedEntries(after: start.position - 1, limit: 1).first, last.position == start.position,
            last.hash != start.hash.bytes
        {
            return Report(
                entries: 0, hash: hash,
                fault: Fault(position: start.position, description: "the entry \(start.position) is not where the journal was cut off"))
        }
        while true {
            let batch = try await journal.storedEntries(after: position, limit: Self.batchSize)
            for entry in batch {
                let next = hash.followed(by: entry.sealed.canonical)
                if let fault = Self.fault(of: entry, at: position + 1, expecting: next) {
                    return Report(entries: position - start.position, hash: hash, fault: fault)
                }
                if let change = try? entry.sealed.change(at: entry.position, resolving: { $0 }), change.subject.kind.isReplayed {
                    subjects[change.subject] = Digest(of: change.after)
                }
                (position, hash) = (entry.position, next)
            }
            progress(position - start.position)
            guard batch.count == Self.batchSize else { break }
            try Task.checkCancellation()
        }
        return Report(entries: position - start.position, hash: hash, fault: try await stateFault(subjects))
    }

    /// What is wrong with an entry; `nil` if nothing is.
    static func fault(of entry: StoredEntry, at position: Int64, expecting hash: JournalHash) -> Fault? {
        guard entry.position == position else {
            return Fault(position: position, description: "there is no entry \(position): the next one is \(entry.position)")
        }
        guard entry.hash == hash.bytes else {
            return Fault(
                position: position, description: "the entry \(position) is not what it was, or not what followed the one before it")
        }
        // References stand for the texts: those may be erased.
        guard let change = try? entry.sealed.change(at: position, resolving: { $0 }) else {
            return Fault(position: position, description: "the entry \(position) cannot be read")
        }
        guard entry.keys == JournalKeys(change) else {
            return Fault(position: position, description: "what the entry \(position) is searched by is not what it says")
        }
        return nil
    }

    // MARK: State

    /// The first half of the SHA-256 of a state; of nothing, if there is none.
    private struct Digest: Equatable {
        private let first: UInt64
        private let second: UInt64

        init(of state: JSONText?) {
            let words: (UInt64, UInt64)? = state.map { state in
                SHA256.hash(data: state.bytes).withUnsafeBytes {
                    ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                }
            }
            (first, second) = words ?? (0, 0)
        }
    }

    private func stateFault(_ replayed: [Subject: Digest]) async throws -> Fault? {
        var rest = replayed
        var faults: [Fault] = []
        func compare(_ states: [(subject: Subject, digest: Digest)]) async throws {
            for (subject, digest) in states where rest.removeValue(forKey: subject) != digest {
                if let fault = try await difference(of: subject) { faults.append(fault) }
            }
            try Task.checkCancellation()
        }
        var cursor: PageCursor?
        repeat {
            let page = try await events.events(EventQuery(sort: .createdAt, page: .export(after: cursor)))
            try await compare(page.events.map { (Subject(.event, $0.id.description), Digest(of: EventRecord.record($0))) })
            cursor = page.next
        } while cursor != nil
        repeat {
            let page = try await users.users(UserQuery(page: .export(after: cursor)))
            let states = try await masked(page.users.map { ($0.id.description, User.fields.record(of: $0)) })
            try await compare(states.map { (Subject(.user, $0.id), Digest(of: $0.state)) })
            cursor = page.next
        } while cursor != nil
        for (subject, digest) in rest where digest != Digest(of: nil) {
            if let fault = try await difference(of: subject) { faults.append(fault) }
        }
        // What has no entry comes first: it was never recorded at all.
        return faults.min { ($0.position ?? 0) < ($1.position ?? 0) }
    }

    /// States of accounts as the journal holds them, with references in place of names and addresses.
    private func masked(_ states: [(id: String, state: JSONText)]) async throws -> [(id: String, state: JSONText)] {
        let accounts = states.map { id, state in
            (id, Change.noted(.recorded, Subject(.user, id), by: Author(.system, via: ChangeSource(.import)), state: state))
        }
        let references = try await journal.references(to: accounts.flatMap { $0.1.personalTexts })
        return accounts.map { id, account in
            (id, account.replacingTexts { references[$0] ?? $0.value }.after ?? .object { _ in })
        }
    }

    /// Whether what is stored is not what the journal says; `nil` if it is.
    func difference(of subject: Subject) async throws -> Fault? {
        var fault: Fault?
        for attempt in 1...Self.attempts {
            let state = try await state(of: subject)
            let last = try await journal.entries(JournalQuery(kind: subject.kind, subject: subject.id, limit: 1)).first
            if Digest(of: state) == Digest(of: last?.change.after) { return nil }
            let name = "the \(subject.kind.rawValue) \(subject.id)"
            let what = state == nil ? "is gone, and no entry says that it was deleted" : "is not what its last entry says"
            fault = Fault(position: last?.position, description: last == nil ? "\(name) has no entry" : "\(name) \(what)")
            if attempt < Self.attempts { try await Task.sleep(for: .milliseconds(20)) }
        }
        return fault
    }

    private func state(of subject: Subject) async throws -> JSONText? {
        if subject.kind == .event, let id = EventID(subject.id) { return try await events.event(id: id).map(EventRecord.record) }
        if subject.kind == .user, let id = UserID(subject.id) { return try await users.user(id: id).map { User.fields.record(of: $0) } }
        return nil
    }
}
