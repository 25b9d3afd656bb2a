import EMSCore

/// How a notification lies in the stream. Its `_id` is its position, `ordinal` counts those for everyone up to it.
///
/// One that is for some users only is `incomplete` (by its position) until all of them have it in their inboxes; until then it also holds
/// whom it is for, so that whoever finds it can go on where another stopped. With a `cursor`, it is on its way to many (see
/// ``MongoExpansion``), and shown to all of them; without, it is shown to nobody, and what comes after it waits.
struct NotificationDocument {
    let position: Int64
    let ordinal: Int64
    let addressed: AddressedNotification
    let recordedAt: Timestamp
    /// Up to which user the inboxes of the event's subscribers hold it, in the order of their ids.
    var cursor: String?

    var isForEveryone: Bool { addressed.audience == .everyone }
    var recorded: RecordedNotification {
        RecordedNotification(position: position, notification: addressed.notification, isForEveryone: isForEveryone)
    }

    var document: BSONDocument { document(isComplete: isForEveryone) }
    /// As it lies there when every inbox has it.
    var completed: BSONDocument { document(isComplete: true) }

    private func document(isComplete: Bool) -> BSONDocument {
        BSONDocument { writer in
            let notification = addressed.notification
            writer.member("_id", position)
            writer.member("id", notification.id)
            writer.member("kind", notification.kind.rawValue)
            if let event = notification.event {
                writer.document("event") {
                    $0.member("id", event.id)
                    $0.member("title", event.title)
                    $0.member("action", event.action)
                }
            }
            if !notification.changes.isEmpty { writer.array("changes", notification.changes) }
            writer.optional("message", notification.message)
            writer.member("actor", notification.actor)
            writer.member("timestamp", notification.timestamp)
            writer.member("recorded_at", recordedAt)
            writer.member("is_for_everyone", isForEveryone)
            writer.member("ordinal", ordinal)
            if !isComplete {
                writer.member("incomplete", position)
                writer.document("audience", audience)
            }
        }
    }

    private func audience(_ writer: inout BSONWriter) {
        switch addressed.audience {
        case .everyone: break
        case .subscribers(let event, let creator):
            writer.member("event_id", event)
            if let creator { writer.member("creator", creator) }
        case .users(let users): writer.array("users", users.lazy.map(\.description))
        }
        writer.member("ends_subscriptions", addressed.endsSubscriptions)
    }

    /// The fields that a read of notifications needs.
    static func projection(_ options: inout BSONWriter) {
        options.document("projection") {
            for field in ["audience", "recorded_at", "cursor", "claimed_until"] { $0.member(field, 0) }
        }
    }

    /// - Returns: `nil` for the floor that a purge leaves.
    static func recorded(_ reader: inout BSONReader) throws -> RecordedNotification? {
        let position = try reader.counter("_id")
        guard let notification = try notification(&reader) else { return nil }
        return RecordedNotification(
            position: position, notification: notification, isForEveryone: try reader.bool("is_for_everyone"))
    }

    static func notification(_ reader: inout BSONReader) throws -> Notification? {
        guard try reader.find("id") != nil else { return nil }
        let id: NotificationID = try reader.id("id")
        let kind: Notification.Kind = try reader.word("kind")
        var event: Notification.EventReference?
        if var stored = try reader.optionalDocument("event") {
            event = .init(id: try stored.id("id"), title: try stored.text("title"), action: try stored.text("action"))
        }
        return Notification(
            id: id, kind: kind, event: event, changes: try reader.find("changes") == nil ? [] : reader.array("changes") { $0.text },
            message: try reader.optionalText("message"), actor: try reader.text("actor"), timestamp: try reader.date("timestamp"))
    }

    /// One that is incomplete, with whom it is for.
    static func incomplete(_ reader: inout BSONReader) throws -> NotificationDocument? {
        let position = try reader.counter("_id")
        guard let notification = try notification(&reader) else { return nil }
        let recordedAt = try reader.date("recorded_at")
        let ordinal = try reader.integer("ordinal")
        guard try reader.find("incomplete") != nil, var stored = try reader.optionalDocument("audience") else { return nil }
        let audience: Notification.Audience
        if let event = try stored.optionalText("event_id") {
            guard let event = EventID(event) else { throw BSONReader.damaged("'event_id' is no id") }
            audience = .subscribers(of: event, creator: try stored.optionalText("creator").flatMap { UserID($0) })
        } else {
            audience = .users(try stored.array("users") { $0.text.flatMap { UserID($0) } })
        }
        return NotificationDocument(
            position: position, ordinal: ordinal,
            addressed: AddressedNotification(
                notification: notification, audience: audience, endsSubscriptions: try stored.flag("ends_subscriptions")),
            recordedAt: recordedAt, cursor: try reader.optionalText("cursor"))
    }
}
