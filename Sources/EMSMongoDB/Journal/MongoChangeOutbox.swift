import EMSCore

/// The changes that are not published yet. They lie in the documents of their subjects, where the write that changed the subject put them
/// (``PendingChanges``); or, if they could not stay there, in the journal, marked as `unpublished`.
struct MongoChangeOutbox: ChangeOutbox {
    let database: MongoDatabase

    var isOrdered: Bool { false }

    func pendingChanges(limit: Int) async throws -> [Change] {
        try await database.run { connection in
            let settled = try MongoJournal.unpublished(limit: limit, in: connection)
            if settled.count == limit { return settled }
            let known = Set(settled.map(\.id))
            let pending = try Self.pending(limit: limit, in: connection).filter { !known.contains($0.id) }
            return Array((settled + pending).prefix(limit))
        }
    }

    /// The oldest changes in documents.
    private static func pending(limit: Int, in connection: MongoConnection) throws -> [Change] {
        let found = try PendingChanges.collections.flatMap { collection in
            // The documents come in the order of their oldest change; so the oldest changes of all are within the first ones.
            try connection.find(
                collection, where: PendingChanges.isPending,
                options: {
                    PendingChanges.oldestFirst(in: collection, limit: limit, &$0)
                    PendingChanges.pendingOnly(&$0)
                }, PendingChanges.changes
            ).joined()
        }
        return Array(found.sorted { $0.id < $1.id }.prefix(limit))
    }

    // MARK: Into the journal

    func enterIntoJournal(_ changes: [Change]) async throws -> [Change] {
        try await database.run { connection in
            // What creates a subject is the first that is pending of it. Before anything else there may be what another process has written.
            // A subscription may begin again while its end is pending.
            let isFirst = { (change: Change) in
                (change.action == .created && change.subject.kind != .subscription) || change.action == .opened
            }
            let later = changes.filter { !isFirst($0) }
            var pending: [Change] = []
            for (kind, later) in Dictionary(grouping: later, by: \.subject.kind) {
                guard let collection = PendingChanges.collection(of: kind) else { continue }
                let wanted = Set(changes.map(\.id))
                pending += try connection.find(
                    collection, where: { PendingChanges.match(Set(later.map(\.subject.id)), in: collection, &$0) },
                    options: PendingChanges.pendingOnly
                ) { reader in
                    let changes = try PendingChanges.changes(&reader)
                    return changes.prefix((changes.lastIndex { wanted.contains($0.id) } ?? -1) + 1)
                }.joined()
            }
            let found = Set(pending.map(\.id))
            // What is in no document any more is in the journal already.
            let entered = changes.filter { !found.contains($0.id) } + pending
            try MongoJournal.append(entered, in: connection)
            return entered
        }
    }

    /// In batches, so that a million changes need no more memory than a thousand.
    func settle() async throws {
        while true {
            let isDone = try await database.run { connection in
                let pending = try Self.pending(limit: ChangeRelay.usualBatchSize, in: connection)
                for subject in Set(pending.map(\.subject)) {
                    guard let collection = PendingChanges.collection(of: subject.kind) else { continue }
                    try PendingChanges.settle(subject.id, in: collection, connection)
                }
                return pending.isEmpty
            }
            if isDone { return }
        }
    }

    /// Puts what is pending into the journal, and leaves it pending.
    /// - Parameters:
    ///   - kind: of what; `nil` for everything.
    ///   - id: of the subject; `nil` for all.
    static func enterPending(of kind: Subject.Kind?, _ id: String?, in connection: MongoConnection) throws {
        let collections = kind.map { kind in PendingChanges.collection(of: kind).map { [$0] } ?? [] } ?? PendingChanges.collections
        for collection in collections {
            if let id {
                let found = try connection.find(
                    collection, where: { PendingChanges.match(id, in: collection, &$0) }, options: PendingChanges.pendingOnly,
                    PendingChanges.changes)
                try MongoJournal.appendMissing(Array(found.joined()), in: connection)
                continue
            }
            // In batches: an import while no daemon runs leaves as many as it has records.
            var last = ""
            while true {
                var next: String?
                let found = try connection.find(
                    collection, where: { $0.document("pending_since") { $0.member("$gt", last) } },
                    options: {
                        PendingChanges.oldestFirst(in: collection, limit: ChangeRelay.usualBatchSize, &$0)
                        $0.document("projection") {
                            $0.member("pending", 1)
                            $0.member("pending_since", 1)
                        }
                    }
                ) { reader in
                    next = try reader.text("pending_since")
                    return try PendingChanges.changes(&reader)
                }
                guard let next else { break }
                last = next
                // By time, unless the clock was set back: the order within a document holds in any case.
                let isOrdered = found.allSatisfy { changes in zip(changes, changes.dropFirst()).allSatisfy { $0.id < $1.id } }
                let ordered = isOrdered ? found.joined().sorted { $0.id < $1.id } : Array(found.joined())
                try MongoJournal.appendMissing(ordered, in: connection)
            }
        }
    }

    // MARK: Out

    func clearPending(_ ids: [ChangeID]) async throws {
        try await database.run { connection in
            guard let newest = ids.max() else { return }
            var cleared = 0
            for collection in PendingChanges.collections {
                cleared += try PendingChanges.clear(
                    ids, from: collection,
                    where: {
                        // What is cleared is the oldest: this stretch of the index holds little else.
                        $0.document("pending_since") { $0.member("$lte", newest) }
                        $0.document("pending.id") { $0.array("$in", ids.lazy.map(\.description)) }
                    }, connection)
                // Most often, all are of one kind.
                if cleared == ids.count { break }
            }
            // What is in no document may have been settled by another process.
            if cleared < ids.count { try MongoJournal.markPublished(ids, in: connection) }
            try Self.removeTombstones(in: connection)
        }
    }

    /// Deleted events go when all their changes are published and their idempotency keys are past their time; subscriptions that ended, when
    /// that is in the journal.
    static func removeTombstones(in connection: MongoConnection) throws {
        try connection.deleteMany(.subscriptions) {
            $0.member("is_ended", true)
            $0.null("pending")
        }
        try connection.deleteMany(.events) {
            $0.member("is_deleted", true)
            $0.null("pending")
            $0.null("idempotency")
        }
    }

    /// Of what is to be published: what is only to be entered into the journal waits for no broker.
    func pendingStatus() async throws -> PendingStatus {
        try await database.run { connection in
            // What is pending is little, or there is trouble; beyond the bound its exact number tells no more.
            let documents = try connection.find(
                .events, where: PendingChanges.isPending,
                options: { options in
                    PendingChanges.oldestFirst(in: .events, limit: PageRequest.countLimit, &options)
                    options.document("projection") {
                        $0.member("pending.id", 1)
                        $0.member("pending.timestamp", 1)
                    }
                }
            ) { reader in
                try reader.array("pending") { element -> Timestamp? in
                    var change = try element.nested()
                    return try change.date("timestamp")
                }
            }
            let settled = try MongoJournal.unpublishedStatus(in: connection)
            let oldest = [documents.first?.first, settled.oldest].compactMap(\.self).min()
            return PendingStatus(count: documents.reduce(settled.count) { $0 + $1.count }, oldest: oldest)
        }
    }
}
