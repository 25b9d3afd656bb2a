import EMSCore
import GRDB

/// A search by text or place: the index finds at most ``EventQuery/candidateLimit`` candidates, the newest first; they are filtered,
/// ranked and cut to the page here.
struct EventSearch {
    private let query: EventQuery

    private struct Candidate {
        let seq: Int64
        let id: String
        let startTime: Int64
        let createdAt: Int64
        /// What decides the order, smaller first: the match's rank or the distance.
        let score: Double
    }

    init(_ query: EventQuery) {
        self.query = query
    }

    func run(in db: Database) throws -> EventPage {
        guard let (sql, arguments) = candidateStatement() else { return EventPage(events: [], total: Total(count: 0), next: nil) }
        var looked = 0
        var matches: [Candidate] = []
        let cursor = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
        while let row = try cursor.next() {
            looked += 1
            if let candidate = candidate(row) { matches.append(candidate) }
        }
        matches.sort(by: precedes)
        var start = query.page.offset
        if case .offset(let count) = query.page.after { start = count }
        let page = matches.dropFirst(start).prefix(query.page.size)
        let events = try page.compactMap { candidate in
            try db.first("SELECT \(SQLiteEventStore.columns) FROM events e WHERE e.seq = ?", [candidate.seq]) {
                try SQLiteEventStore.event($0)
            }
        }
        let end = start + page.count
        return EventPage(
            events: events, total: Total(count: matches.count, isExact: looked < EventQuery.candidateLimit),
            next: end < matches.count ? .offset(end) : nil)
    }

    /// `nil` where the text holds no word to search for.
    func candidateStatement() -> (String, StatementArguments)? {
        let fields = """
            e.seq, e.id, e.start_time, e.created_at, e.status, e.created_by, e.tags, e.latitude, e.longitude
            """
        if query.text != nil || query.location != nil {
            guard let match = matchExpression() else { return nil }
            // The rank is only computed where it decides the order. Full-text rows come by their number, the newest first.
            let rank = query.sort == .relevance ? "bm25(event_texts, 10, 2, 5, 5)" : "0"
            return (
                """
                SELECT \(fields), m.score FROM
                    (SELECT rowid AS seq, \(rank) AS score FROM event_texts WHERE event_texts MATCH ? ORDER BY rowid DESC
                        LIMIT \(EventQuery.candidateLimit)) m
                CROSS JOIN events e ON e.seq = m.seq
                """, [match]
            )
        }
        guard let area = query.area else { return nil }
        let (latitudes, longitudes) = area.center.bounds(radius: area.radiusKilometres)
        // The tree keeps 32-bit floats, rounded outwards; the exact distance is checked afterwards.
        return (
            """
            SELECT \(fields), 0 FROM
                (SELECT seq FROM event_places WHERE max_latitude >= ? AND min_latitude <= ? AND max_longitude >= ? AND min_longitude <= ?
                    LIMIT \(EventQuery.candidateLimit)) p
            CROSS JOIN events e ON e.seq = p.seq
            """,
            [latitudes.lowerBound, latitudes.upperBound, longitudes.lowerBound, longitudes.upperBound]
        )
    }

    /// Every word quoted, so that nothing of FTS5's query language gets in; the beginning of a word is enough.
    private func matchExpression() -> String? {
        func terms(_ text: String) -> [String] {
            text.split { !$0.isLetter && !$0.isNumber }.prefix(32).map { "\"\($0)\"*" }
        }
        var parts: [String] = []
        if let text = query.text {
            let words = terms(text)
            if words.isEmpty { return nil }
            parts += words
        }
        if let location = query.location {
            let words = terms(location)
            if words.isEmpty { return nil }
            parts += words.map { "location : \($0)" }
        }
        return parts.joined(separator: " AND ")
    }

    private func candidate(_ row: Row) -> Candidate? {
        let startTime: Int64 = row[2]
        if let status = query.status, status.rawValue != row[4] as String { return nil }
        if let creator = query.createdBy, creator != row[5] as String { return nil }
        if !query.matches(tags: EventRules.tags(in: row[6])) { return nil }
        if let after = query.startsAfter, startTime < after.milliseconds { return nil }
        if let before = query.startsBefore, startTime >= before.milliseconds { return nil }
        var score: Double = row[9]
        if let area = query.area {
            guard let latitude = row[7] as Double?, let longitude = row[8] as Double? else { return nil }
            let distance = area.center.distance(to: Coordinates(latitude: latitude, longitude: longitude))
            if distance > area.radiusKilometres { return nil }
            if query.sort == .distance { score = distance }
        }
        return Candidate(seq: row[0], id: row[1], startTime: startTime, createdAt: row[3], score: score)
    }

    private func precedes(_ left: Candidate, _ right: Candidate) -> Bool {
        switch query.sort {
        case .relevance, .distance: (left.score, right.id) < (right.score, left.id)
        case .startTime: (left.startTime, left.id) < (right.startTime, right.id)
        case .startTimeDescending: (left.startTime, left.id) > (right.startTime, right.id)
        case .createdAt: (left.createdAt, left.id) < (right.createdAt, right.id)
        case .createdAtDescending: (left.createdAt, left.id) > (right.createdAt, right.id)
        }
    }
}
