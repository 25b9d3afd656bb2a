/// What a search looks for and in which order it comes: the same for every store, which only provides candidates.
///
/// The order is total: a rank or a value first, then the time of creation or nothing, then the id. So a page begins after a key, and
/// what is created or deleted in between neither repeats nor hides a row.
public struct SearchOrder: Sendable {
    /// How many words of a text are looked for, each once; further ones are ignored.
    public static let wordLimit = 16

    /// How well an event matches a text, the best first.
    public enum Tier: Int, CaseIterable, Sendable {
        /// The words stand beside each other, in their order.
        case phrase
        /// Each of them is a whole word.
        case words
        /// Each of them begins a word.
        case prefixes
    }

    /// The place of an event in the order of one search.
    public struct Key: Sendable, Equatable {
        let first: Int64
        let second: Int64
        let id: EventID
    }

    /// What of an event decides its place.
    public struct Candidate: Sendable {
        public let id: EventID
        public let startTime: Timestamp
        public let createdAt: Timestamp
        public let title: String
        /// In kilometres from the centre of the area; 0 if the search has none.
        public let distance: Double

        public init(id: EventID, startTime: Timestamp, createdAt: Timestamp, title: String = "", distance: Double = 0) {
            self.id = id
            self.startTime = startTime
            self.createdAt = createdAt
            self.title = title
            self.distance = distance
        }
    }

    /// An event as a store finds it, of which only what is asked for is read.
    public protocol Found {
        mutating func id() throws -> EventID
        mutating func startTime() throws -> Timestamp
        mutating func createdAt() throws -> Timestamp
        mutating func title() throws -> String
        mutating func status() throws -> String
        mutating func createdBy() throws -> String
        mutating func tags() throws -> [String]
        mutating func coordinates() throws -> Coordinates?
    }

    public let query: EventQuery
    /// The words of the text in their order, as often as they are there, for the phrase.
    public let phrase: [String]
    /// The words of the text, each once.
    public let words: [String]
    /// The words of the location, each once.
    public let locationWords: [String]
    private let after: Key?

    public init(_ query: EventQuery) {
        self.query = query
        let text = query.text.map(SearchWords.list) ?? []
        words = Self.distinct(text)
        locationWords = Self.distinct(query.location.map(SearchWords.list) ?? [])
        phrase = text.count <= Self.wordLimit ? text : words
        if case .search(let first, let second, let id)? = query.page.after {
            after = EventID(id).map { Key(first: first, second: second, id: $0) }
        } else {
            after = nil
        }
    }

    private static func distinct(_ words: [String]) -> [String] {
        var seen: Set<String> = []
        return Array(words.filter { seen.insert($0).inserted }.prefix(wordLimit))
    }

    /// Whether a text was given that holds no word: it finds nothing.
    public var isEmpty: Bool { query.text != nil && words.isEmpty || query.location != nil && locationWords.isEmpty }

    /// The tiers in which candidates are asked for, the best first. Only the order of relevance needs more than the last, which holds all.
    public var tiers: [Tier] { query.sort == .relevance ? Tier.allCases : [.prefixes] }

    /// The distance at which a page begins, in kilometres: nothing nearer is on it.
    public var nearest: Double? {
        guard query.sort == .distance, let after else { return nil }
        return Double(bitPattern: UInt64(bitPattern: after.first))
    }

    /// How many matches in the order are needed for the page: the last one tells whether there is a next page.
    public var needed: Int {
        after == nil ? min(query.page.offset, EventQuery.candidateLimit) + query.page.size + 1 : query.page.size + 1
    }

