/// An entry of the journal, with the names and addresses of persons in it.
public struct JournalEntry: Sendable, Equatable {
    public let position: Int64
    public let change: Change
    public let hash: JournalHash

    public init(position: Int64, change: Change, hash: JournalHash) {
        self.position = position
        self.change = change
        self.hash = hash
    }
}

extension JournalEntry: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("position", position)
            writer.member("change_id", change.id.description)
            change.encodeMembers(to: &writer)
            writer.member("hash", hash.description)
        }
    }
}

/// Which entries are wanted, and from where on.
public struct JournalQuery: Sendable, Equatable {
    public enum Order: Sendable {
        case newestFirst, oldestFirst
    }

    /// Whether the entries come in the order of their times, along an index of those, and not of their positions. The two differ where the
    /// clock was set back.
    public var isByTime: Bool { (since != nil || until != nil) && subject == nil && actor == nil }

    /// What the entries are about: its kind, its id, or both.
    public var kind: Subject.Kind?
    public var subject: String?
    /// The id of who did it.
    public var actor: String?
    public var action: Change.Action?
    /// The subject's version after the change.
    public var version: Int?
    public var since: Timestamp?
    public var until: Timestamp?
    public var order: Order
    /// Only entries beyond this position: below it if the newest come first.
    public var after: Int64?
    public var limit: Int

    public init(
        kind: Subject.Kind? = nil, subject: String? = nil, actor: String? = nil, action: Change.Action? = nil, version: Int? = nil,
        since: Timestamp? = nil,
        until: Timestamp? = nil, order: Order = .newestFirst, after: Int64? = nil, limit: Int
    ) {
        self.kind = kind
        self.subject = subject
        self.actor = actor
        self.action = action
        self.version = version
        self.since = since
        self.until = until
        self.order = order
        self.after = after
        self.limit = limit
    }
}

/// What entries are about, as people write it: a kind (`event`), an id, or both (`event:<id>`).
public struct SubjectFilter: Sendable, Equatable {
    public let kind: Subject.Kind?
    public let id: String?

    /// - Returns: `nil` if it is empty, or names a kind that there is not.
    public init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        if let kind = Subject.Kind(rawValue: text) {
            (self.kind, id) = (kind, nil)
        } else if let colon = text.firstIndex(of: ":") {
            let name = text[text.index(after: colon)...]
            guard let kind = Subject.Kind(rawValue: String(text[..<colon])), !name.isEmpty else { return nil }
            (self.kind, id) = (kind, String(name))
        } else {
            (kind, id) = (nil, text)
        }
    }
}

/// An entry as it is stored: nothing of it is certain before it was verified.
public struct StoredEntry: Sendable, Equatable {
    public let position: Int64
    public let sealed: SealedChange
    public let hash: [UInt8]
    public let keys: JournalKeys

    public init(position: Int64, sealed: SealedChange, hash: [UInt8], keys: JournalKeys) {
        self.position = position
        self.sealed = sealed
        self.hash = hash
        self.keys = keys
    }
}

/// What an entry is found by, stored beside it.
public struct JournalKeys: Sendable, Equatable {
    public let changeID: String
    public let kind: String
    public let subject: String
    public let action: String
    public let version: Int64
    public let actor: String?
    public let timestamp: Timestamp

    public init(
        changeID: String, kind: String, subject: String, action: String, version: Int64, actor: String?, timestamp: Timestamp
    ) {
        self.changeID = changeID
        self.kind = kind
        self.subject = subject
        self.action = action
        self.version = version
        self.actor = actor
        self.timestamp = timestamp
    }

    public init(_ change: Change) {
        self.init(
            changeID: change.id.description, kind: change.subject.kind.rawValue, subject: change.subject.id,
            action: change.action.rawValue, version: Int64(change.version), actor: change.actor.id, timestamp: change.timestamp)
    }
}

extension JournalKeys: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("change_id", changeID)
            $0.member("subject_type", kind)
            $0.member("subject_id", subject)
            $0.member("action", action)
            $0.member("version", version)
            $0.member("actor_id", actor)
            $0.member("timestamp", timestamp.description)
        }
    }
}
