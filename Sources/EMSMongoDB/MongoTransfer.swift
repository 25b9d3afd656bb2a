import EMSCore

/// MongoDB as the source or target of a copy.
public struct MongoTransfer: StoreTransfer {
    private let database: MongoDatabase

    public init(database: MongoDatabase) {
        self.database = database
    }

    // MARK: Reading

    public func records(_ kind: StoreRecord.Kind, after: StoreRecord?, limit: Int) async throws -> [StoreRecord] {
        try await database.run { connection in
            switch kind {
            case .users:
                try Self.page(.users, after, limit, in: connection) { try Self.user(&$0) }
            case .sessions:
                try Self.page(.sessions, after, limit, in: connection) { .session(try MongoTokenStore.session(&$0)) }
            case .refreshTokens:
                try Self.page(.refreshTokens, after, limit, in: connection) { try Self.refreshToken(&$0) }
            case .events:
                try Self.page(.events, after, limit, in: connection) { try EventDocument.living(&$0).map { .event($0) } }
            case .idempotencyKeys: try Self.idempotencyKeys(after, limit, in: connection)
            case .subscriptions:
                try Self.page(.subscriptions, after, limit, in: connection) { try Self.subscription(&$0) }
            case .notifications:
                try Self.page(.notifications, after, limit, in: connection) { try Self.notification(&$0) }
            case .inboxEntries:
                try Self.page(.inboxEntries, after, limit, in: connection) { try Self.entry(&$0) }
            case .inboxReads: try Self.reads(after, limit, in: connection)
            case .journalTexts: try Self.texts(after, limit, in: connection)
            case .journal: try Self.entries(after, limit, in: connection)
            }
        }
    }

    /// Documents in the order of `_id`. Those that are no record of their own (tombstones, floors) do not count: the page is read on.
    private static func page(
        _ collection: Collection, _ after: StoreRecord?, _ limit: Int, in connection: MongoConnection,
        _ convert: (inout BSONReader) throws -> StoreRecord?
    ) throws -> [StoreRecord] {
        var extra = 0
        while true {
            var looked = 0
            let records = try connection.find(
                collection, where: { filter in if let after { filter.document("_id") { beyond(after, &$0) } } },
                options: {
                    $0.document("sort") { $0.member("_id", 1) }
                    $0.member("limit", limit + extra)
                    $0.member("hint", "_id_")
                }
            ) { reader -> StoreRecord? in
                looked += 1
                return try convert(&reader)
            }
            if records.count >= limit || looked < limit + extra { return Array(records.prefix(limit)) }
            extra += looked - records.count + limit
        }
    }

    private static func beyond(_ record: StoreRecord, _ writer: inout BSONWriter) {
        switch record {
        case .user(let user, _, _): writer.member("$gt", user.id)
        case .session(let session): writer.member("$gt", session.id)
        case .refreshToken(let token, _): writer.member("$gt", binary: token.digest)
        case .event(let event): writer.member("$gt", event.id)
        case .subscription(let subscription):
            writer.document("$gt") { MongoSubscriptionStore.key(subscription.userID, subscription.eventID, &$0) }
        case .notification(let recorded, _, _): writer.member("$gt", recorded.position)
        case .inboxEntry(let user, let position), .inboxRead(let user, let position):
            writer.document("$gt") { Inbox.key(user, position, &$0) }
        case .journalText(let reference, _, _): writer.member("$gt", reference)
        case .journalEntry(let entry): writer.member("$gt", entry.position)
        case .idempotencyKey: preconditionFailure("keys are not read by _id")
        }
    }

    private static func texts(_ after: StoreRecord?, _ limit: Int, in connection: MongoConnection) throws -> [StoreRecord] {
        // With what is pending there come texts.
        if after == nil { try MongoChangeOutbox.enterPending(of: nil, nil, in: connection) }
        return try page(.journalTexts, after, limit, in: connection) { reader in
            let reference = try reader.text("_id")
            let text = PersonalText(person: try reader.text("person"), value: try reader.text("value"))
            return .journalText(reference: reference, text, salt: try reader.binary("salt"))
        }
    }

    private static func entries(_ after: StoreRecord?, _ limit: Int, in connection: MongoConnection) throws -> [StoreRecord] {
        var position: Int64 = 0
        if case .journalEntry(let last)? = after { position = last.position }
        return try MongoJournal.stored(after: position, limit: limit, in: connection).map { .journalEntry($0) }
    }

    private static func user(_ reader: inout BSONReader) throws -> StoreRecord? {
        guard let user = try MongoUserStore.living(&reader) else { return nil }
        let passwordHash = try reader.text("password_hash")
        var inbox = try reader.document("inbox")
        let state = try InboxState(&inbox)
        return .user(user, passwordHash: passwordHash, inbox: InboxPlaces(from: state.from.neutral, read: state.read.neutral))
    }

    private static func refreshToken(_ reader: inout BSONReader) throws -> StoreRecord {
        let digest = try reader.binary("_id")
        let token = RefreshTokenRecord(digest: digest, sessionID: try reader.id("session_id"), expiresAt: try reader.date("expires_at"))
        return .refreshToken(token, usedAt: try reader.optionalDate("used_at"))
    }

