import EMSCore
import Logging

/// Makers of what the cases store.
public enum Samples {
    /// A moment well before everything that happens in a case, and a whole second.
    public static let epoch = Timestamp(milliseconds: 1_900_000_000_000)

    /// The moment so many hours after ``epoch``.
    public static func hour(_ count: Int) -> Timestamp {
        epoch.adding(seconds: Int64(count) * 3600)
    }

    public static func user(_ username: String, email: String? = nil, role: Role = .user, isActive: Bool = true) -> User {
        User(
            username: username, email: email ?? "\(username)@example.com", fullName: "Ms \(username)", role: role, isActive: isActive,
            createdAt: epoch)
    }

    /// - Parameter start: when it starts, in hours after ``epoch``; it takes an hour.
    public static func event(
        _ title: String = "Concert", id: EventID = EventID(), description: String = "", location: String = "", start: Int = 1,
        by creator: String = "operator:root", tags: [String] = [], status: Event.Status = .scheduled, at place: Coordinates? = nil,
        createdAt: Timestamp = epoch
    ) -> Event {
        Event(
            id: id, title: title, description: description, location: location, startTime: hour(start), endTime: hour(start + 1),
            createdBy: creator, tags: tags, status: status, coordinates: place, createdAt: createdAt)
    }

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    public static func change(_ action: Change.Action, _ event: Event, actor: String = "root", at moment: Timestamp = epoch) -> Change {
        Change(id: ChangeID(), action: action, event: event, actor: actor, timestamp: moment)
    }

    /// The creation, or the latest update, of an event that is imported without notifications.
    public static func quietChange(_ event: Event) -> Change {
        let operators = Principal(.operator("root"), via: ChangeSource(.import))
        guard event.version > 1 else { return .created(event, by: operators, at: epoch, isQuiet: true) }
        return .updated(event, to: event, by: operators, at: epoch, isQuiet: true)
    }

    /// The event's next version.
    public static func edited(_ event: Event, _ edit: (inout Event) -> Void = { $0.title += "!" }) -> Event {
        var event = event
        edit(&event)
        event.version += 1
        event.updatedAt = event.updatedAt.adding(seconds: 1)
        return event
    }

    /// What the creation of an event tells everyone.
    public static func created(_ event: Event = event()) -> AddressedNotification {
        AddressedNotification(
            notification: Notification(
                kind: .eventCreated, event: .init(id: event.id, title: event.title, action: "created"), actor: "root", timestamp: epoch),
            audience: .everyone)
    }

    /// What an update or a deletion tells the subscribers and the creator.
    public static func followUp(_ kind: Notification.Kind, _ event: Event) -> AddressedNotification {
        let action = kind == .eventDeleted ? "deleted" : "updated"
        return AddressedNotification(
            notification: Notification(
                kind: kind, event: .init(id: event.id, title: event.title, action: action),
                changes: kind == .eventDeleted ? [] : ["title", "tags"], actor: "root", timestamp: epoch),
            audience: .subscribers(of: event.id, creator: UserID(event.createdBy)), endsSubscriptions: kind == .eventDeleted)
    }

    /// A message of an operator's.
    public static func message(_ text: String, to audience: Notification.Audience) -> AddressedNotification {
        AddressedNotification(
            notification: Notification(kind: .message, message: text, actor: "root", timestamp: epoch), audience: audience)
    }

    public static func brokerMessage(_ text: String = "{}") -> BrokerMessage {
        BrokerMessage(messageID: ChangeID().description, routingKey: "event.created", body: Array(text.utf8))
    }

    public static func session(of user: UserID, label: String = "login", at moment: Timestamp = epoch, lifetime: Int64 = 3600) -> Session {
        Session(userID: user, label: label, createdAt: moment, expiresAt: moment.adding(seconds: lifetime))
    }

    public static func refreshToken(_ number: UInt8, of session: Session, expiresAt: Timestamp? = nil) -> RefreshTokenRecord {
        RefreshTokenRecord(
            digest: [UInt8](repeating: number, count: 32), sessionID: session.id, expiresAt: expiresAt ?? session.expiresAt)
    }
}

extension StoreFixture {
    /// Stores a user, with a hash that opens nothing.
    @discardableResult
    func add(_ user: User) async throws -> User {
        try await stores.users.insert(user, passwordHash: "hash of \(user.username)")
        return user
    }

    /// Stores an event with its change.
    @discardableResult
    func add(_ event: Event) async throws -> Event {
        _ = try await stores.events.insert(event, change: Samples.change(.created, event), idempotency: nil)
        return event
    }

    /// Records one notification, which must be new.
    @discardableResult
    func record(_ notification: AddressedNotification) async throws -> RecordedNotification {
        guard let recorded = try await stores.notifications.record([notification]).first else {
            throw EMSError(.failed, "the notification was known already")
        }
        return recorded
    }
}
