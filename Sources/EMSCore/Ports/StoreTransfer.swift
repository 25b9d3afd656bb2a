/// Everything a store keeps, record by record: what a copy into another kind of store reads and writes.
///
/// Not part of it is what is on its way: pending changes and the messages of the broker.
public protocol StoreTransfer: Sendable {
    /// The records of a kind in the order of their keys, which is the same in every store.
    /// - Parameter after: the last record that was read; `nil` for the beginning.
    func records(_ kind: StoreRecord.Kind, after: StoreRecord?, limit: Int) async throws -> [StoreRecord]
    /// Stores records of one kind as they are; one that is there already is replaced. Doing it twice does no harm.
    func put(_ kind: StoreRecord.Kind, _ records: [StoreRecord]) async throws
    /// Where the stream of notifications begins and ends.
    func streamExtent() async throws -> StreamExtent
    /// Sets where the stream begins and ends, and makes the sums that follow from what was put.
    func finish(_ extent: StreamExtent) async throws
}

/// One record of a store, in no store's own form.
public enum StoreRecord: Sendable, Equatable {
    case user(User, passwordHash: String, inbox: InboxPlaces)
    case session(Session)
    case refreshToken(RefreshTokenRecord, usedAt: Timestamp?)
    case event(Event)
    case idempotencyKey(IdempotencyKey, event: EventID, createdAt: Timestamp)
    case subscription(Subscription)
    /// `ordinal`: how many notifications for everyone there are up to this one.
    case notification(RecordedNotification, ordinal: Int64, recordedAt: Timestamp)
    /// A notification, by its position, that is for this user and some others.
    case inboxEntry(UserID, position: Int64)
    /// A notification that the user has read, beyond what is read as a whole.
    case inboxRead(UserID, position: Int64)
    /// A name or an address of a person, which entries of the journal refer to.
    case journalText(reference: String, PersonalText, salt: [UInt8])
    case journalEntry(StoredEntry)

    /// Both stores brought in the same record, each as an event of its own.
    public static func twin(of event: Event) -> EMSError {
        EMSError(
            .exists, "the target holds another event that was imported from the same record as \(event.id)",
            fix: "copy into an empty store, or delete that event there")
    }

    /// In the order in which a copy writes them: what is referred to comes first.
    public enum Kind: String, CaseIterable, Sendable {
        case users, sessions
        case refreshTokens = "refresh_tokens"
        case events
        case idempotencyKeys = "idempotency_keys"
        case subscriptions, notifications
        case inboxEntries = "inbox_entries"
        case inboxReads = "inbox_reads"
        case journalTexts = "journal_texts"
        case journal
    }
}

/// From where everyone's notifications are a user's too, and up to where all is read; each as a position and the ordinal there.
public struct InboxPlaces: Sendable, Equatable {
    public let from: StreamPlace
    public let read: StreamPlace

    public init(from: StreamPlace, read: StreamPlace) {
        self.from = from
        self.read = read
    }
}

/// A place in the stream of notifications, and how many for everyone there were up to it.
public struct StreamPlace: Sendable, Equatable {
    public let position: Int64
    public let ordinal: Int64

    public init(position: Int64, ordinal: Int64) {
        self.position = position
        self.ordinal = ordinal
    }
}

/// Up to where notifications were purged, and the last place there is.
public struct StreamExtent: Sendable, Equatable {
    public let floor: StreamPlace
    public let end: StreamPlace

    public init(floor: StreamPlace, end: StreamPlace) {
        self.floor = floor
        self.end = end
    }
}

extension StoreRecord {
    /// Whether it comes after another of its kind in the order of the keys. A read that does not advance in this order is of a damaged
    /// store, and would never end.
    func comes(after other: StoreRecord) -> Bool {
        switch (self, other) {
        case (.user(let left, _, _), .user(let right, _, _)): left.id > right.id
        case (.session(let left), .session(let right)): left.id > right.id
        case (.refreshToken(let left, _), .refreshToken(let right, _)): right.digest.lexicographicallyPrecedes(left.digest)
        case (.event(let left), .event(let right)): left.id > right.id
        case (.idempotencyKey(let left, _, _), .idempotencyKey(let right, _, _)):
            Array(right.owner.utf8) == Array(left.owner.utf8)
                ? right.key.utf8.lexicographicallyPrecedes(left.key.utf8) : right.owner.utf8.lexicographicallyPrecedes(left.owner.utf8)
        case (.subscription(let left), .subscription(let right)): (left.userID, left.eventID) > (right.userID, right.eventID)
        case (.notification(let left, _, _), .notification(let right, _, _)): left.position > right.position
        case (.inboxEntry(let left, let position), .inboxEntry(let right, let other)),
            (.inboxRead(let left, let position), .inboxRead(let right, let other)):
            (left, position) > (right, other)
        case (.journalText(let left, _, _), .journalText(let right, _, _)): left > right
        case (.journalEntry(let left), .journalEntry(let right)): left.position > right.position
        default: false
        }
    }
}

extension StoreRecord: JSONEncodable {
    /// The form whose digest is compared: every field that counts.
    public func encode(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .user(let user, let passwordHash, let inbox):
                writer.member("user", user)
                writer.member("version", user.version)
                writer.member("password_hash", passwordHash)
                for (name, place) in [("from", inbox.from), ("read", inbox.read)] {
                    writer.member(name, "\(place.position).\(place.ordinal)")
                }
            case .session(let session): writer.member("session", session)
            case .refreshToken(let token, let usedAt):
                writer.member("digest", Self.hex(token.digest))
                writer.member("session_id", token.sessionID.description)
                writer.member("expires_at", token.expiresAt.description)
                writer.member("used_at", usedAt?.description)
            case .event(let event):
                writer.member("event", event)
                if let origin = event.origin { writer.member("origin", origin) }
                writer.member("import_key", event.importKey.map { Self.hex($0.bytes) })
            case .idempotencyKey(let key, let event, let createdAt):
                writer.member("owner", key.owner)
                writer.member("key", key.key)
                writer.member("fingerprint", Self.hex(key.fingerprint))
                writer.member("event_id", event.description)
                writer.member("created_at", createdAt.description)
            case .subscription(let subscription): writer.member("subscription", subscription)
            case .notification(let recorded, let ordinal, let recordedAt):
                writer.member("position", Int(recorded.position))
                writer.member("notification", recorded.notification)
                writer.member("is_for_everyone", recorded.isForEveryone)
                writer.member("ordinal", Int(ordinal))
                writer.member("recorded_at", recordedAt.description)
            case .inboxEntry(let user, let position), .inboxRead(let user, let position):
                writer.member("user_id", user.description)
                writer.member("position", Int(position))
            case .journalText(let reference, let text, let salt):
                writer.member("reference", reference)
                writer.member("person", text.person)
                writer.member("value", text.value)
                writer.member("salt", Self.hex(salt))
            case .journalEntry(let entry):
                writer.member("position", entry.position)
                writer.member("entry", entry.sealed.canonical.text)
                writer.member("hash", Self.hex(entry.hash))
                writer.member("keys", entry.keys)
            }
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
