import EMSCore

/// The stream of all notifications: positions 1, 2, 3… without gaps, given out by nobody.
///
/// Whoever appends reads the last position and inserts the next one; that it is unique lets one writer win, and the others try the one
/// after. So positions become visible in their order and none stays empty, however many processes write and whichever of them dies.
/// Counts are sums along the stream (`ordinal`), and cannot drift.
enum NotificationStream {
    /// A place in the stream, and how many notifications for everyone there are up to it.
    struct Place: Sendable, Equatable {
        let position: Int64
        let ordinal: Int64

        static let beginning = Place(position: 0, ordinal: 0)
    }

    /// The places that matter to an inbox.
    struct Extent: Sendable {
        /// Up to where notifications were purged.
        let floor: Place
        /// The last place before the first incomplete notification that is shown to nobody yet: up to here, every inbox shows what it ever
        /// will.
        let settled: Place
        /// What is shown while it is on its way, the oldest first.
        let expansions: [MongoExpansion]
        /// The last place of all.
        let end: Place
    }

    /// After so long, an incomplete notification counts as left behind by a process that died.
    static let patienceSeconds: Int64 = 5

    // MARK: Places

    /// The last place there is: where a writer goes on.
    static func end(in connection: MongoConnection) throws -> Place {
        try connection.first(.notifications, options: { lastFirst("_id", &$0) }, place) ?? .beginning
    }

    /// The last place that no failover takes back: what readers rely on.
    static func lastingEnd(in connection: MongoConnection) throws -> Place {
        try connection.first(
            .notifications,
            options: {
                lastFirst("_id", &$0)
                ofMajority(&$0)
            }, place) ?? .beginning
    }

    static func floor(in connection: MongoConnection) throws -> Place {
        try connection.first(
            .notifications, where: { $0.document("floor") { $0.member("$gt", 0) } }, options: { lastFirst("floor", &$0) }, place)
            ?? .beginning
    }

    /// - Parameter end: the last place, read before: what is incomplete up to there is found by this later read.
    static func settled(upTo end: Place, in connection: MongoConnection) throws -> Place {
        try settled(upTo: end, incomplete(in: connection))
    }

    private static func settled(upTo end: Place, _ incomplete: [Incomplete]) -> Place {
        guard let first = incomplete.first(where: { !$0.isShown }), first.place.position <= end.position else { return end }
        // It is not for everyone, so that it does not count itself.
        return Place(position: first.place.position - 1, ordinal: first.place.ordinal)
    }

    static func extent(in connection: MongoConnection) throws -> Extent {
        let end = try lastingEnd(in: connection)
        let incomplete = try incomplete(in: connection)
        return Extent(
            floor: try floor(in: connection), settled: settled(upTo: end, incomplete), expansions: incomplete.compactMap(\.expansion),
            end: end)
    }

    /// Where not all recipients have what is for them, the oldest first.
    private struct Incomplete {
        let place: Place
        /// Whether those it is on its way to see it already.
        let isShown: Bool
        /// `nil` also for one that is damaged, which holds up nothing else.
        let expansion: MongoExpansion?
    }

    private static func incomplete(in connection: MongoConnection) throws -> [Incomplete] {
        try connection.find(
            .notifications, where: { $0.document("incomplete") { $0.member("$gt", 0) } },
            options: {
                $0.document("sort") { $0.member("incomplete", 1) }
                $0.document("projection") { for field in ["ordinal", "cursor", "audience"] { $0.member(field, 1) } }
            }
        ) { reader in
            Incomplete(
                place: Place(position: try reader.counter("_id"), ordinal: try reader.counter("ordinal")),
                isShown: try reader.find("cursor") != nil, expansion: try? MongoExpansion(&reader))
        }
    }

    private static func lastFirst(_ field: String, _ options: inout BSONWriter) {
        options.document("sort") { $0.member(field, -1) }
        placeOnly(&options)
    }

    private static func ofMajority(_ options: inout BSONWriter) {
        options.document("readConcern") { $0.member("level", "majority") }
    }

    private static func placeOnly(_ options: inout BSONWriter) {
        options.document("projection") { $0.member("ordinal", 1) }
    }

    private static func place(_ reader: inout BSONReader) throws -> Place? {
        Place(position: try reader.counter("_id"), ordinal: try reader.counter("ordinal"))
    }

    // MARK: Appending

    /// Records what is not known yet.
    /// - Returns: what was new, with its positions.
    static func record(_ notifications: [AddressedNotification], in connection: MongoConnection) throws -> [RecordedNotification] {
        var seen: Set<NotificationID> = []
        let wanted = notifications.filter { seen.insert($0.notification.id).inserted }
        let known = try known(wanted.map(\.notification.id), in: connection)
        var rest = wanted.filter { !known.contains($0.notification.id) }[...]
        var recorded: [RecordedNotification] = []
        while !rest.isEmpty {
            let next = try append(&rest, in: connection)
            for document in next where !document.isForEveryone { try complete(document, in: connection) }
            recorded += next.map(\.recorded)
        }
        return recorded
    }

