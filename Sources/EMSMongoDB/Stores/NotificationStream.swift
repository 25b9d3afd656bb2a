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
        /// The last place before the first incomplete notification: up to here, every inbox holds what it ever will.
        let settled: Place
        /// The last place of all.
        let end: Place
    }

    /// After so long, an incomplete notification counts as left behind by a process that died.
    static let patienceSeconds: Int64 = 5

    /// How many users get a notification in one write.
    private static let fanOutBatch = 1000

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
        let incomplete = try connection.first(
            .notifications, where: { $0.document("incomplete") { $0.member("$gt", 0) } },
            options: {
                $0.document("sort") { $0.member("incomplete", 1) }
                placeOnly(&$0)
            }, place)
        guard let incomplete, incomplete.position <= end.position else { return end }
        // It is not for everyone, so that it does not count itself.
        return Place(position: incomplete.position - 1, ordinal: incomplete.ordinal)
    }

    static func extent(in connection: MongoConnection) throws -> Extent {
        let end = try lastingEnd(in: connection)
        let settled = try settled(upTo: end, in: connection)
        return Extent(floor: try floor(in: connection), settled: settled, end: end)
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
            if let document = try NotificationDocument.incomplete(&reader) { incomplete.append(document) }
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

    /// Puts a notification into the inboxes of those it is for. Doing it twice does no harm.
    static func complete(_ document: NotificationDocument, in connection: MongoConnection) throws {
        switch document.addressed.audience {
        case .everyone: return
        case .subscribers(let event, let creator):
            try deliver(document.position, toSubscribersOf: event, in: connection)
            if let creator { try deliver(document.position, to: [creator], in: connection) }
            if document.addressed.endsSubscriptions {
                try connection.deleteMany(.subscriptions) { $0.member("_id.event_id", event) }
            }
        case .users(let users): try deliver(document.position, to: users, in: connection)
        }
        try connection.updateOne(
            .notifications, where: { $0.member("_id", document.position) },
            {
                $0.document("$unset") {
                    $0.member("incomplete", "")
                    $0.member("audience", "")
                }
            })
    }

    private static func deliver(_ position: Int64, toSubscribersOf event: EventID, in connection: MongoConnection) throws {
        var last = ""
        while true {
            let users = try connection.find(
                .subscriptions,
                where: {
                    $0.member("_id.event_id", event)
                    $0.document("_id.user_id") { $0.member("$gt", last) }
                },
                options: {
                    $0.document("sort") { $0.member("_id.user_id", 1) }
                    $0.member("limit", fanOutBatch)
                    $0.member("hint", "subscriptions_event")
                }
            ) { reader in
                var key = try reader.document("_id")
                return try key.text("user_id")
            }
            guard let newest = users.last else { return }
            last = newest
            try connection.insertMissing(.inboxEntries, users.map { entry(of: $0, at: position) })
            if users.count < fanOutBatch { return }
        }
    }

    private static func deliver(_ position: Int64, to users: [UserID], in connection: MongoConnection) throws {
        for start in stride(from: 0, to: users.count, by: fanOutBatch) {
            let batch = users[start..<min(start + fanOutBatch, users.count)]
            let existing = try connection.find(
                .users, where: { $0.document("_id") { $0.array("$in", batch.lazy.map(\.description)) } },
                options: { $0.document("projection") { $0.member("_id", 1) } }
            ) { try $0.text("_id") }
            try connection.insertMissing(.inboxEntries, existing.map { entry(of: $0, at: position) })
        }
    }

    private static func entry(of user: String, at position: Int64) -> BSONDocument {
        BSONDocument {
            $0.document("_id") {
                $0.member("user_id", user)
                $0.member("position", position)
            }
        }
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
            if let document = try NotificationDocument.incomplete(&reader) {
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
