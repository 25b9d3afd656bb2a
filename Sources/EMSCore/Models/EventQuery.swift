/// Which events are wanted, in what order, and which page of them.
public struct EventQuery: Sendable, Equatable {
    public enum Sort: String, CaseIterable, Sendable {
        case startTime = "start_time"
        case startTimeDescending = "-start_time"
        case createdAt = "created_at"
        case createdAtDescending = "-created_at"
        /// Best match first: only with a text.
        case relevance
        /// Nearest first: only with a place.
        case distance
    }

    /// What several tags mean.
    public enum TagMatch: String, CaseIterable, Sendable {
        case all, any
    }

    /// A circle on the earth.
    public struct Area: Sendable, Equatable {
        /// Half of the equator.
        public static let largestRadius = 20_038.0
        public static let usualRadius = 10.0

        public let center: Coordinates
        public let radiusKilometres: Double

        public init(center: Coordinates, radiusKilometres: Double) {
            self.center = center
            self.radiusKilometres = radiusKilometres
        }
    }

    /// Words that must all occur in title, description, location or tags.
    public var text: String?
    /// In canonical form, each once.
    public var tags: [String]
    /// How many tags were named, the same one or none among them.
    private let givenTagCount: Int
    /// Whether an event must have all ``tags`` or any of them.
    public var tagMatch: TagMatch
    public var status: Event.Status?
    /// Words that must all occur in the location.
    public var location: String?
    public var createdBy: String?
    public var startsAfter: Timestamp?
    public var startsBefore: Timestamp?
    public var area: Area?
    public var sort: Sort
    public var page: PageRequest

    public init(
        text: String? = nil, tags: [String] = [], tagMatch: TagMatch = .all, status: Event.Status? = nil, location: String? = nil,
        createdBy: String? = nil,
        startsAfter: Timestamp? = nil, startsBefore: Timestamp? = nil, area: Area? = nil, sort: Sort? = nil,
        page: PageRequest = PageRequest()
    ) {
        self.text = text
        var seen: Set<String> = []
        givenTagCount = tags.count
        self.tags = tags.map(EventRules.canonicalTag).filter { seen.insert($0).inserted }
        self.tagMatch = tagMatch
        self.status = status
        self.location = location
        self.createdBy = createdBy
        self.startsAfter = startsAfter
        self.startsBefore = startsBefore
        self.area = area
        self.sort = sort ?? (text != nil ? .relevance : area != nil ? .distance : .startTime)
        self.page = page
    }

    /// Whether the events are found by what they say or where they are, rather than along an ordered index. A text is searched for in
    /// the ``candidateLimit`` most recently created matches of each tier of relevance; the nearest events are found at any density.
    public var isSearch: Bool { text != nil || location != nil || area != nil }

    /// How many matches of a text or an area are looked at.
    public static let candidateLimit = 10_000

    /// Whether an event's tags are what is asked for.
    public func matches(tags present: some Sequence<String>) -> Bool {
        if tags.isEmpty { return true }
        let present = Set(present)
        return tagMatch == .all ? tags.allSatisfy(present.contains) : tags.contains(where: present.contains)
    }

    /// How many tags may be asked for at once.
    public static let tagCountLimit = 20

    /// - Throws: ``EMSError`` where order and filters do not go together.
    public func validate() throws {
        guard max(tags.count, givenTagCount) <= Self.tagCountLimit else {
            throw EMSError.invalid(.tag, "must not be given more than \(Self.tagCountLimit) times", type: "too_long")
        }
        if sort == .relevance, text == nil {
            throw EMSError.invalid(.sort, "must not be by relevance without a text to search for")
        }
        if sort == .distance, area == nil {
            throw EMSError.invalid(.sort, "must not be by distance without a place")
        }
        if let area {
            guard (-90...90).contains(area.center.latitude), (-180...180).contains(area.center.longitude) else {
                throw EMSError.invalid(.near, "must be latitude,longitude within -90…90 and -180…180")
            }
            guard area.radiusKilometres > 0, area.radiusKilometres <= Area.largestRadius else {
                throw EMSError.invalid(.radius, "must be over 0 and at most 20038 km")
            }
        }
        try page.validate(isSearch: isSearch)
    }
}

/// Which page of a list: a number for those who jump, a cursor for those who read on.
public struct PageRequest: Sendable, Equatable {
    public static let sizeRange = 1...100
    /// Up to how many rows are counted for a total.
    public static let countLimit = 10_000
    /// A page that begins further on is empty: no list is that long.
    public static let depthLimit = 1 << 40

    /// Counts from one. Ignored where there is a cursor.
    public var number: Int
    public var size: Int
    public var after: PageCursor?
    private var sizeLimit = sizeRange.upperBound

    public init(number: Int = 1, size: Int = 10, after: PageCursor? = nil) {
        self.number = number
        self.size = size
        self.after = after
    }

    /// A page of an export, which nobody waits for and reads by: the larger, the fewer questions.
    public static func export(after: PageCursor?) -> PageRequest {
        var page = PageRequest(size: exportSize, after: after)
        page.sizeLimit = exportSize
        return page
    }

    private static let exportSize = 1000

    /// How many rows stand before the page.
    /// A number comes from outside: what is beyond every list counts as ``depthLimit``.
    public var offset: Int {
        let (rows, isBeyond) = (max(number, 1) - 1).multipliedReportingOverflow(by: max(size, 0))
        return isBeyond ? Self.depthLimit : min(rows, Self.depthLimit)
    }

