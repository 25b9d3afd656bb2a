import EMSCore

/// One user's inbox, read at one moment.
struct Inbox {
    let user: UserID
    let connection: MongoConnection
    private(set) var state: InboxState
    private(set) var extent: NotificationStream.Extent
    /// Positions of the user's own that are on their way, and shown as if they had arrived. Whatever is read of the entries is read later:
    /// one of them may have arrived, and is left out there.
    private let reaching: Set<Int64>

    /// After so many were counted, the sum is kept.
    private static let countedLimit = 100

    /// - Throws: ``EMSError`` with ``ErrorCode/notFound`` where there is no such user.
    init(of user: UserID, in connection: MongoConnection) throws {
        self.user = user
        self.connection = connection
        let state = try connection.first(
            .users, where: { $0.member("_id", user) }, options: { $0.document("projection") { $0.member("inbox", 1) } }
        ) { reader in
            var inbox = try reader.document("inbox")
            return try InboxState(&inbox)
        }
        guard let state else { throw EMSError.notFound("user", user) }
        self.state = state
        extent = try NotificationStream.extent(in: connection)
        reaching = Set(
            try MongoExpansion.positions(extent.expansions, reaching: user, in: connection).filter { [extent] position in
                position > extent.floor.position && position <= extent.end.position
            })
    }

    /// From where everyone's notifications are shown.
    private var firstShown: Int64 { max(state.from.position, extent.floor.position) }
    /// Up to where nothing can be unread.
    private var firstUnread: Int64 { max(state.read.position, extent.floor.position) }

    // MARK: Counting

    func unreadCount() throws -> Int {
        let everyone = extent.end.ordinal - max(state.from.ordinal, state.read.ordinal, extent.floor.ordinal)
        let coming = reaching.count { $0 > firstUnread }
        return max(0, Int(everyone) + (try ownCount()) + coming - (try singlyCount()))
    }

    /// How many of the user's own have arrived and are not read as a whole.
    private func ownCount() throws -> Int {
        let isKept = state.ownFloor == firstUnread
        let start = isKept ? max(state.ownThrough, firstUnread) : firstUnread
        let countable = countable
        let settled = try countOwn(after: start, through: countable)
        let sum = (isKept ? state.own : 0) + settled
        if settled > Self.countedLimit { try keep(sum, through: countable) }
        return sum + (try countOwn(after: max(start, countable), through: extent.end.position))
    }

    /// Up to where no more entries will come: a sum up to there stays right.
    private var countable: Int64 {
        min(extent.settled.position, extent.expansions.first.map { $0.position - 1 } ?? .max)
    }

    /// Keeps what was counted, unless the inbox has changed meanwhile: the next count begins where this one ended.
    private func keep(_ sum: Int, through position: Int64) throws {
        try connection.updateOne(
            .users, where: unchanged,
            {
                $0.document("$set") {
                    $0.member("inbox.own", sum)
                    $0.member("inbox.own_floor", firstUnread)
                    $0.member("inbox.own_through", position)
                }
            })
    }

    private func countOwn(after start: Int64, through end: Int64) throws -> Int {
        if start >= end { return 0 }
        return try connection.count(.inboxEntries, where: { arrived(after: start, through: end, &$0) }, hint: "_id_")
    }

    /// The user's own entries in a range, except those that are shown anyway because they are on their way.
    private func arrived(after start: Int64, through end: Int64, _ filter: inout BSONWriter) {
        Self.range(user, after: start, through: end, &filter)
        if reaching.isEmpty { return }
        filter.document("_id.position") { $0.array("$nin") { for position in reaching.sorted() { $0.element(position) } } }
    }

    private func singlyCount() throws -> Int {
        state.singlyFloor == firstUnread ? state.singly : try countMarks(after: firstUnread)
    }

