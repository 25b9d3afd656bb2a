import EMSCore

/// A search by text or place: candidates come along an index of words, the newest first, or along the index of places, the nearest
/// first. They are filtered here, and ordered by ``SearchOrder``.
struct EventSearch {
    private let query: EventQuery
    private let order: SearchOrder

    private typealias Match = (key: SearchOrder.Key, match: EventID)

    /// The largest distance that MongoDB takes, in kilometres: half of the globe's circumference.
    private static let farthest = 20_015.0
    /// Distances on MongoDB's sphere, whose radius is 6378.1 km, are longer than ours by this factor.
    private static let sphereFactor = 6378.1 / Coordinates.earthRadius
    /// How much distances may differ from ours by rounding, in kilometres.
    private static let roundingKilometres = 0.01

    init(_ query: EventQuery) {
        self.query = query
        order = SearchOrder(query)
    }

    func run(in connection: MongoConnection) throws -> EventPage {
        // A text that holds no word finds nothing.
        if order.isEmpty { return .empty }
        let isByPlace = query.area != nil && (order.words.isEmpty && order.locationWords.isEmpty || query.sort == .distance)
        let (matches, total) = try isByPlace ? nearest(in: connection) : textMatches(in: connection)
        let (page, hasMore) = order.page(of: matches)
        let byID = try events(page.map(\.match), in: connection)
        let found = page.compactMap { id, cursor in byID[id].map { (event: $0, cursor: cursor) } }
        return EventPage(events: found.map(\.event), cursors: found.map(\.cursor), total: total, hasMore: hasMore)
    }

    private func events(_ ids: [EventID], in connection: MongoConnection) throws -> [EventID: Event] {
        if ids.isEmpty { return [:] }
        let found = try connection.find(
            .events, where: { $0.document("_id") { $0.array("$in", ids.lazy.map(\.description)) } }, from: .url, EventDocument.living)
        return Dictionary(found.map { ($0.id, $0) }) { first, _ in first }
    }

    // MARK: By text

    /// Tier after tier, until there are enough for the page.
    private func textMatches(in connection: MongoConnection) throws -> ([Match], Total) {
        var matches: [Match] = []
        var isFull = false
        if query.sort == .relevance {
            // What holds all whole words, with the phrase or without.
            let (found, _) = try candidates(whole: true, in: connection) { $0 }
            matches = found.filter { order.isAfterCursor($0.key) }.map { ($0.key, $0.candidate.id) }
            isFull = matches.count >= order.needed
        }
        let (rest, looked) = try candidates(whole: false, in: connection) { $0 == .prefixes || query.sort != .relevance ? $0 : nil }
        if !isFull { matches += rest.filter { order.isAfterCursor($0.key) }.map { ($0.key, $0.candidate.id) } }
        return (matches, try total(looked, in: connection))
    }

    private func total(_ looked: (matching: Int, all: Int), in connection: MongoConnection) throws -> Total {
        Total(count: looked.matching, isExact: looked.all < EventQuery.candidateLimit)
    }

    /// The newest events that hold the words as whole words, or words that begin so.
    /// - Parameter kept: the tier an event counts in; `nil` leaves it out.
    /// - Returns: those kept; and how many matched of how many that were looked at.
    private func candidates(
        whole isWhole: Bool, in connection: MongoConnection, _ kept: (SearchOrder.Tier) -> SearchOrder.Tier?
    ) throws -> ([(key: SearchOrder.Key, candidate: SearchOrder.Candidate)], (matching: Int, all: Int)) {
        var looked = (matching: 0, all: 0)
        let found = try connection.find(
            .events, where: { words(whole: isWhole, &$0) },
            options: { options in
                // The best of all that match are taken, not those that come first along the index of words.
                options.document("sort") {
                    $0.member("created_at", -1)
                    $0.member("_id", -1)
                }
                options.member("limit", EventQuery.candidateLimit)
                options.member("hint", !order.words.isEmpty ? "events_words" : "events_location_words")
                options.member("comment", Self.sortedCandidates)
                projection(&options)
            }, from: .url
        ) { reader -> (key: SearchOrder.Key, candidate: SearchOrder.Candidate)? in
            looked.all += 1
            guard let candidate = try candidate(&reader) else { return nil }
            looked.matching += 1
            guard let tier = kept(try tier(&reader, candidate)) else { return nil }
            return (order.key(of: candidate, tier: tier), candidate)
        }
        return (found, looked)
    }

    /// Marks the queries that sort their matches, for whoever looks at the server's plans.
    static let sortedCandidates = "ems: newest candidates of a search"

    private func tier(_ reader: inout BSONReader, _ candidate: SearchOrder.Candidate) throws -> SearchOrder.Tier {
        guard query.sort == .relevance else { return .prefixes }
        let words = Set(try reader.array("words") { $0.text })
        guard order.words.allSatisfy(words.contains) else { return .prefixes }
        if order.phrase.count == 1 { return .phrase }
        let texts = [candidate.title, try reader.text("description"), try reader.text("location")] + (try reader.array("tags") { $0.text })
        return order.holdsPhrase(texts) ? .phrase : .words
    }

