import EMSCore
import GRDB

struct SQLiteJournalStore: JournalStore {
    let database: SQLiteDatabase

    func record(_ change: Change) async throws {
        try await database.write { try SQLiteJournal.append(change, in: $0) }
    }

    func references(to texts: [PersonalText]) async throws -> [PersonalText: String] {
        try await database.read { db in
            var references: [PersonalText: String] = [:]
            for text in texts where references[text] == nil { references[text] = try SQLiteJournal.knownReference(to: text, in: db) }
            return references
        }
    }

    func entries(_ query: JournalQuery) async throws -> [JournalEntry] {
        let (sql, arguments) = Self.statement(query)
        return try await database.read { db in
            try db.all(sql, arguments) { row in
                let position = try row.counter(0)
                let change = try SQLiteJournal.change(Array(row.data(1)), at: position, in: db)
                return JournalEntry(position: position, change: change, hash: try JournalHash(Array(row.data(2))))
            }
        }
    }

    /// Along the index of the most selective condition: `+` keeps the others from being chosen (sqlite.org/optoverview.html, "unary plus").
    static func statement(_ query: JournalQuery) -> (sql: String, arguments: StatementArguments) {
        var conditions: [String] = []
        var arguments: [any DatabaseValueConvertible] = []
        func add(_ condition: String, _ argument: any DatabaseValueConvertible) {
            conditions.append(condition)
            arguments.append(argument)
        }
        if let subject = query.subject { add("subject_id = ?", subject) }
        if let actor = query.actor { add((query.subject == nil ? "" : "+") + "actor_id = ?", actor) }
        let isFound = query.subject != nil || query.actor != nil || query.isByTime
        if let action = query.action { add((isFound ? "+" : "") + "action = ?", action.rawValue) }
        if let kind = query.kind { add((isFound || query.action != nil ? "+" : "") + "subject_type = ?", kind.rawValue) }
        if let version = query.version { add("+version = ?", version) }
        let (isByTime, comparison) = (query.isByTime, query.order == .newestFirst ? "<" : ">")
        if let since = query.since { add((isByTime ? "" : "+") + "timestamp >= ?", since.milliseconds) }
        if let until = query.until { add((isByTime ? "" : "+") + "timestamp < ?", until.milliseconds) }
        if let after = query.after {
            add(
                isByTime
                    ? "(timestamp, position) \(comparison) (SELECT timestamp, position FROM journal WHERE position = ?)"
                    : "position \(comparison) ?", after)
        }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        let direction = query.order == .newestFirst ? "DESC" : "ASC"
        let order = isByTime ? "timestamp \(direction), position \(direction)" : "position \(direction)"
        arguments.append(query.limit)
        return (
            "SELECT position, entry, hash FROM journal \(filter) ORDER BY \(order) LIMIT ?", StatementArguments(arguments)
        )
    }

    func lastVersions(of events: [EventID]) async throws -> [EventID: Int] {
        try await database.read { db in
            var versions: [EventID: Int] = [:]
            for event in events {
                versions[event] = try db.first(
                    "SELECT version FROM journal WHERE subject_id = ? ORDER BY position DESC LIMIT 1", [event.description]
                ) { Int(try $0.counter(0)) }
            }
            return versions
        }
    }

    func firstPosition(since moment: Timestamp) async throws -> Int64? {
        try await database.read { db in
            try db.first("SELECT min(position) FROM journal WHERE timestamp >= ?", [moment.milliseconds]) { try $0.optionalInteger(0) }
                ?? nil
        }
    }

    func count(since moment: Timestamp) async throws -> Int {
        try await database.read { db in
            try db.boundedCount(
                "SELECT 1 FROM journal WHERE timestamp >= ? AND +subject_type = 'event'", [moment.milliseconds]
            ).count
        }
    }

    func storedEntries(after position: Int64, limit: Int) async throws -> [StoredEntry] {
        try await database.read { try SQLiteJournal.stored(after: position, limit: limit, in: $0) }
    }

    // MARK: Cutting off the beginning

    func firstNeeded() async throws -> Int64 {
        try await database.read { db in
            let positions = try Consumer.all.flatMap { consumer in
                let place = try SQLiteConsumers.position(of: consumer, in: db)
                return [
                    try SQLiteJournal.tail(of: consumer, after: place, limit: 1, in: db) { try $0.counter(0) }.first,
                    try db.first(
                        "SELECT position FROM consumer_letters WHERE consumer = ? AND position IS NOT NULL ORDER BY position LIMIT 1",
                        [consumer.name]
                    ) { try $0.counter(0) },
                ]
            }
            return try positions.compactMap(\.self).min() ?? SQLiteJournal.lastPosition(in: db) + 1
        }
    }

    func recordAgain(_ subjects: [Subject], through position: Int64, at now: Timestamp) async throws -> Int {
        if subjects.isEmpty { return 0 }
        return try await database.write { db in
            let changes = try subjects.compactMap { subject -> Change? in
                let later = try db.first(
                    "SELECT 1 FROM journal WHERE subject_id = ? AND +subject_type = ? AND position > ? LIMIT 1",
                    [subject.id, subject.kind.rawValue, position]
                ) { _ in true }
                if later != nil { return nil }
                if let id = EventID(subject.id), subject.kind == .event {
                    return try SQLiteEventStore.event(id, in: db).map { .recorded($0, at: now, again: true) }
                }
                guard let id = UserID(subject.id), subject.kind == .user else { return nil }
                return try SQLiteUserStore.user(id, in: db).map { .recorded($0, at: now, again: true) }
            }
            try SQLiteJournal.append(changes, in: db)
            return changes.count
        }
    }

    func removeEntries(through position: Int64, limit: Int) async throws -> Int {
        try await database.write { db in
            try db.run(
                "DELETE FROM journal WHERE position <= min(?, (SELECT min(position) FROM journal) + ?)",
                [position, limit - 1])
        }
    }

    /// They are removed when they are found.
    func unusedTexts() async throws -> Set<String> { [] }

    func removeTexts(_ references: Set<String>, unusedThrough position: Int64) async throws {
        let references = Array(references)
        for start in stride(from: 0, to: references.count, by: Self.textBatch) {
            let batch = references[start..<min(start + Self.textBatch, references.count)]
            try await database.write { db in
                var unused = Set(batch)
                var position = position
                while case let entries = try SQLiteJournal.stored(after: position, limit: Self.textBatch, in: db), let last = entries.last {
                    for entry in entries { unused.subtract(entry.sealed.possibleReferences) }
                    position = last.position
                }
                for reference in unused { try db.run("DELETE FROM journal_texts WHERE reference = ?", [reference]) }
            }
        }
    }

    /// How many texts one write removes.
    private static let textBatch = 500
}
