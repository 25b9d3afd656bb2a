import EMSCore

struct MongoJournalStore: JournalStore {
    let database: MongoDatabase

    func record(_ change: Change) async throws {
        try await database.run { try MongoJournal.append([change], in: $0) }
    }

    func references(to texts: [PersonalText]) async throws -> [PersonalText: String] {
        try await database.run { try MongoJournal.stored(Set(texts), in: $0) }
    }

    func entries(_ query: JournalQuery) async throws -> [JournalEntry] {
        try await database.run { connection in
            try MongoChangeOutbox.enterPending(of: query.kind, query.subject, in: connection)
            let direction = query.order == .newestFirst ? -1 : 1
            let moment = try query.isByTime ? Self.moment(of: query.after, in: connection) : nil
            let found = try connection.find(
                .journal, where: { Self.filter(query, beyond: moment, &$0) },
                options: {
                    $0.document("sort") {
                        if query.isByTime { $0.member("timestamp", direction) }
                        $0.member("_id", direction)
                    }
                    $0.member("limit", query.limit)
                    $0.member("hint", Self.index(for: query))
                }, MongoJournal.entry)
            return try zip(found, MongoJournal.changes(found, in: connection)).map { entry, change in
                guard let change else { throw EMSError.damagedEntry(entry.position) }
                return JournalEntry(position: entry.position, change: change, hash: entry.hash)
            }
        }
    }

    private static func moment(of position: Int64?, in connection: MongoConnection) throws -> Timestamp? {
        guard let position else { return nil }
        return try connection.first(.journal, where: { $0.member("_id", position) }) { try $0.date("timestamp") }
    }

    /// - Parameter moment: the time of the entry that the query goes on after, if it goes by time.
    private static func filter(_ query: JournalQuery, beyond moment: Timestamp?, _ writer: inout BSONWriter) {
        if let subject = query.subject { writer.member("subject_id", subject) }
        if let actor = query.actor { writer.member("actor_id", actor) }
        if let kind = query.kind { writer.member("subject_type", kind.rawValue) }
        if let action = query.action { writer.member("action", action.rawValue) }
        if let version = query.version { writer.member("version", version) }
        if query.since != nil || query.until != nil {
            writer.document("timestamp") { range in
                if let since = query.since { range.member("$gte", since) }
                if let until = query.until { range.member("$lt", until) }
            }
        }
        guard let after = query.after else { return }
        let comparison = query.order == .newestFirst ? "$lt" : "$gt"
        guard query.isByTime else { return writer.document("_id") { $0.member(comparison, after) } }
        guard let moment else { return writer.document("_id") { $0.member("$lt", 0) } }
        writer.array("$or") { alternatives in
            alternatives.document { $0.document("timestamp") { $0.member(comparison, moment) } }
            alternatives.document {
                $0.member("timestamp", moment)
                $0.document("_id") { $0.member(comparison, after) }
            }
        }
    }

    /// The index of the most selective condition that comes in the order of positions.
    private static func index(for query: JournalQuery) -> String {
        if query.subject != nil { return "journal_subject" }
        if query.actor != nil { return "journal_actor" }
        if query.isByTime { return "journal_time" }
        if query.action != nil { return "journal_action" }
        return query.kind != nil ? "journal_kind" : "_id_"
    }

    func lastVersions(of events: [EventID]) async throws -> [EventID: Int] {
        if events.isEmpty { return [:] }
        let ids = events.map(\.description)
        return try await database.run { connection in
            // What is pending in a document moves from there into the journal: it is in one of the two, if this is read first.
            let pending = try connection.find(
                .events, where: { $0.document("_id") { $0.array("$in", ids) } }, options: PendingChanges.pendingOnly
            ) { reader -> (EventID, Int)? in
                let id: EventID = try reader.id("_id")
                guard try reader.find("pending") != nil else { return nil }
                return try PendingChanges.changes(&reader).map(\.version).max().map { (id, $0) }
            }
            let entered = try connection.aggregate(.journal) { stages in
                stages.document { stage in
                    stage.document("$match") { match in match.document("subject_id") { $0.array("$in", ids) } }
                }
                stages.document { stage in
                    stage.document("$group") { group in
                        group.member("_id", "$subject_id")
                        group.document("version") { $0.member("$max", "$version") }
                    }
                }
            } _: {
                (try $0.id("_id") as EventID, Int(try $0.counter("version")))
            }
            return Dictionary(pending + entered) { max($0, $1) }
        }
    }