    private func words(whole isWhole: Bool, _ filter: inout BSONWriter) {
        filter.array("$and") { all in
            for word in order.words {
                all.document { if isWhole { $0.member("words", word) } else { Self.begins("words", with: word, &$0) } }
            }
            for word in order.locationWords { all.document { Self.begins("location_words", with: word, &$0) } }
        }
    }

    /// One element of the array lies between the word and the last that begins with it: the index is read in that range only.
    private static func begins(_ field: String, with word: String, _ writer: inout BSONWriter) {
        writer.document(field) {
            $0.document("$elemMatch") {
                $0.member("$gte", word)
                $0.member("$lt", word + "\u{10FFFF}")
            }
        }
    }

    // MARK: By place

    /// From the nearest outwards, as many as are counted; and further, where places at the same distance reach beyond.
    private func nearest(in connection: MongoConnection) throws -> ([Match], Total) {
        guard let area = query.area else { return ([], Total(count: 0)) }
        let bound = EventQuery.candidateLimit
        var (found, looked) = try places(around: area, from: 0, limit: bound, in: connection)
        let total = Total(count: found.count, isExact: looked < bound)
        guard query.sort == .distance else { return (keyed(found), total) }
        let from = max(0, (order.nearest ?? 0) - Self.roundingKilometres)
        var limit = bound
        if order.nearest != nil, looked >= bound {
            limit = order.needed + 1000
            (found, looked) = try places(around: area, from: from, limit: limit, in: connection)
        }
        while true {
            let matches = keyed(found)
            // What follows is not nearer than the last one that was looked at.
            let isComplete = looked < limit || Self.isSettled(matches.map(\.key), order.needed, beyond: found.last?.distance ?? 0, order)
            if isComplete { return (matches, total) }
            limit *= 4
            (found, looked) = try places(around: area, from: from, limit: limit, in: connection)
        }
    }

    /// Whether the rows of the page are known: there are enough of them that are nearer than anything that was not looked at.
    private static func isSettled(
        _ keys: [SearchOrder.Key], _ needed: Int, beyond distance: Double, _ order: SearchOrder
    ) -> Bool {
        let limit = order.key(
            of: .init(
                id: EventID(), startTime: .earliest, createdAt: .earliest, distance: max(0, distance - roundingKilometres)), tier: .prefixes
        )
        return keys.count { order.precedes($0, limit) } >= needed
    }

    private func keyed(_ found: [SearchOrder.Candidate]) -> [Match] {
        found.compactMap { candidate in
            let key = order.key(of: candidate, tier: .prefixes)
            return order.isAfterCursor(key) ? (key, candidate.id) : nil
        }
    }

    /// - Parameter distance: nothing nearer is wanted, in kilometres.
    private func places(
        around area: EventQuery.Area, from distance: Double, limit: Int, in connection: MongoConnection
    ) throws -> (found: [SearchOrder.Candidate], looked: Int) {
        var looked = 0
        let found = try connection.aggregate(.events, from: .url) { stages in
            stages.document { stage in
                stage.document("$geoNear") { near in
                    near.document("near") {
                        $0.member("type", "Point")
                        $0.array("coordinates") {
                            $0.element(area.center.longitude)
                            $0.element(area.center.latitude)
                        }
                    }
                    near.member("key", "place")
                    near.member("spherical", true)
                    near.member("distanceField", "distance")
                    near.member("minDistance", distance * 1000 * Self.sphereFactor * 0.999_999)
                    // A little wider than the circle: the exact distance is checked afterwards.
                    near.member("maxDistance", min(area.radiusKilometres * 1.001, Self.farthest) * 1000 * Self.sphereFactor)
                    if !order.words.isEmpty || !order.locationWords.isEmpty { near.document("query") { words(whole: false, &$0) } }
                }
            }
            stages.document { $0.member("$limit", limit) }
            stages.document { stage in stage.document("$project", fields) }
        } _: { reader -> SearchOrder.Candidate? in
            looked += 1
            return try candidate(&reader)
        }
        return (found, looked)
    }

    // MARK: Candidates

    private func projection(_ options: inout BSONWriter) { options.document("projection", fields) }

    private func fields(_ projection: inout BSONWriter) {
        var fields = ["start_time", "created_at", "status", "created_by", "tags", "place"]
        if query.sort == .relevance { fields += ["title", "description", "location", "words"] }
        for field in fields { projection.member(field, 1) }
    }

    private func candidate(_ reader: inout BSONReader) throws -> SearchOrder.Candidate? { try order.candidate(&reader) }
}

extension BSONReader: SearchOrder.Found {
    mutating func id() throws -> EventID { try id("_id") }
    mutating func startTime() throws -> Timestamp { try date("start_time") }
    mutating func createdAt() throws -> Timestamp { try date("created_at") }
    mutating func title() throws -> String { try text("title") }
    mutating func status() throws -> String { try text("status") }
    mutating func createdBy() throws -> String { try text("created_by") }
    mutating func tags() throws -> [String] { try array("tags") { $0.text } }
    mutating func coordinates() throws -> Coordinates? { try place(of: "coordinates") }
}
