import EMSCore
import GRDB

/// A search by text or place: candidates come along the full-text index, the newest first, or along the index of places, the nearest
/// first. They are filtered here, and ordered by ``SearchOrder``.
struct EventSearch {
    private let query: EventQuery
    private let order: SearchOrder

    init(_ query: EventQuery) {
        self.query = query
        order = SearchOrder(query)
    }

    private typealias Match = (key: SearchOrder.Key, match: Int64)

    func run(in db: Database) throws -> EventPage {
        if order.isEmpty { return .empty }
        let (matches, total) = try isByPlace(in: db) ? nearest(in: db) : textMatches(in: db)
        let (page, hasMore) = order.page(of: matches)
        let events = try page.compactMap { seq, cursor in
            try db.first("SELECT \(SQLiteEventStore.columns) FROM events e WHERE e.seq = ?", [seq]) {
                (event: try SQLiteEventStore.event($0), cursor: cursor)
            }
        }
        return EventPage(events: events.map(\.event), cursors: events.map(\.cursor), total: total, hasMore: hasMore)
    }

    /// Whether to go from the nearest event outwards: without a text; and with one that has too many matches to look at all of them.
    private func isByPlace(in db: Database) throws -> Bool {
        guard query.area != nil else { return false }
        guard let match = matchExpression(.prefixes) else { return true }
        guard query.sort == .distance else { return false }
        return try !count(match, in: db).isExact
    }

    private func count(_ match: String, in db: Database) throws -> Total {
        try db.boundedCount("SELECT 1 FROM event_texts WHERE event_texts MATCH ?", [match])
    }

    // MARK: By text

    /// Tier after tier, until there are enough for the page.
    private func textMatches(in db: Database) throws -> ([Match], Total) {
        var matches: [Match] = []
        var found = 0
        var looked = 0
        for tier in order.tiers {
            guard let match = matchExpression(tier) else { continue }
            looked = 0
            try look(Self.candidates, [match], in: db) { row in
                looked += 1
                guard let candidate = try candidate(row) else { return true }
                found += 1
                let key = order.key(of: candidate, tier: tier)
                if order.isAfterCursor(key) { matches.append((key, try row.integer(0))) }
                return true
            }
            if matches.count >= order.needed, tier != order.tiers.last { return (matches, try total(in: db)) }
        }
        return (matches, Total(count: min(found, EventQuery.candidateLimit), isExact: looked < EventQuery.candidateLimit))
    }

    /// How many there are in all, if not all were looked at on the way to the page.
    private func total(in db: Database) throws -> Total {
        guard let match = matchExpression(.prefixes, isWhole: true) else { return Total(count: 0) }
        if !query.isFiltered { return try count(match, in: db) }
        var (found, looked) = (0, 0)
        try look(Self.candidates, [match], in: db) { row in
            looked += 1
            if try candidate(row) != nil { found += 1 }
            return true
        }
        return Total(count: found, isExact: looked < EventQuery.candidateLimit)
    }

    private static let fields = "e.seq, e.id, e.start_time, e.created_at, e.title, e.status, e.created_by, e.tags, e.latitude, e.longitude"

    /// Full-text rows come by their number, the newest first.
    static let candidates = """
        SELECT \(fields) FROM
            (SELECT rowid AS seq FROM event_texts WHERE event_texts MATCH ? ORDER BY rowid DESC LIMIT \(EventQuery.candidateLimit)) m
        CROSS JOIN events e ON e.seq = m.seq
        """

    /// What a tier holds beyond the tiers before it, in FTS5's query language; `nil` if that is nothing. Words are letters and digits only,
    /// so that none of them can be read as a part of the language.
    /// - Parameter isWhole: whether the tiers before it are part of it.
    func matchExpression(_ tier: SearchOrder.Tier, isWhole: Bool = false) -> String? {
        func all(_ words: [String], isPrefix: Bool) -> String {
            "(" + words.map { "\"\($0)\"\(isPrefix ? "*" : "")" }.joined(separator: " AND ") + ")"
        }
        var expressions: [String] = []
        if !order.words.isEmpty {
            let phrase = "\"\(order.phrase.joined(separator: " "))\""
            let words = all(order.words, isPrefix: false)
            switch tier {
            case .phrase: expressions.append(phrase)
            case .words:
                // One word by itself is a phrase.
                if order.phrase.count == 1 { return nil }
                expressions.append("(\(words) NOT \(phrase))")
            case .prefixes:
                let prefixes = all(order.words, isPrefix: true)
                expressions.append(query.sort == .relevance && !isWhole ? "(\(prefixes) NOT \(words))" : prefixes)
            }
        }
        if !order.locationWords.isEmpty { expressions.append("(location : \(all(order.locationWords, isPrefix: true)))") }
        return expressions.isEmpty ? nil : expressions.joined(separator: " AND ")
    }

