import EMSCore
import GRDB

/// A list of events along an index: filtered by what the index begins with, ordered by how it goes on. Any of several tags are as many
/// lists, of which the beginnings are merged.
struct EventListing {
    private var query: EventQuery

    init(_ query: EventQuery) {
        self.query = query
    }

    private var column: String { query.orderedBy }

    func run(in db: Database) throws -> EventPage {
        var listing = self
        // The rarest tag goes along the index: the others are looked up for each of its events.
        if query.tags.count > 1, query.tagMatch == .all {
            let counts = try Dictionary(uniqueKeysWithValues: query.tags.map { ($0, try db.rowCount("events.tag", $0)) })
            listing.query.tags.sort { counts[$0, default: 0] < counts[$1, default: 0] }
        }
        let (sql, arguments) = listing.pageStatement()
        let found = try db.all(sql, arguments) { try SQLiteEventStore.event($0) }
        return EventPage(found, of: query, total: try listing.total(in: db))
    }

    func pageStatement() -> (String, StatementArguments) {
        let (offset, limit) = (query.page.start.offset, query.page.limit)
        let direction = query.isDescending ? "DESC" : "ASC"
        if stretches.count == 1 {
            let (condition, arguments) = condition(tag: stretches[0], isPaged: true)
            return (
                """
                SELECT \(SQLiteEventStore.columns) \(source)\(condition) ORDER BY \(order(direction)) LIMIT ? OFFSET ?
                """, arguments + [limit, offset]
            )
        }
        // Nothing that is not among the first of its own list is among the first of all.
        let (union, arguments) = union(isPaged: true, upTo: offset + limit, ordered: direction)
        return (
            """
            SELECT \(SQLiteEventStore.columns) FROM (\(union)) m CROSS JOIN events e ON e.id = m.event_id \
            ORDER BY e.\(column) \(direction), e.id \(direction) LIMIT ? OFFSET ?
            """, arguments + [limit, offset]
        )
    }

    /// Kept counts where there is at most one filter; otherwise rows are counted up to a bound.
    private func total(in db: Database) throws -> Total {
        let ranged = query.startsAfter != nil || query.startsBefore != nil
        switch (query.tags.count, query.status, query.createdBy) {
        case (0, nil, nil) where !ranged: return Total(count: try db.rowCount("events"))
        case (1, nil, nil) where !ranged: return Total(count: try db.rowCount("events.tag", query.tags[0]))
        case (0, let status?, nil) where !ranged: return Total(count: try db.rowCount("events.status", status.rawValue))
        case (0, nil, let creator?) where !ranged: return Total(count: try db.rowCount("events.creator", creator))
        default:
            if stretches.count == 1 {
                let (condition, arguments) = condition(tag: stretches[0], isPaged: false)
                return try db.boundedCount("SELECT 1 \(source)\(condition)", arguments)
            }
            let (union, arguments) = union(isPaged: false, upTo: PageRequest.countLimit + 1, ordered: nil)
            return try db.boundedCount(union, arguments)
        }
    }

    // MARK: One stretch of an index

    /// The tags that each lead a list; `nil` for the one list that no tag leads.
    private var stretches: [String?] { query.tagLists.map(\.first) }

    /// The table whose index gives the order.
    private var driver: String { query.tags.isEmpty ? "e" : "t" }
    private var idColumn: String { query.tags.isEmpty ? "e.id" : "t.event_id" }

    private var source: String {
        query.tags.isEmpty ? "FROM events e" : "FROM event_tags t CROSS JOIN events e ON e.id = t.event_id"
    }

    private func order(_ direction: String) -> String {
        "\(driver).\(column) \(direction), \(idColumn) \(direction)"
    }

    private func union(isPaged: Bool, upTo limit: Int, ordered direction: String?) -> (String, StatementArguments) {
        var parts: [String] = []
        var arguments = StatementArguments()
        for tag in stretches {
            let (condition, values) = condition(tag: tag, isPaged: isPaged)
            let order = direction.map { " ORDER BY \(self.order($0))" } ?? ""
            parts.append("SELECT event_id FROM (SELECT t.event_id \(source)\(condition)\(order) LIMIT ?)")
            arguments += values + [limit]
        }
        return (parts.joined(separator: " UNION "), arguments)
    }

    /// The first of tag, creator and status goes along the index; the others (with a unary plus, which keeps the planner from
    /// choosing them) are looked at in each row.
    private func condition(tag: String?, isPaged: Bool) -> (String, StatementArguments) {
        var conditions: [String] = []
        var arguments = StatementArguments()
        var isDriven = false
        func add(_ name: String, _ value: String) {
            conditions.append(isDriven ? "+\(name) = ?" : "\(name) = ?")
            arguments += [value]
            isDriven = true
        }
        if let tag { add("t.tag", tag) }
        if query.tagMatch == .all {
            for tag in query.tags.dropFirst() {
                conditions.append(
                    "EXISTS (SELECT 1 FROM event_tags o WHERE o.tag = ? AND o.start_time = e.start_time AND o.event_id = e.id)")
                arguments += [tag]
            }
        }
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
        if isPaged, let (value, id) = query.page.start.after {
            conditions.append("(\(driver).\(column), \(idColumn)) \(query.isDescending ? "<" : ">") (?, ?)")
            arguments += [value, id]
        }
        return (conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND "), arguments)
    }
}