    /// - Parameter isSearch: whether the order is that of a search, whose cursors are of another kind.
    func validate(isSearch: Bool = false) throws {
        guard (Self.sizeRange.lowerBound...sizeLimit).contains(size) else {
            throw EMSError.invalid(.pageSize, "must be between \(Self.sizeRange.lowerBound) and \(Self.sizeRange.upperBound)")
        }
        if let after {
            if case .key = after, !isSearch { return }
            if case .search = after, isSearch { return }
            throw EMSError.invalid(.after, "must be the next of an earlier page of this same list")
        }
        guard number >= 1 else { throw EMSError.invalid(.page, "must be 1 or more") }
    }
}

/// A place in a list, to read on from. Clients pass it back as it is.
public enum PageCursor: Sendable, Equatable {
    /// After the row with this sort value (milliseconds, or a position) and this id.
    case key(value: Int64, id: String)
    /// After the row of a search with this place in its order: see ``SearchOrder/Key``.
    case search(first: Int64, second: Int64, id: String)

    /// The text clients see: `k1760000000000.0195…` or `s3.-1760000000000.0195…`.
    public var text: String {
        switch self {
        case .key(let value, let id): "k\(value).\(id)"
        case .search(let first, let second, let id): "s\(first).\(second).\(id)"
        }
    }

    /// - Throws: ``EMSError`` for anything that ``text`` did not write.
    public init(_ text: String) throws {
        let parts = text.utf8.dropFirst().split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        let numbers = parts.dropLast().compactMap { Int64(String(decoding: $0, as: UTF8.self)) }
        if let last = parts.last, last.count <= 64, last.allSatisfy(\.isHexDigit) {
            let id = String(decoding: last, as: UTF8.self)
            switch (text.utf8.first, numbers.count) {
            case (UInt8(ascii: "k"), 1): self = .key(value: numbers[0], id: id)
            case (UInt8(ascii: "s"), 2) where EventID(id) != nil: self = .search(first: numbers[0], second: numbers[1], id: id)
            default: throw Self.invalid
            }
            if self.text == text { return }
        }
        throw Self.invalid
    }

    private static let invalid = EMSError.invalid(.after, "must be the next of an earlier page")
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
    }
}

/// How many rows a list has in all.
public struct Total: Sendable, Equatable {
    public let count: Int
    /// `false` where counting stopped at a bound and there are at least so many.
    public let isExact: Bool

    public init(count: Int, isExact: Bool = true) {
        self.count = count
        self.isExact = isExact
    }
}

/// One page of events.
public struct EventPage: Sendable {
    /// How many bytes of texts a page holds at most: a page of the longest events ends early, and `next` continues it.
    public static let byteLimit = 1_000_000

    public private(set) var events: [Event]
    public let total: Total
    /// Where to read on; `nil` at the end.
    public private(set) var next: PageCursor?
    /// Where to read on behind each of the events.
    private var cursors: [PageCursor]

    /// - Parameters:
    ///   - cursors: where to read on behind each of the events.
    ///   - hasMore: whether events follow.
    public init(events: [Event], cursors: [PageCursor], total: Total, hasMore: Bool) {
        self.events = events
        self.cursors = cursors
        self.total = total
        next = hasMore ? cursors.last : nil
    }

    public static let empty = EventPage(events: [], cursors: [], total: Total(count: 0), hasMore: false)

    /// The page up to the event with which it would have more bytes than the limit; at least one event.
    func limited(toBytes limit: Int = byteLimit) -> EventPage {
        var rest = limit
        let count = events.prefix { event in
            rest -= event.byteCount
            return rest >= 0
        }.count
        guard count < events.count, cursors.count == events.count else { return self }
        var page = self
        page.events = Array(events.prefix(max(1, count)))
        page.cursors = Array(cursors.prefix(page.events.count))
        page.next = page.events.count < events.count ? page.cursors.last : next
        return page
    }
}

extension Event {
    /// About how many bytes it has as JSON, in the worst case of its characters.
    fileprivate var byteCount: Int {
        let texts = title.utf8.count + description.utf8.count + location.utf8.count + (attachmentURL?.utf8.count ?? 0)
        return 600 + texts + texts / 8 + tags.reduce(0) { $0 + $1.utf8.count + 3 }
    }
}

/// One page of users.
public struct UserPage: Sendable {
    public let users: [User]
    public let total: Total
    public let next: PageCursor?

    public init(users: [User], total: Total, next: PageCursor?) {
        self.users = users
        self.total = total
        self.next = next
    }
}

/// Which users are wanted. They come in the order of their ids, the oldest first; with ``unseenSince`` in the order of their last log-in.
public struct UserQuery: Sendable, Equatable {
    public var role: Role?
    public var isActive: Bool?
    /// Only those whose last log-in, or whose registration if they never logged in, was before.
    public var unseenSince: Timestamp?
    public var page: PageRequest

    public init(role: Role? = nil, isActive: Bool? = nil, unseenSince: Timestamp? = nil, page: PageRequest = PageRequest()) {
        self.role = role
        self.isActive = isActive
        self.unseenSince = unseenSince
        self.page = page
    }
}

/// Which part of an inbox is wanted, the newest first.
public struct InboxQuery: Sendable, Equatable {
    public var unreadOnly: Bool
    public var page: PageRequest

    public init(unreadOnly: Bool = false, page: PageRequest = PageRequest()) {
        self.unreadOnly = unreadOnly
        self.page = page
    }
}

/// One page of an inbox.
public struct InboxPage: Sendable {
    public let entries: [InboxEntry]
    public let next: PageCursor?

    public init(entries: [InboxEntry], next: PageCursor?) {
        self.entries = entries
        self.next = next
    }
}
