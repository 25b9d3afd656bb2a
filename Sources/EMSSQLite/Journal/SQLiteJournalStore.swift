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
}
