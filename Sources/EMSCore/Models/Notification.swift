public typealias NotificationID = ID<Notification>

/// What a user gets to see of a change, or what an operator sent. One notification is one record, whoever sees it.
public struct Notification: Sendable, Equatable {
    public enum Kind: String, CaseIterable, Sendable {
        case eventCreated = "event.created"
        /// An update that is none of the following three.
        case eventUpdated = "event.updated"
        case eventCanceled = "event.canceled"
        /// It begins or ends at another time.
        case eventRescheduled = "event.rescheduled"
        /// It takes place somewhere else.
        case eventMoved = "event.moved"
        case eventDeleted = "event.deleted"
        case eventReminder = "event.reminder"
        case message = "operator.message"
    }

    /// The event as it was called then.
    public struct EventReference: Sendable, Equatable {
        public let id: EventID
        public let title: String
        public let action: String

        public init(id: EventID, title: String, action: String) {
            self.id = id
            self.title = title
            self.action = action
        }
    }

    /// Who sees it.
    public enum Audience: Sendable, Equatable {
        /// All users, present when it was recorded or not yet registered then being left out: stored once.
        case everyone
        /// The subscribers of the event at the time of recording, and its creator.
        case subscribers(of: EventID, creator: UserID?)
        case users([UserID])
    }

    public let id: NotificationID
    public let kind: Kind
    public let event: EventReference?
    /// The names of the event's fields that an update changed.
    public let changes: [String]
    /// What an operator wrote.
    public let message: String?
    /// The name of who did it.
    public let actor: String
    public let timestamp: Timestamp

    public init(
        id: NotificationID = NotificationID(), kind: Kind, event: EventReference? = nil, changes: [String] = [], message: String? = nil,
        actor: String, timestamp: Timestamp
    ) {
        self.id = id
        self.kind = kind
        self.event = event
        self.changes = changes
        self.message = message
        self.actor = actor
        self.timestamp = timestamp
    }
}

extension Notification: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        writer.object { encodeMembers(to: &$0) }
    }

    /// Reads what ``encode(to:)`` wrote.
    /// - Throws: ``EMSError`` that says what is wrong with it.
    public init(_ json: JSONValue) throws {
        var fields = JSONFields(json, at: ["notification"])
        let id = fields.requiredString("notification_id")
        let kind = fields.requiredString("notification_type")
        let changes = fields.strings("changes") ?? []
        let message = fields.string("message")
        let actor = fields.requiredString("user")
        let timestamp = fields.requiredTimestamp("timestamp")
        try fields.finish()
        guard let id = NotificationID(id), let kind = Kind(rawValue: kind) else {
            throw EMSError(.invalid, "no known notification: type \(Printable.quoted(kind)), id \(Printable.quoted(id))")
        }
        var event: EventReference?
        if let json = json["event"], json != .null {
            var fields = JSONFields(json, at: ["notification", "event"])
            let (id, title, action) = (fields.requiredString("id"), fields.requiredString("title"), fields.requiredString("action"))
            try fields.finish()
            guard let id = EventID(id) else { throw EMSError.invalid("id", "must be 32 hex characters", in: "event") }
            event = EventReference(id: id, title: title, action: action)
        }
        self.init(id: id, kind: kind, event: event, changes: changes, message: message, actor: actor, timestamp: timestamp)
    }

    fileprivate func encodeMembers(to writer: inout JSONWriter) {
        writer.member("type", "notification")
        writer.member("notification_id", id.description)
        writer.member("notification_type", kind.rawValue)
        if let event {
            writer.name("event")
            writer.object {
                $0.member("id", event.id.description)
                $0.member("title", event.title)
                $0.member("action", event.action)
                $0.member("timestamp", timestamp.description)
            }
        }
        if !changes.isEmpty { writer.member("changes", changes) }
        if let message { writer.member("message", message) }
        writer.member("user", actor)
        writer.member("timestamp", timestamp.description)
    }
}

/// A notification at its place in the stream of all notifications.
public struct RecordedNotification: Sendable, Equatable {
    /// Grows with every recorded notification; what has a higher position became visible later.
    public let position: Int64
    public let notification: Notification
    public let isForEveryone: Bool

    public init(position: Int64, notification: Notification, isForEveryone: Bool) {
        self.position = position
        self.notification = notification
        self.isForEveryone = isForEveryone
    }
}

/// A notification in one user's inbox.
public struct InboxEntry: Sendable, Equatable, JSONEncodable {
    public let position: Int64
    public let notification: Notification
    public let isRead: Bool

    public init(position: Int64, notification: Notification, isRead: Bool) {
        self.position = position
        self.notification = notification
        self.isRead = isRead
    }

    public func encode(to writer: inout JSONWriter) {
        writer.object {
            notification.encodeMembers(to: &$0)
            $0.member("is_read", isRead)
        }
    }
}
