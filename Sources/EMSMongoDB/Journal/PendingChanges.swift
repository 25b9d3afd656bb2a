import EMSCore

/// The changes that a document holds until they are in the journal and, if they are published, with the broker: in the array `pending`, in the
/// order in which they happened. `pending_since` is the id of the oldest.
enum PendingChanges {
    /// How many a document holds at most: whoever finds it full settles it first.
    static let limit = 16

    /// The collections whose documents hold changes.
    static let collections: [Collection] = [.events, .users, .sessions, .subscriptions]

    static func collection(of kind: Subject.Kind) -> Collection? {
        switch kind {
        case .event: .events
        case .user: .users
        case .session: .sessions
        case .subscription: .subscriptions
        case .login, .key, .import, .export, .purge: nil
        }
    }

    /// The document of one of these subjects.
    static func match(_ subjects: some Sequence<String>, in collection: Collection, _ filter: inout BSONWriter) {
        filter.document("_id") { condition in
            guard collection == .subscriptions else { return condition.array("$in", subjects) }
            condition.array("$in") { keys in
                for pair in subjects.lazy.compactMap(Subscription.pair) {
                    keys.document { MongoSubscriptionStore.key(pair.user, pair.event, &$0) }
                }
            }
        }
    }

    static func match(_ subject: String, in collection: Collection, _ filter: inout BSONWriter) {
        guard collection == .subscriptions else { return filter.member("_id", subject) }
        match([subject], in: collection, &filter)
    }

    // MARK: Writing

    /// Of a new document.
    static func begin(with change: Change, to writer: inout BSONWriter) {
        writer.array("pending") { $0.document { encode(change, to: &$0) } }
        writer.member("pending_since", change.id)
    }

    /// Of an update. The document must match ``hasRoom(_:)``.
    static func push(_ change: Change, to writer: inout BSONWriter) {
        writer.document("$push") { $0.document("pending") { encode(change, to: &$0) } }
        // Ids are ordered by time: the smallest is the oldest.
        writer.document("$min") { $0.member("pending_since", change.id) }
    }

    static func hasRoom(_ filter: inout BSONWriter) {
        filter.document("pending.\(limit - 1)") { $0.member("$exists", false) }
    }

    private static func encode(_ change: Change, to writer: inout BSONWriter) {
        writer.member("id", change.id)
        writer.member("timestamp", change.timestamp)
        writer.member("record", String(decoding: change.json(), as: UTF8.self))
    }

    // MARK: Reading

    /// What is pending in a document; what is damaged is left out.
    static func changes(_ reader: inout BSONReader) throws -> [Change] {
        let found = try reader.array("pending") { element -> Change?? in
            guard var change = try? element.nested() else { return .some(nil) }
            return .some(try? decode(&change))
        }
        return found.compactMap(\.self)
    }

    private static func decode(_ reader: inout BSONReader) throws -> Change {
        let id: ChangeID = try reader.id("id")
        if let record = try reader.optionalText("record") {
            let change = try Change(id: id, record: Array(record.utf8))
            // Everything of it is read here, so that it can be published.
            guard change.isReadable else { throw BSONReader.damaged("a pending change holds no event") }
            return change
        }
        // As version 0.1.0 stored it.
        let action: Change.Action = try reader.word("action")
        let actor = try reader.text("actor")
        let timestamp = try reader.date("timestamp")
        var event = try reader.document("event")
        return Change(id: id, action: action, event: try EventDocument.event(&event), actor: actor, timestamp: timestamp)
    }

    /// Of the oldest changes.
    static func isPending(_ writer: inout BSONWriter) {
        writer.document("pending_since") { $0.member("$gt", "") }
    }

    static func oldestFirst(in collection: Collection, limit: Int, _ options: inout BSONWriter) {
        options.document("sort") { $0.member("pending_since", 1) }
        options.member("limit", limit)
        options.member("hint", index(of: collection))
    }

    static func index(of collection: Collection) -> String { "\(collection.rawValue)_pending" }

    static func pendingOnly(_ options: inout BSONWriter) {
        options.document("projection") { $0.member("pending", 1) }
    }

    // MARK: Settling

    /// Moves what is pending in a document into the journal.
    /// - Returns: `false` if nothing was pending that can be read.
    @discardableResult
    static func settle(_ id: String, in collection: Collection, _ connection: MongoConnection) throws -> Bool {
        let changes = try connection.first(collection, where: { match(id, in: collection, &$0) }, options: pendingOnly, changes)
        guard let changes, !changes.isEmpty else { return false }
        try MongoJournal.append(changes, in: connection)
        try MongoJournal.markUnpublished(changes.filter(\.isPublished).map(\.id), in: connection)
        let ids = changes.map(\.id)
        try clear(
            ids, from: collection,
            where: {
                match(id, in: collection, &$0)
                $0.document("pending.id") { $0.array("$in", ids.lazy.map(\.description)) }
            }, connection)
        return true
    }

    /// Writes to a document that has room for another change, making room first if need be.
    /// - Parameters:
    ///   - write: one write with the condition ``hasRoom(_:)``; returns whether it matched.
    ///   - condition: whether the other conditions of the write hold.
    /// - Returns: `false` if the other conditions do not hold.
    static func writing(
        _ id: String, in collection: Collection, _ connection: MongoConnection, _ write: () throws -> Bool,
        while condition: () throws -> Bool
    ) throws -> Bool {
        var isStuck = false
        while try !write() {
            guard try condition() else { return false }
            guard !isStuck else {
                throw EMSError(
                    .storeCorrupt, "\(id) in \(collection.rawValue) is full of pending changes that cannot be read", fix: "restore a backup"
                )
            }
            // It is full, or was a moment ago.
            isStuck = try !settle(id, in: collection, connection)
        }
        return true
    }

    /// - Returns: from how many documents something was taken.
    @discardableResult
    static func clear(
        _ ids: [ChangeID], from collection: Collection, where filter: MongoConnection.Build, _ connection: MongoConnection
    ) throws -> Int {
        let names = ids.map(\.description)
        return try connection.updateManyByPipeline(collection, where: filter) { stages in
            stages.document { $0.document("$set") { $0.document("pending") { remaining(without: names, &$0) } } }
            // Where nothing stays pending, the fields go, and with them the document from the index.
            stages.document {
                $0.document("$set") { set in
                    set.document("pending_since") { unlessEmpty(&$0) { $0.document { $0.member("$min", "$pending.id") } } }
                    set.document("pending") { unlessEmpty(&$0) { $0.element("$pending") } }
                }
            }
        }.modified
    }

    private static func remaining(without ids: [String], _ writer: inout BSONWriter) {
        writer.document("$filter") {
            // Another process may have taken the last one.
            $0.document("input") { input in
                input.array("$ifNull") {
                    $0.element("$pending")
                    $0.array { _ in }
                }
            }
            $0.document("cond") {
                $0.array("$not") {
                    $0.document {
                        $0.array("$in") {
                            $0.element("$$this.id")
                            $0.array { for id in ids { $0.element(id) } }
                        }
                    }
                }
            }
        }
    }

    private static func unlessEmpty(_ writer: inout BSONWriter, _ value: (inout BSONArrayWriter) -> Void) {
        writer.array("$cond") {
            $0.document {
                $0.array("$eq") {
                    $0.element("$pending")
                    $0.array { _ in }
                }
            }
            $0.element("$$REMOVE")
            value(&$0)
        }
    }
}