    private func countMarks(after floor: Int64) throws -> Int {
        let held = state.marks.filter { $0 > floor }
        guard state.hasSpilled else { return held.count }
        // A mark may be in both places, where its way from here to there was cut short.
        let spilled = try connection.find(
            .inboxReads, where: { Self.range(user, after: floor, through: .max, &$0) }, options: { $0.member("hint", "_id_") },
            Self.position)
        return Set(held).union(spilled).count
    }

    // MARK: Reading

    func page(_ query: InboxQuery) throws -> InboxPage {
        // What is not counted yet is not shown yet either.
        var before = extent.end.position + 1
        // A cursor comes from outside: it is any number. Positions count from 1.
        if case .key(let value, _) = query.page.after {
            before = min(max(value, 1), before)
        } else {
            var skipped = 0
            while skipped < query.page.offset {
                let step = min(query.page.offset - skipped, Self.skipStep)
                let passed = try positions(step, before: before, unreadOnly: query.unreadOnly)
                guard passed.count == step, let last = passed.last else { return InboxPage(entries: [], next: nil) }
                before = last
                skipped += step
            }
        }
        let found = try positions(query.page.size + 1, before: before, unreadOnly: query.unreadOnly)
        let page = found.prefix(query.page.size)
        let entries = try entries(Array(page))
        return InboxPage(entries: entries, next: found.count > page.count ? page.last.map { .key(value: $0, id: "") } : nil)
    }

    /// How many positions are passed over in one read on the way to a numbered page.
    private static let skipStep = 1000

    /// The first so many positions below one, the newest first.
    private func positions(_ wanted: Int, before: Int64, unreadOnly: Bool) throws -> [Int64] {
        let everyone = try collect(wanted, before: before, unreadOnly: unreadOnly) { before, limit in
            let floor = unreadOnly ? max(firstShown, firstUnread) : firstShown
            return try everyonePositions(after: floor, before: before, limit: limit)
        }
        let own = try collect(wanted, before: before, unreadOnly: unreadOnly) { before, limit in
            let floor = unreadOnly ? firstUnread : extent.floor.position
            return try ownPositions(after: floor, before: before, limit: limit)
        }
        return Array((everyone + own).sorted(by: >).prefix(wanted))
    }

    /// Positions, the newest first, as many as wanted; read on past those that are read, where only unread ones are.
    private func collect(
        _ wanted: Int, before: Int64, unreadOnly: Bool, _ fetch: (_ before: Int64, _ limit: Int) throws -> [Int64]
    ) throws -> [Int64] {
        var positions: [Int64] = []
        var before = before
        while positions.count < wanted {
            let limit = unreadOnly ? wanted + state.marks.count : wanted
            let next = try fetch(before, limit)
            if unreadOnly {
                let read = try readSingly(among: next)
                positions += next.filter { !read.contains($0) }
            } else {
                positions += next
            }
            guard next.count == limit, let last = next.last else { break }
            before = last
        }
        return Array(positions.prefix(wanted))
    }

    private func everyonePositions(after floor: Int64, before: Int64, limit: Int) throws -> [Int64] {
        try connection.find(
            .notifications,
            where: { filter in
                filter.member("is_for_everyone", true)
                filter.document("_id") {
                    $0.member("$gt", floor)
                    $0.member("$lt", before)
                }
            },
            options: {
                $0.document("sort") { $0.member("_id", -1) }
                $0.member("limit", limit)
                $0.member("hint", "notifications_everyone")
                $0.document("projection") { $0.member("_id", 1) }
            }
        ) { try $0.integer("_id") }
    }

    private func ownPositions(after floor: Int64, before: Int64, limit: Int) throws -> [Int64] {
        let entries = try connection.find(
            .inboxEntries, where: { arrived(after: floor, through: before - 1, &$0) },
            options: {
                $0.document("sort") { $0.member("_id", -1) }
                $0.member("limit", limit)
                $0.member("hint", "_id_")
            }, Self.position)
        if reaching.isEmpty { return entries }
        let all = entries + reaching.filter { $0 > floor && $0 < before }
        return Array(all.sorted(by: >).prefix(limit))
    }