    func firstPosition(since moment: Timestamp) async throws -> Int64? {
        try await database.run { connection in
            try MongoChangeOutbox.enterPending(of: nil, nil, in: connection)
            // Entries of different subjects are not always in the order of their times.
            return try connection.aggregate(.journal) { stages in
                stages.document { stage in
                    stage.document("$match") { match in match.document("timestamp") { $0.member("$gte", moment) } }
                }
                stages.document { stage in
                    stage.document("$group") { group in
                        group.null("_id")
                        group.document("first") { $0.member("$min", "$_id") }
                    }
                }
            } _: {
                try $0.counter("first")
            }.first
        }
    }

    func count(since moment: Timestamp) async throws -> Int {
        try await database.run { connection in
            try connection.count(
                .journal,
                where: {
                    $0.document("timestamp") { $0.member("$gte", moment) }
                    $0.member("subject_type", Subject.Kind.event.rawValue)
                }, hint: "journal_time", upTo: PageRequest.countLimit)
        }
    }

    func storedEntries(after position: Int64, limit: Int) async throws -> [StoredEntry] {
        try await database.run { connection in
            try MongoChangeOutbox.enterPending(of: nil, nil, in: connection)
            return try MongoJournal.stored(after: position, limit: limit, in: connection)
        }
    }

    // MARK: Cutting off the beginning

    /// Pending changes are moved into the journal first, so that each is identified by its entry.
    func firstNeeded() async throws -> Int64 {
        try await MongoChangeOutbox(database: database).settle()
        return try await database.run { connection in
            try MongoJournal.firstUnpublished(in: connection) ?? MongoJournal.head(in: connection).position + 1
        }
    }

    func recordAgain(_ subjects: [Subject], through position: Int64, at now: Timestamp) async throws -> Int {
        if subjects.isEmpty { return 0 }
        return try await database.run { connection in
            let later = Set(
                try connection.find(
                    .journal,
                    where: { filter in
                        filter.document("subject_id") { $0.array("$in", subjects.lazy.map(\.id)) }
                        filter.document("_id") { $0.member("$gt", position) }
                    },
                    options: {
                        $0.document("projection") {
                            $0.member("subject_type", 1)
                            $0.member("subject_id", 1)
                        }
                        $0.member("hint", "journal_subject")
                    }
                ) { reader in
                    // Failed log-ins are entered under the id of the account.
                    let kind: Subject.Kind = try reader.word("subject_type")
                    return Subject(kind, try reader.text("subject_id"))
                })
            return try subjects.reduce(into: 0) { count, subject in
                if !later.contains(subject), try Self.recordAgain(subject, at: now, in: connection) { count += 1 }
            }
        }
    }

    /// - Returns: `false` if it does not exist, or a change of it is on its way into the journal.
    private static func recordAgain(_ subject: Subject, at now: Timestamp, in connection: MongoConnection) throws -> Bool {
        guard let collection = PendingChanges.collection(of: subject.kind) else { return false }
        let change = try connection.first(collection, where: { $0.member("_id", subject.id) }) { reader -> Change? in
            guard try reader.find("pending") == nil else { return nil }
            return subject.kind == .event
                ? try EventDocument.living(&reader).map { .recorded($0, at: now, again: true) }
                : try MongoUserStore.living(&reader).map { .recorded($0, at: now, again: true) }
        }
        guard let change else { return false }
        let isPushed =
            try connection.updateOne(
                collection,
                where: { filter in
                    filter.member("_id", subject.id)
                    MongoUserStore.hasVersion(change.version, &filter)
                    filter.null("pending")
                    filter.null("is_deleted")
                }, { PendingChanges.push(change, to: &$0) }
            ).matched > 0
        if isPushed { try PendingChanges.settle(subject.id, in: collection, connection) }
        return isPushed
    }

    func removeEntries(through position: Int64, limit: Int) async throws -> Int {
        try await database.run { connection in
            guard
                let first = try connection.first(
                    .journal, options: { options in options.document("sort") { $0.member("_id", 1) } }, { try $0.counter("_id") }
                )
            else { return 0 }
            return try connection.deleteMany(.journal) { filter in
                filter.document("_id") { $0.member("$lte", min(position, first + Int64(limit) - 1)) }
            }
        }
    }

    func unusedTexts() async throws -> Set<String> {
        try await database.run { try MongoJournal.unusedTexts(in: $0) }
    }

    func removeTexts(_ references: Set<String>, unusedThrough position: Int64) async throws {
        try await database.run { try MongoJournal.removeTexts(references, at: .now(), in: $0) }
    }
}