    // MARK: By place

    /// The tree of places keeps 32-bit floats, rounded outwards: it may take a place for nearer than it is by so many kilometres.
    private static let roundingKilometres = 0.01

    /// From the nearest outwards, until the page is full and nothing that follows can belong on it; and then on, only to count.
    private func nearest(in db: Database) throws -> ([Match], Total) {
        guard let area = query.area else { return ([], Total(count: 0)) }
        var matches: [Match] = []
        var found = 0
        var looked = 0
        var isCut = false
        var farthest = 0.0
        let text = matchExpression(.prefixes)
        let from = order.nearest.map { max(0, $0 - Self.roundingKilometres) } ?? 0
        func visit(_ row: Row) throws -> Bool {
            looked += 1
            let isCounting = matches.count >= order.needed
            if let candidate = try candidate(row) {
                found += 1
                let key = order.key(of: candidate, tier: .prefixes)
                if order.isAfterCursor(key) {
                    if query.sort != .distance || !isCounting || candidate.distance <= farthest + Self.roundingKilometres {
                        matches.append((key, try row.integer(0)))
                        if !isCounting { farthest = max(farthest, candidate.distance) }
                    } else if order.nearest != nil {
                        return false
                    }
                }
            }
            // The nearest of all are looked at for an order by time, too.
            if looked >= EventQuery.candidateLimit, query.sort != .distance || isCounting {
                isCut = true
                return false
            }
            return true
        }
        let arguments: StatementArguments = [area.center.latitude, area.center.longitude, area.radiusKilometres, from]
        if let text {
            try look(Self.nearestWithText, arguments + [text], in: db, visit)
        } else {
            try look(Self.nearest, arguments, in: db, visit)
        }
        guard order.nearest != nil else { return (matches, Total(count: min(found, EventQuery.candidateLimit), isExact: !isCut)) }
        return (matches, try totalNearby(area, text, in: db))
    }

    /// How many there are from the centre on, whatever page is read.
    private func totalNearby(_ area: EventQuery.Area, _ text: String?, in db: Database) throws -> Total {
        var (found, looked) = (0, 0)
        func visit(_ row: Row) throws -> Bool {
            looked += 1
            if try candidate(row) != nil { found += 1 }
            return looked < EventQuery.candidateLimit
        }
        let arguments: StatementArguments = [area.center.latitude, area.center.longitude, area.radiusKilometres, 0]
        if let text {
            try look(Self.nearestWithText, arguments + [text], in: db, visit)
        } else {
            try look(Self.nearest, arguments, in: db, visit)
        }
        return Total(count: found, isExact: looked < EventQuery.candidateLimit)
    }

    /// The tree gives places in the order of their distance: see ``NearestPlaces``.
    static let nearest = """
        SELECT \(fields) FROM event_places p CROSS JOIN events e ON e.seq = p.seq WHERE p.seq MATCH ems_nearest(?, ?, ?, ?)
        """

    static let nearestWithText = """
        SELECT \(fields) FROM event_places p CROSS JOIN events e ON e.seq = p.seq WHERE p.seq MATCH ems_nearest(?, ?, ?, ?)
            AND EXISTS (SELECT 1 FROM event_texts t WHERE t.rowid = p.seq AND t.event_texts MATCH ?)
        """

    // MARK: Candidates

    /// - Parameter visit: whether to go on.
    private func look(_ sql: String, _ arguments: StatementArguments, in db: Database, _ visit: (Row) throws -> Bool) throws {
        let cursor = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
        while let row = try cursor.next(), try visit(row) {}
    }

    private func candidate(_ row: Row) throws -> SearchOrder.Candidate? {
        var found = FoundRow(row: row)
        return try order.candidate(&found)
    }

    /// A row of ``fields``.
    private struct FoundRow: SearchOrder.Found {
        let row: Row

        func id() throws -> EventID { try row.id(1) }
        func startTime() throws -> Timestamp { try row.timestamp(2) }
        func createdAt() throws -> Timestamp { try row.timestamp(3) }
        func title() throws -> String { try row.text(4) }
        func status() throws -> String { try row.text(5) }
        func createdBy() throws -> String { try row.text(6) }
        func tags() throws -> [String] { EventRules.tags(in: try row.text(7)) }
        func coordinates() throws -> Coordinates? { try row.coordinates(8) }
    }
}