    private func entries(_ positions: [Int64]) throws -> [InboxEntry] {
        let read = try readSingly(among: positions)
        let found = try recorded(at: positions)
        return positions.compactMap { position in
            found[position].map {
                InboxEntry(
                    position: position, notification: $0.notification,
                    isRead: position <= state.read.position || read.contains(position))
            }
        }
    }

    private func recorded(at positions: [Int64]) throws -> [Int64: RecordedNotification] {
        if positions.isEmpty { return [:] }
        let found = try connection.find(
            .notifications,
            where: { $0.document("_id") { $0.array("$in") { for position in positions { $0.element(position) } } } },
            options: NotificationDocument.projection, NotificationDocument.recorded)
        return Dictionary(found.map { ($0.position, $0) }) { first, _ in first }
    }

    /// Which of the positions were read one by one.
    private func readSingly(among positions: [Int64]) throws -> Set<Int64> {
        var read = Set(state.marks)
        if state.hasSpilled, !positions.isEmpty {
            let spilled = try connection.find(
                .inboxReads,
                where: { filter in
                    filter.document("_id") {
                        $0.array("$in") { keys in
                            for position in positions { keys.document { Self.key(user, position, &$0) } }
                        }
                    }
                }, Self.position)
            read.formUnion(spilled)
        }
        return read
    }

    /// - Returns: `nil` where the user's inbox does not hold it.
    func entry(_ id: NotificationID) throws -> InboxEntry? {
        guard let recorded = try visible(id) else { return nil }
        return try entries([recorded.position]).first
    }

    private func visible(_ id: NotificationID) throws -> RecordedNotification? {
        let found = try connection.first(
            .notifications, where: { $0.member("id", id) },
            options: {
                NotificationDocument.projection(&$0)
                $0.member("hint", "notifications_id")
            }, NotificationDocument.recorded)
        guard let found, found.position > extent.floor.position, found.position <= extent.end.position else { return nil }
        if found.isForEveryone { return found.position > state.from.position ? found : nil }
        if reaching.contains(found.position) { return found }
        let isOwn = try connection.exists(.inboxEntries) { $0.document("_id") { Self.key(user, found.position, &$0) } }
        return isOwn ? found : nil
    }

    /// What the inbox got after one position up to another, the oldest first.
    func replay(after start: Int64, through end: Int64, limit: Int) throws -> [RecordedNotification] {
        let everyone = try connection.find(
            .notifications, where: { everyonesRange(after: start, through: end, &$0) },
            options: {
                $0.document("sort") { $0.member("_id", 1) }
                $0.member("limit", limit)
                $0.member("hint", "notifications_everyone")
                NotificationDocument.projection(&$0)
            }, NotificationDocument.recorded)
        let own = try connection.find(
            .inboxEntries, where: { arrived(after: max(start, extent.floor.position), through: end, &$0) },
            options: {
                $0.document("sort") { $0.member("_id", 1) }
                $0.member("limit", limit)
                $0.member("hint", "_id_")
            }, Self.position)
        let coming = reaching.filter { $0 > start && $0 <= end }.sorted().prefix(limit)
        let all = everyone + (try recorded(at: own + coming)).values
        return Array(all.sorted { $0.position < $1.position }.prefix(limit))
    }

    func replayCount(after start: Int64, through end: Int64, limit: Int) throws -> Int {
        let everyone = try connection.count(
            .notifications, where: { everyonesRange(after: start, through: end, &$0) }, hint: "notifications_everyone", upTo: limit)
        let own = try connection.count(
            .inboxEntries, where: { arrived(after: max(start, extent.floor.position), through: end, &$0) }, hint: "_id_",
            upTo: limit)
        return min(everyone + own + reaching.count { $0 > start && $0 <= end }, limit)
    }

    private func everyonesRange(after start: Int64, through end: Int64, _ filter: inout BSONWriter) {
        filter.member("is_for_everyone", true)
        filter.document("_id") {
            $0.member("$gt", max(start, firstShown))
            $0.member("$lte", end)
        }
    }