    /// What of an event decides its place; `nil` if the filters or the area leave it out.
    public func candidate<Event: Found>(_ event: inout Event) throws -> Candidate? {
        let startTime = try event.startTime()
        if let after = query.startsAfter, startTime < after { return nil }
        if let before = query.startsBefore, startTime >= before { return nil }
        if let status = query.status, try event.status() != status.rawValue { return nil }
        if let creator = query.createdBy, try event.createdBy() != creator { return nil }
        if !query.tags.isEmpty, !query.matches(tags: try event.tags()) { return nil }
        var distance = 0.0
        if let area = query.area {
            guard let place = try event.coordinates() else { return nil }
            distance = area.center.distance(to: place)
            // Not a number is not within.
            if !(distance <= area.radiusKilometres) { return nil }
        }
        return Candidate(
            id: try event.id(), startTime: startTime, createdAt: try event.createdAt(),
            title: query.sort == .relevance ? try event.title() : "", distance: distance)
    }

    /// Whether the candidate comes after the row that the page begins behind.
    public func isAfterCursor(_ key: Key) -> Bool { after.map { precedes($0, key) } ?? true }

    public func key(of candidate: Candidate, tier: Tier) -> Key {
        switch query.sort {
        case .relevance:
            Key(first: Int64(rank(candidate, tier)), second: -candidate.createdAt.milliseconds, id: candidate.id)
        // Doubles that are not negative have the order of their bits.
        case .distance: Key(first: Int64(bitPattern: max(0, candidate.distance).bitPattern), second: 0, id: candidate.id)
        case .startTime: Key(first: candidate.startTime.milliseconds, second: 0, id: candidate.id)
        case .startTimeDescending: Key(first: -candidate.startTime.milliseconds, second: 0, id: candidate.id)
        case .createdAt: Key(first: candidate.createdAt.milliseconds, second: 0, id: candidate.id)
        case .createdAtDescending: Key(first: -candidate.createdAt.milliseconds, second: 0, id: candidate.id)
        }
    }

    /// Among newest and latest first, the higher id comes first as well.
    public func precedes(_ left: Key, _ right: Key) -> Bool {
        if left.first != right.first { return left.first < right.first }
        if left.second != right.second { return left.second < right.second }
        switch query.sort {
        case .relevance, .startTimeDescending, .createdAtDescending: return left.id > right.id
        case .distance, .startTime, .createdAt: return left.id < right.id
        }
    }

    /// Within a tier, a title that matches comes before another field that does.
    private func rank(_ candidate: Candidate, _ tier: Tier) -> Int {
        let title = SearchWords.list(of: candidate.title)
        switch tier {
        case .phrase:
            if title == phrase { return 0 }
            return Self.holds(phrase, title) ? 1 : 2
        case .words: return words.allSatisfy(title.contains) ? 3 : 4
        case .prefixes: return words.allSatisfy { word in title.contains { $0.hasPrefix(word) } } ? 5 : 6
        }
    }

    /// Whether the texts of an event hold the words beside each other, in their order, within one of them.
    public func holdsPhrase(_ texts: [String]) -> Bool {
        texts.contains { Self.holds(phrase, SearchWords.list(of: $0)) }
    }

    private static func holds(_ phrase: [String], _ words: [String]) -> Bool {
        guard !phrase.isEmpty, words.count >= phrase.count else { return false }
        return (0...(words.count - phrase.count)).contains { words[$0..<($0 + phrase.count)].elementsEqual(phrase) }
    }

    /// The rows of the page in their order, each with where to read on behind it, and whether others follow.
    /// - Parameter matches: those found so far that are after the cursor; all there are of the first ``needed`` in the order.
    public func page<Match>(of matches: [(key: Key, match: Match)]) -> (page: [(match: Match, cursor: PageCursor)], hasMore: Bool) {
        let ordered = matches.sorted { precedes($0.key, $1.key) }
        let rows = ordered.dropFirst(after == nil ? query.page.offset : 0)
        let page = rows.prefix(query.page.size)
        return (page.map { ($0.match, $0.key.cursor) }, rows.count > page.count)
    }
}

extension SearchOrder.Key {
    var cursor: PageCursor { .search(first: first, second: second, id: id.description) }
}
