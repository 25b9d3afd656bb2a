import EMSCore

/// Inboxes on the stream of notifications: what is for everyone is one document, what is read up to a point is a number.
struct MongoNotificationStore: NotificationStore {
    let database: MongoDatabase

    func record(_ notifications: [AddressedNotification], taking place: ConsumerPlace?) async throws -> [RecordedNotification] {
        try await database.run { try NotificationStream.record(notifications, in: $0) }
    }

    func inbox(of user: UserID, _ query: InboxQuery) async throws -> InboxPage {
        try await database.run { try Inbox(of: user, in: $0).page(query) }
    }

    func inboxEntry(_ id: NotificationID, of user: UserID) async throws -> InboxEntry? {
        try await database.run { try Inbox(of: user, in: $0).entry(id) }
    }

    func unreadCount(of user: UserID) async throws -> Int {
        try await database.run { try Inbox(of: user, in: $0).unreadCount() }
    }

    func markRead(_ id: NotificationID, of user: UserID) async throws -> Bool {
        try await database.run { connection in
            while true {
                var inbox = try Inbox(of: user, in: connection)
                if case .done(let isHeld) = try inbox.markRead(id) { return isHeld }
            }
        }
    }

    func markAllRead(of user: UserID) async throws -> Int {
        try await database.run { connection in
            while true {
                var inbox = try Inbox(of: user, in: connection)
                if case .done(let count) = try inbox.markAllRead() { return count }
            }
        }
    }

    func position(of id: NotificationID) async throws -> Int64? {
        try await database.run { connection in
            let found = try connection.first(
                .notifications, where: { $0.member("id", id) }, options: { $0.member("hint", "notifications_id") }
            ) { try $0.integer("_id") }
            guard let found, try found > NotificationStream.floor(in: connection).position else { return nil }
            return found
        }
    }

    /// The end of what is settled: up to there a replay misses nothing.
    func latestPosition() async throws -> Int64 {
        try await database.run { connection in
            try NotificationStream.settled(upTo: NotificationStream.lastingEnd(in: connection), in: connection).position
        }
    }

    func inbox(of user: UserID, after position: Int64, through end: Int64, limit: Int) async throws -> [RecordedNotification] {
        try await database.run { try Inbox(of: user, in: $0).replay(after: position, through: end, limit: limit) }
    }

    func inboxCount(of user: UserID, after position: Int64, through end: Int64, limit: Int) async throws -> Int {
        try await database.run { try Inbox(of: user, in: $0).replayCount(after: position, through: end, limit: limit) }
    }

    /// Whichever are fewer are looked through: those it is for, or those who are asked about.
    func recipients(of position: Int64, among users: Set<UserID>) async throws -> Set<UserID> {
        try await database.run { connection in
            if try !MongoExpansion.isOnItsWay(position, in: connection) {
                let all = try connection.find(
                    .inboxEntries, where: { $0.member("_id.position", position) },
                    options: {
                        $0.member("hint", "inbox_entries_position")
                        $0.member("limit", users.count + 1)
                    }
                ) { try Self.user(&$0) }
                if all.count <= users.count { return users.intersection(all) }
            }
            let asked = Array(users)
            var found: Set<UserID> = []
            for start in stride(from: 0, to: asked.count, by: AudienceExpander.chunkLimit) {
                let batch = Array(asked[start..<min(start + AudienceExpander.chunkLimit, asked.count)])
                found.formUnion(try MongoExpansion.recipients(of: position, among: batch, in: connection))
                let arrived = try connection.find(
                    .inboxEntries,
                    where: { filter in
                        filter.document("_id") {
                            $0.array("$in") { keys in for user in batch { keys.document { Inbox.key(user, position, &$0) } } }
                        }
                    }
                ) { try Self.user(&$0) }
                found.formUnion(arrived)
            }
            return found
        }
    }

    private static func user(_ reader: inout BSONReader) throws -> UserID {
        var key = try reader.document("_id")
        return try key.id("user_id")
    }

    // MARK: Expanding

    func expandNext() async throws -> Bool {
        try await database.run { connection in
            // Most often there is nothing, and a look is cheaper than a write.
            if try MongoExpansion.all(in: connection).isEmpty { return false }
            // Where others are at work on all there is, it is on its way still.
            _ = try MongoExpansion.advanceFirst(in: connection)
            return true
        }
    }

    func expansions() async throws -> Int {
        try await database.run { try MongoExpansion.all(in: $0).count }
    }

    func notifications(after position: Int64, limit: Int) async throws -> [RecordedNotification] {
        try await database.run { try NotificationStream.tail(after: position, limit: limit, in: $0) }
    }

    // MARK: Purging

    /// The newest of those that go stays as the floor, empty: it holds the position and the ordinal from which the stream goes on. From
    /// that one write on, all below it is gone; the rest is sweeping up.
    func purge(before moment: Timestamp, limit: Int) async throws -> Int {
        try await database.run { connection in
            let old = try Self.old(before: moment, limit: limit, in: connection)
            guard let last = old.last else { return 0 }
            let floor = BSONDocument {
                $0.member("_id", last.position)
                $0.member("ordinal", last.ordinal)
                $0.member("floor", last.position)
            }
            try connection.replaceOne(.notifications, where: { $0.member("_id", last.position) }, floor)
            try connection.deleteMany(.notifications) { $0.document("_id") { $0.member("$lt", last.position) } }
            for collection in [Collection.inboxEntries, .inboxReads] {
                try connection.deleteMany(collection) { $0.document("_id.position") { $0.member("$lte", last.position) } }
            }
            return old.count
        }
    }

    func purgeable(before moment: Timestamp, limit: Int) async throws -> Int {
        try await database.run { try Self.old(before: moment, limit: limit, in: $0).count }
    }

    /// How many notifications from the future may stand in a row.
    private static let uncertainLimit = 100_000

    /// The oldest notifications up to the last that was recorded before a moment. One that is incomplete stays, and with it what came
    /// after. A clock that was ahead once may have recorded any of them in the future: such a time says nothing, the notification goes
    /// with those around it.
    private static func old(before moment: Timestamp, limit: Int, in connection: MongoConnection) throws -> [NotificationStream.Place] {
        let now = Timestamp.now()
        var old: [NotificationStream.Place] = []
        var uncertain: [NotificationStream.Place] = []
        var after: Int64 = 0
        while old.count < limit {
            var isEnd = false
            var count = 0
            _ = try connection.find(
                .notifications, where: { $0.document("_id") { $0.member("$gt", after) } },
                options: {
                    $0.document("sort") { $0.member("_id", 1) }
                    $0.member("limit", 1000)
                    $0.document("projection") {
                        for field in ["recorded_at", "ordinal", "incomplete"] { $0.member(field, 1) }
                    }
                }
            ) { reader -> Bool? in
                count += 1
                after = try reader.counter("_id")
                guard !isEnd, old.count < limit, let recordedAt = try reader.optionalMilliseconds("recorded_at") else { return nil }
                isEnd = try reader.find("incomplete") != nil || (moment.milliseconds...max(moment, now).milliseconds).contains(recordedAt)
                if isEnd { return nil }
                uncertain.append(NotificationStream.Place(position: after, ordinal: try reader.counter("ordinal")))
                if recordedAt < moment.milliseconds {
                    old += uncertain
                    uncertain = []
                }
                return nil
            }
            if isEnd || count < 1000 || uncertain.count > uncertainLimit { break }
        }
        return old
    }
}
