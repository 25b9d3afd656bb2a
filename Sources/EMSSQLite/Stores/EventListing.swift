import EMSCore
import GRDB

/// A list of events along one index: filtered by what the index begins with, ordered by how it goes on.
struct EventListing {
    private let query: EventQuery
    private let isDescending: Bool
    private let column: String

    init(_ query: EventQuery) {
        self.query = query
        isDescending = query.sort == .startTimeDescending || query.sort == .createdAtDescending
        column = query.sort == .createdAt || query.sort == .createdAtDescending ? "created_at" : "start_time"
    }

    func run(in db: Database) throws -> EventPage {
        let (sql, arguments) = pageStatement()
        let found = try db.all(sql, arguments) { try SQLiteEventStore.event($0) }
        let page = Array(found.prefix(query.page.size))
        let next = found.count > page.count ? page.last.map(cursor) : nil
        return EventPage(events: page, total: try total(in: db), next: next)
    }

    /// One row more than the page holds tells whether there is a next page.
    func pageStatement() -> (String, StatementArguments) {
        var (conditions, arguments) = filters()
        var offset = query.page.offset
        if case .key(let value, let id) = query.page.after {
            let comparison = isDescending ? "<" : ">"
            let idColumn = query.tag == nil ? "e.id" : "t.event_id"
            conditions.append("(\(driver).\(column), \(idColumn)) \(comparison) (?, ?)")
            arguments += [value, id]
            offset = 0
        }
        let direction = isDescending ? "DESC" : "ASC"
        let idColumn = query.tag == nil ? "e.id" : "t.event_id"
        let sql = """
            SELECT \(SQLiteEventStore.columns) \(source) \(conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")) \
            ORDER BY \(driver).\(column) \(direction), \(idColumn) \(direction) LIMIT ? OFFSET ?
            """
        return (sql, arguments + [query.page.size + 1, offset])
    }

    /// Kept counts where there is at most one filter; otherwise rows are counted up to a bound.
    private func total(in db: Database) throws -> Total {
        let ranged = query.startsAfter != nil || query.startsBefore != nil
        switch (query.tag, query.status, query.createdBy) {
        case (nil, nil, nil) where !ranged: return Total(count: try db.rowCount("events"))
        case (let tag?, nil, nil) where !ranged: return Total(count: try db.rowCount("events.tag", tag))
        case (nil, let status?, nil) where !ranged: return Total(count: try db.rowCount("events.status", status.rawValue))
        case (nil, nil, let creator?) where !ranged: return Total(count: try db.rowCount("events.creator", creator))
        default:
            let (conditions, arguments) = filters()
            return try db.boundedCount("SELECT 1 \(source) WHERE \(conditions.joined(separator: " AND "))", arguments)
        }
    }

    /// The table whose index gives the order.
    private var driver: String { query.tag == nil ? "e" : "t" }

    private var source: String {
        query.tag == nil ? "FROM events e" : "FROM event_tags t CROSS JOIN events e ON e.id = t.event_id"
    }

    /// The first of tag, creator and status goes along the index; the others (with a unary plus, which keeps the planner from
    /// choosing them) are looked at in each row.
    private func filters() -> ([String], StatementArguments) {
        var conditions: [String] = []
        var arguments = StatementArguments()
        var isDriven = false
        func add(_ name: String, _ value: String) {
            conditions.append(isDriven ? "+\(name) = ?" : "\(name) = ?")
            arguments += [value]
            isDriven = true
        }
        if let tag = query.tag { add("t.tag", tag) }
        if let creator = query.createdBy { add("e.created_by", creator) }
        if let status = query.status { add("e.status", status.rawValue) }
        let start = column == "start_time" ? "\(driver).start_time" : "+e.start_time"
        if let after = query.startsAfter {
            conditions.append("\(start) >= ?")
            arguments += [after.milliseconds]
        }
        if let before = query.startsBefore {
            conditions.append("\(start) < ?")
            arguments += [before.milliseconds]
        }
        return (conditions, arguments)
    }

    private func cursor(after event: Event) -> PageCursor {
        let value = column == "created_at" ? event.createdAt : event.startTime
        return .key(value: value.milliseconds, id: event.id.description)
    }
}