    // MARK: Marking

    enum Outcome<Value> {
        case done(Value)
        /// The inbox has changed since it was read: read it again.
        case overtaken
    }

    /// - Returns: `false` where the inbox does not hold it.
    mutating func markRead(_ id: NotificationID) throws -> Outcome<Bool> {
        guard let recorded = try visible(id) else { return .done(false) }
        let position = recorded.position
        if position <= state.read.position { return .done(true) }
        if try readSingly(among: [position]).contains(position) { return .done(true) }
        var next = state
        next.singly = try singlyCount() + 1
        next.singlyFloor = firstUnread
        next.marks.append(position)
        if next.marks.count > InboxState.marksLimit {
            // Who has read all, one by one, stands as who marked all at once: no mark is needed any more.
            if try unreadCount() == 1, extent.settled == extent.end {
                next = readThroughSettled(next, marksBeyond: [])
            } else {
                try spill(next.marks)
                next.marks = []
                next.hasSpilled = true
            }
        }
        return try replace(with: next) ? .done(true) : .overtaken
    }

    /// - Returns: how many were unread.
    mutating func markAllRead() throws -> Outcome<Int> {
        let unread = try unreadCount()
        if unread == 0 { return .done(0) }
        let end = extent.settled.position
        var beyond = state.marks.filter { $0 > end }
        if state.hasSpilled {
            beyond += try connection.find(
                .inboxReads, where: { Self.range(user, after: end, through: .max, &$0) }, options: { $0.member("hint", "_id_") },
                Self.position)
        }
        let next = readThroughSettled(state, marksBeyond: Array(Set(beyond)))
        guard try replace(with: next) else { return .overtaken }
        // Each of these was written once, and goes once: over time the cost is constant. Those left by a crash mean nothing.
        if state.hasSpilled || !state.marks.isEmpty {
            try connection.deleteMany(.inboxReads) { Self.range(user, after: 0, through: end, &$0) }
        }
        let rest = try unreadCount()
        return .done(unread - rest)
    }

    private func readThroughSettled(_ state: InboxState, marksBeyond: [Int64]) -> InboxState {
        var next = state
        let floor = max(extent.settled.position, extent.floor.position)
        next.read = extent.settled
        next.marks = marksBeyond
        next.hasSpilled = false
        next.singly = marksBeyond.count
        (next.singlyFloor, next.ownFloor, next.ownThrough) = (floor, floor, floor)
        next.own = 0
        return next
    }

    private func spill(_ marks: [Int64]) throws {
        try connection.insertMissing(
            .inboxReads,
            marks.map { mark in BSONDocument { $0.document("_id") { Self.key(user, mark, &$0) } } })
    }

    /// - Returns: `false` where the inbox has changed since it was read.
    private mutating func replace(with next: InboxState) throws -> Bool {
        var next = next
        next.version = state.version + 1
        let result = try connection.updateOne(
            .users, where: unchanged, { $0.document("$set") { $0.document("inbox", next.encode) } })
        guard result.matched > 0 else { return false }
        state = next
        return true
    }

    private func unchanged(_ filter: inout BSONWriter) {
        filter.member("_id", user)
        filter.member("inbox.version", state.version)
    }

    // MARK: Keys

    static func key(_ user: UserID, _ position: Int64, _ writer: inout BSONWriter) {
        writer.member("user_id", user)
        writer.member("position", position)
    }

    /// The documents whose `_id` is the pair of this user and a position in the range.
    static func range(_ user: UserID, after start: Int64, through end: Int64, _ filter: inout BSONWriter) {
        filter.document("_id") { range in
            range.document("$gt") { key(user, start, &$0) }
            range.document("$lte") { key(user, end, &$0) }
        }
    }

    static func position(_ reader: inout BSONReader) throws -> Int64? {
        var key = try reader.document("_id")
        return try key.counter("position")
    }
}
