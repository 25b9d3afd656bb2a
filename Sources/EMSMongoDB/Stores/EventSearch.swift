import EMSCore

/// A search by text or place: the index finds at most ``EventQuery/candidateLimit`` candidates; they are filtered, ranked and cut to the
/// page here.
struct EventSearch {
    private let query: EventQuery
    private let words: [String]
    private let locationWords: [String]

    private struct Candidate {
        let id: EventID
        let startTime: Timestamp
        let createdAt: Timestamp
        /// What decides the order, smaller first: the match's rank or the distance.
        let score: Double
    }

    /// How many words of a search are looked for.
    private static let wordLimit = 32
    /// The largest angle of a circle that MongoDB takes: just below half of the globe's circumference.
    private static let largestAngle = 3.14159

    init(_ query: EventQuery) {
        self.query = query
        words = Array(SearchWords.list(of: query.text ?? "").prefix(Self.wordLimit))
        locationWords = Array(SearchWords.list(of: query.location ?? "").prefix(Self.wordLimit))
    }

    func run(in connection: MongoConnection) throws -> EventPage {
        // A text that holds no word finds nothing.
        if query.text != nil && words.isEmpty || query.location != nil && locationWords.isEmpty {
            return EventPage(events: [], total: Total(count: 0), next: nil)
        }
        var looked = 0
        var matches = try connection.find(.events, where: candidateFilter, options: candidateOptions, from: .url) { reader in
            looked += 1
            return try candidate(&reader)
        }
        matches.sort(by: precedes)
        var start = query.page.offset
        if case .offset(let count) = query.page.after { start = count }
        let page = matches.dropFirst(start).prefix(query.page.size)
        let end = start + page.count
        return EventPage(
            events: try events(page.map(\.id), in: connection),
            total: Total(count: matches.count, isExact: looked < EventQuery.candidateLimit), next: end < matches.count ? .offset(end) : nil)
    }

    private func events(_ ids: [EventID], in connection: MongoConnection) throws -> [Event] {
        if ids.isEmpty { return [] }
        let found = try connection.find(
            .events, where: { $0.document("_id") { $0.array("$in", ids.lazy.map(\.description)) } }, from: .url, EventDocument.living)
        let byID = Dictionary(found.map { ($0.id, $0) }) { first, _ in first }
        return ids.compactMap { byID[$0] }
    }

    private func candidateFilter(_ filter: inout BSONWriter) {
        if !words.isEmpty || !locationWords.isEmpty {
            filter.array("$and") { all in
                for word in words { all.document { Self.begins("words", with: word, &$0) } }
                for word in locationWords { all.document { Self.begins("location_words", with: word, &$0) } }
            }
        } else if let area = query.area {
            filter.document("place") {
                $0.document("$geoWithin") {
                    $0.array("$centerSphere") {
                        $0.array {
                            $0.element(area.center.longitude)
                            $0.element(area.center.latitude)
                        }
                        // A little wider than the circle: the exact distance is checked afterwards.
                        $0.element(min(area.radiusKilometres * 1.001 / Coordinates.earthRadius, Self.largestAngle))
                    }
                }
            }
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

    private func candidateOptions(_ options: inout BSONWriter) {
        options.member("limit", EventQuery.candidateLimit)
        options.member("hint", !words.isEmpty ? "events_words" : !locationWords.isEmpty ? "events_location_words" : "events_place")
        options.document("projection") { projection in
            var fields = ["start_time", "created_at", "status", "created_by", "tags", "place"]
            if query.sort == .relevance { fields += ["title", "description", "location"] }
            for field in fields { projection.member(field, 1) }
        }
    }

    private func candidate(_ reader: inout BSONReader) throws -> Candidate? {
        let id: EventID = try reader.id("_id")
        let startTime = try reader.date("start_time")
        if let after = query.startsAfter, startTime < after { return nil }
        if let before = query.startsBefore, startTime >= before { return nil }
        if let status = query.status, try reader.text("status") != status.rawValue { return nil }
        if let creator = query.createdBy, try reader.text("created_by") != creator { return nil }
        let tags = try reader.array("tags") { $0.text }
        if !query.matches(tags: tags) { return nil }
        var score = 0.0
        if let area = query.area {
            guard let place = try EventDocument.coordinates(&reader) else { return nil }
            let distance = area.center.distance(to: place)
            if distance > area.radiusKilometres { return nil }
            if query.sort == .distance { score = distance }
        }
        if query.sort == .relevance {
            score = -relevance(
                title: try reader.text("title"), description: try reader.text("description"), location: try reader.text("location"),
                tags: tags)
        }
        return Candidate(id: id, startTime: startTime, createdAt: try reader.date("created_at"), score: score)
    }

    /// BM25 over weighted fields (S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, section
    /// 3.6) with k₁ = 1.2 and without the inverse document frequency: every candidate holds every word.
    private func relevance(title: String, description: String, location: String, tags: [String]) -> Double {
        let fields: [(words: [String], weight: Double)] = [
            (SearchWords.list(of: title), 10), (SearchWords.list(of: description), 2), (SearchWords.list(of: location), 5),
            (tags.flatMap(SearchWords.list), 5),
        ]
        return words.reduce(0.0) { (sum: Double, word: String) -> Double in
            var frequency = 0.0
            for field in fields {
                let hits = Double(field.words.count { $0.hasPrefix(word) })
                // Long fields count for less: b = 0.75 against a length of ten words.
                let length = 0.25 + 0.075 * Double(max(1, field.words.count))
                frequency += field.weight * hits / length
            }
            return sum + frequency / (1.2 + frequency)
        }
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
