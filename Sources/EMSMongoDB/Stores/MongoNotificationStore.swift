import EMSCore

/// Inboxes on the stream of notifications: what is for everyone is one document, what is read up to a point is a number.
struct MongoNotificationStore: NotificationStore {
    let database: MongoDatabase

    func record(_ notifications: [AddressedNotification]) async throws -> [RecordedNotification] {
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

    func recipients(of position: Int64) async throws -> Set<UserID> {
        try await database.run { connection in
            let users = try connection.find(
                .inboxEntries, where: { $0.member("_id.position", position) }, options: { $0.member("hint", "inbox_entries_position") }
            ) { reader in
                var key = try reader.document("_id")
                return try key.id("user_id") as UserID
            }
            return Set(users)
        }
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

    /// The oldest notifications that were recorded before a moment. One that is incomplete stays, and with it what came after.
    private static func old(before moment: Timestamp, limit: Int, in connection: MongoConnection) throws -> [NotificationStream.Place] {
        var old: [NotificationStream.Place] = []
        var after: Int64 = 0
        while old.count < limit {
            let step = min(1000, limit - old.count)
            var isEnd = false
            var count = 0
            let batch = try connection.find(
                .notifications, where: { $0.document("_id") { $0.member("$gt", after) } },
                options: {
                    $0.document("sort") { $0.member("_id", 1) }
                    $0.member("limit", step)
                    $0.document("projection") {
                        for field in ["recorded_at", "ordinal", "incomplete"] { $0.member(field, 1) }
                    }
                }
            ) { reader -> NotificationStream.Place? in
                count += 1
                after = try reader.integer("_id")
                guard !isEnd, let recordedAt = try reader.optionalDate("recorded_at") else { return nil }
                isEnd = try recordedAt >= moment || reader.find("incomplete") != nil
                return isEnd ? nil : NotificationStream.Place(position: after, ordinal: try reader.integer("ordinal"))
            }
            old += batch
            if isEnd || count < step { break }
        }
        return old
    }
}