    private static func subscription(_ reader: inout BSONReader) throws -> StoreRecord? {
        if try reader.flag("is_ended") { return nil }
        var key = try reader.document("_id")
        let user: UserID = try key.id("user_id")
        return .subscription(Subscription(eventID: try key.id("event_id"), userID: user, createdAt: try reader.date("created_at")))
    }

    private static func notification(_ reader: inout BSONReader) throws -> StoreRecord? {
        guard let recorded = try NotificationDocument.recorded(&reader) else { return nil }
        return .notification(recorded, ordinal: try reader.counter("ordinal"), recordedAt: try reader.date("recorded_at"))
    }

    private static func entry(_ reader: inout BSONReader) throws -> StoreRecord {
        var key = try reader.document("_id")
        let user: UserID = try key.id("user_id")
        return .inboxEntry(user, position: try key.counter("position"))
    }

    private static func idempotencyKeys(_ after: StoreRecord?, _ limit: Int, in connection: MongoConnection) throws -> [StoreRecord] {
        try connection.find(
            .events,
            where: { filter in
                filter.document("idempotency.key") { $0.member("$exists", true) }
                guard case .idempotencyKey(let key, _, _)? = after else { return }
                filter.array("$or") { either in
                    either.document { $0.document("idempotency.owner") { $0.member("$gt", key.owner) } }
                    either.document {
                        $0.member("idempotency.owner", key.owner)
                        $0.document("idempotency.key") { $0.member("$gt", key.key) }
                    }
                }
            },
            options: {
                $0.document("sort") {
                    $0.member("idempotency.owner", 1)
                    $0.member("idempotency.key", 1)
                }
                $0.member("limit", limit)
                $0.member("hint", "events_idempotency")
            }
        ) { reader in
            let event: EventID = try reader.id("_id")
            var stored = try reader.document("idempotency")
            let key = IdempotencyKey(
                owner: try stored.text("owner"), key: try stored.text("key"), fingerprint: try stored.binary("fingerprint"))
            return .idempotencyKey(key, event: event, createdAt: try stored.date("created_at"))
        }
    }

    /// What users read one by one: partly in their own documents, partly in documents apart.
    private static func reads(_ after: StoreRecord?, _ limit: Int, in connection: MongoConnection) throws -> [StoreRecord] {
        // Where to go on: within the user of the last record; or, without a position, behind the user.
        var (user, position): (String, Int64?) = ("", nil)
        if case .inboxRead(let id, let place)? = after { (user, position) = (id.description, place) }
        // What was purged is of no notification any more.
        let floor = try NotificationStream.floor(in: connection).position
        var reads: [StoreRecord] = []
        while reads.count < limit {
            let isWithin = position != nil
            let states = try connection.find(
                .users, where: { $0.document("_id") { $0.member(isWithin ? "$gte" : "$gt", user) } },
                options: {
                    $0.document("sort") { $0.member("_id", 1) }
                    $0.member("limit", limit)
                    $0.document("projection") { $0.member("inbox", 1) }
                    $0.member("hint", "_id_")
                }
            ) { reader -> (id: UserID, state: InboxState) in
                let id: UserID = try reader.id("_id")
                var inbox = try reader.document("inbox")
                return (id, try InboxState(&inbox))
            }
            for (id, state) in states where reads.count < limit {
                let start = max(state.read.position, floor, id.description == user ? position ?? 0 : 0)
                var marks = Set(state.marks.filter { $0 > start })
                if state.hasSpilled {
                    marks.formUnion(
                        try connection.find(
                            .inboxReads, where: { Inbox.range(id, after: start, through: .max, &$0) },
                            options: { $0.member("hint", "_id_") }, Inbox.position))
                }
                reads += marks.sorted().map { .inboxRead(id, position: $0) }
            }
            guard let last = states.last, states.count == limit else { break }
            (user, position) = (last.id.description, nil)
        }
        return Array(reads.prefix(limit))
    }

    // MARK: Writing

    /// Most often nothing of a batch is there yet, and one insert stores it; otherwise each record replaces what there is.
    public func put(_ kind: StoreRecord.Kind, _ records: [StoreRecord]) async throws {
        try await database.run { connection in
            // Where an entry is another, all later ones are: each has the hash of the one before it.
            if case .journalEntry(let first)? = records.first {
                try connection.deleteMany(.journal) { $0.document("_id") { $0.member("$gte", first.position) } }
            }
            let writes = records.map(Self.write)
            guard let collection = writes.first?.collection else { return }
            if kind != .idempotencyKeys {
                do {
                    return try connection.insert(collection, writes.map(\.document), ordered: false)
                } catch is DuplicateKey {
                    // One by one, to see which.
                }
            }
            for (record, write) in zip(records, writes) { try Self.replace(record, write, in: connection) }
        }
    }

    /// A record as a document, and by what it is found.
    private struct Write {
        let collection: Collection
        let document: BSONDocument
        let filter: (inout BSONWriter) -> Void
    }