    /// Which of the ids are in the stream. One that is incomplete is completed: whoever began it may be dead.
    private static func known(_ ids: [NotificationID], in connection: MongoConnection) throws -> Set<NotificationID> {
        if ids.isEmpty { return [] }
        var incomplete: [NotificationDocument] = []
        let known = try connection.find(
            .notifications, where: { $0.document("id") { $0.array("$in", ids.lazy.map(\.description)) } },
            options: { $0.member("hint", "notifications_id") }
        ) { reader -> NotificationID? in
            let id: NotificationID = try reader.id("id")
            if let document = try NotificationDocument.incomplete(&reader), document.cursor == nil { incomplete.append(document) }
            return id
        }
        for document in incomplete.sorted(by: { $0.position < $1.position }) { try complete(document, in: connection) }
        return Set(known)
    }

    /// Inserts at the end, as many as the first competing writer lets pass, and takes them from `rest`.
    private static func append(
        _ rest: inout ArraySlice<AddressedNotification>, in connection: MongoConnection
    ) throws -> [NotificationDocument] {
        var place = try end(in: connection)
        let now = Timestamp.now()
        let documents = rest.map { addressed in
            place = Place(position: place.position + 1, ordinal: place.ordinal + (addressed.audience == .everyone ? 1 : 0))
            return NotificationDocument(
                position: place.position, ordinal: place.ordinal, addressed: addressed, recordedAt: now)
        }
        do {
            try connection.insert(.notifications, documents.map(\.document))
            rest = []
            return documents
        } catch let refused as DuplicateKey {
            // Those before it are stored. Where its id is known by now, another writer recorded the same change.
            let stored = Array(documents.prefix(refused.first))
            rest = rest.dropFirst(refused.first + (refused.index == "notifications_id" ? 1 : 0))
            return stored
        }
    }

    // MARK: Completing

    /// Puts a notification into the inboxes of those it is for, or of the first of them. Doing it twice does no harm.
    static func complete(_ document: NotificationDocument, in connection: MongoConnection) throws {
        switch document.addressed.audience {
        case .everyone: return
        case .subscribers(let event, let creator):
            if let creator { try deliver(document.position, to: [creator], in: connection) }
            let expansion = MongoExpansion(
                position: document.position, event: event, creator: creator, cursor: "",
                endsSubscriptionsAt: document.addressed.endsSubscriptions ? document.addressed.notification.timestamp : nil)
            if let cursor = try expansion.deliver(in: connection) {
                // From this write on it is shown to all it is for.
                try connection.updateOne(
                    .notifications,
                    where: {
                        $0.member("_id", document.position)
                        $0.null("cursor")
                        $0.document("incomplete") { $0.member("$exists", true) }
                    }, { update in update.document("$set") { $0.member("cursor", cursor) } })
                return
            }
        case .users(let users): try deliver(document.position, to: users, in: connection)
        }
        try markComplete(document.position, in: connection)
    }

    static func markComplete(_ position: Int64, in connection: MongoConnection) throws {
        try connection.updateOne(
            .notifications, where: { $0.member("_id", position) },
            {
                $0.document("$unset") { for field in ["incomplete", "audience", "cursor", "claimed_until"] { $0.member(field, "") } }
            })
    }

    private static func deliver(_ position: Int64, to users: [UserID], in connection: MongoConnection) throws {
        for start in stride(from: 0, to: users.count, by: AudienceExpander.chunkLimit) {
            let batch = users[start..<min(start + AudienceExpander.chunkLimit, users.count)]
            let existing = try connection.find(
                .users, where: { $0.document("_id") { $0.array("$in", batch.lazy.map(\.description)) } },
                options: { $0.document("projection") { $0.member("_id", 1) } }
            ) { try $0.text("_id") }
            try put([position], into: existing, in: connection)
        }
    }

    /// Puts notifications into inboxes, where they are not there yet.
    static func put(_ positions: [Int64], into users: [String], in connection: MongoConnection) throws {
        let entries = users.flatMap { user in
            positions.map { position in
                BSONDocument {
                    $0.document("_id") {
                        $0.member("user_id", user)
                        $0.member("position", position)
                    }
                }
            }
        }
        if !entries.isEmpty { try connection.insertMissing(.inboxEntries, entries) }
    }

    // MARK: The tail

    /// What was recorded after a position, up to the first that is incomplete. One that was left behind is completed first.
    static func tail(after position: Int64, limit: Int, in connection: MongoConnection) throws -> [RecordedNotification] {
        var isCut = false
        var leftBehind: NotificationDocument?
        let found = try connection.find(
            .notifications, where: { $0.document("_id") { $0.member("$gt", position) } },
            options: {
                $0.document("sort") { $0.member("_id", 1) }
                $0.member("limit", limit)
                ofMajority(&$0)
            }
        ) { reader -> RecordedNotification? in
            if isCut { return nil }
            if let document = try NotificationDocument.incomplete(&reader), document.cursor == nil {
                isCut = true
                if document.recordedAt < Timestamp.now().adding(seconds: -patienceSeconds) { leftBehind = document }
                return nil
            }
            return try NotificationDocument.recorded(&reader)
        }
        guard let leftBehind else { return found }
        try complete(leftBehind, in: connection)
        return found + [leftBehind.recorded]
    }
}