    private static func replace(_ record: StoreRecord, _ write: Write, in connection: MongoConnection) throws {
        switch record {
        case .user(let user, _, _):
            try MongoUserStore.refusingDuplicates(of: user) {
                try connection.replaceOne(write.collection, where: write.filter, write.document, upsert: true)
            }
        case .idempotencyKey:
            // A part of its event; where that is gone, a tombstone holds it.
            let updated = try connection.updateOne(
                write.collection, where: write.filter, { $0.member("$set", write.document) })
            if updated.matched > 0 { return }
            try connection.updateOne(
                write.collection, where: write.filter,
                { update in
                    update.document("$set") {
                        $0.members(of: write.document)
                        $0.member("is_deleted", true)
                    }
                }, options: { $0.member("upsert", true) })
        case .event(let event):
            do {
                try connection.replaceOne(write.collection, where: write.filter, write.document, upsert: true)
            } catch is DuplicateKey {
                throw StoreRecord.twin(of: event)
            }
        case .journalText(_, let text, _):
            // The same text may be there with a salt of its own.
            try connection.deleteMany(.journalTexts) {
                $0.member("person", text.person)
                $0.member("value", text.value)
            }
            try connection.replaceOne(write.collection, where: write.filter, write.document, upsert: true)
        default: try connection.replaceOne(write.collection, where: write.filter, write.document, upsert: true)
        }
    }

    private static func write(_ record: StoreRecord) -> Write {
        switch record {
        case .user(let user, let passwordHash, let inbox):
            // Sums that are not known yet are made at the first look.
            var state = InboxState(from: NotificationStream.Place(inbox.from))
            state.read = NotificationStream.Place(inbox.read)
            (state.hasSpilled, state.singlyFloor, state.ownFloor) = (true, -1, -1)
            return Write(collection: .users, document: MongoUserStore.document(user, passwordHash: passwordHash, inbox: state)) {
                $0.member("_id", user.id)
            }
        case .session(let session):
            return Write(collection: .sessions, document: MongoTokenStore.document(session)) { $0.member("_id", session.id) }
        case .refreshToken(let token, let usedAt):
            return Write(collection: .refreshTokens, document: MongoTokenStore.document(token, usedAt: usedAt)) {
                $0.member("_id", binary: token.digest)
            }
        case .event(let event):
            return Write(collection: .events, document: EventDocument.make(event, change: nil, idempotency: nil)) {
                $0.member("_id", event.id)
            }
        case .idempotencyKey(let key, let event, let createdAt):
            let document = BSONDocument { $0.document("idempotency") { EventDocument.idempotency(key, at: createdAt, to: &$0) } }
            return Write(collection: .events, document: document) { $0.member("_id", event) }
        case .subscription(let subscription):
            return Write(collection: .subscriptions, document: MongoSubscriptionStore.document(subscription, since: 0)) {
                $0.document("_id") { MongoSubscriptionStore.key(subscription.userID, subscription.eventID, &$0) }
            }
        case .notification(let recorded, let ordinal, let recordedAt):
            let audience: Notification.Audience = recorded.isForEveryone ? .everyone : .users([])
            let document = NotificationDocument(
                position: recorded.position, ordinal: ordinal,
                addressed: AddressedNotification(notification: recorded.notification, audience: audience), recordedAt: recordedAt)
            return Write(collection: .notifications, document: document.completed) { $0.member("_id", recorded.position) }
        case .inboxEntry(let user, let position): return pair(.inboxEntries, user, position)
        case .inboxRead(let user, let position): return pair(.inboxReads, user, position)
        case .journalText(let reference, let text, let salt):
            return Write(collection: .journalTexts, document: MongoJournal.document(text, as: reference, salt: salt)) {
                $0.member("_id", reference)
            }
        case .journalEntry(let entry):
            return Write(collection: .journal, document: MongoJournal.document(entry)) { $0.member("_id", entry.position) }
        }
    }

    private static func pair(_ collection: Collection, _ user: UserID, _ position: Int64) -> Write {
        let document = BSONDocument { $0.document("_id") { Inbox.key(user, position, &$0) } }
        return Write(collection: collection, document: document) { $0.members(of: document) }
    }

    // MARK: The stream

    public func streamExtent() async throws -> StreamExtent {
        try await database.run { connection in
            let extent = try NotificationStream.extent(in: connection)
            return StreamExtent(floor: extent.floor.neutral, end: extent.end.neutral)
        }
    }

    public func finish(_ extent: StreamExtent) async throws {
        try await database.run { connection in
            guard extent.floor.position > 0 else { return }
            let floor = BSONDocument {
                $0.member("_id", extent.floor.position)
                $0.member("ordinal", extent.floor.ordinal)
                $0.member("floor", extent.floor.position)
            }
            try connection.replaceOne(.notifications, where: { $0.member("_id", extent.floor.position) }, floor, upsert: true)
        }
    }
}

extension NotificationStream.Place {
    var neutral: StreamPlace { StreamPlace(position: position, ordinal: ordinal) }

    init(_ place: StreamPlace) {
        self.init(position: place.position, ordinal: place.ordinal)
    }
}
