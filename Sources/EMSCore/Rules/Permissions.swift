/// What one may be allowed to do, apart from what everybody may who is logged in.
public enum Permission: String, CaseIterable, Sendable {
    case createEvents = "events:create"
    /// Also what others have created. One's own events everybody changes and deletes.
    case changeAnyEvent = "events:change-any"
    case listUsers = "users:list"
    /// Email and log-in times of others.
    case seePrivateFields = "users:private"
    /// Everything that happened, and where the requests came from.
    case readJournal = "journal:read"
}

/// Who may do what: the one place where it is decided. The services ask here, so that HTTP, WebSocket and command line agree.
public struct Permissions: Sendable {
    /// Who may create events.
    public enum EventCreators: String, CaseIterable, Sendable {
        case everyone
        /// Organizers and admins.
        case organizers
    }

    private let table: [Role: Set<Permission>]

    /// - Parameter eventCreators: the one thing that installations settle differently.
    public init(eventCreators: EventCreators = .everyone) {
        table = [
            .user: eventCreators == .everyone ? [.createEvents] : [],
            .organizer: [.createEvents],
            .admin: Set(Permission.allCases),
        ]
    }

    /// Whether the principal's role has the permission. Operators have all.
    public func allows(_ permission: Permission, _ principal: Principal) -> Bool {
        switch principal.who {
        case .operator: true
        case .user(let user): table[user.role]?.contains(permission) ?? false
        }
    }

    /// - Throws: ``EMSError`` with ``ErrorCode/forbidden`` and the given message.
    public func require(_ permission: Permission, of principal: Principal, _ message: String) throws {
        guard allows(permission, principal) else { throw EMSError(.forbidden, message) }
    }

    /// Only its creator, an admin or an operator changes or deletes an event.
    public func mayChange(_ event: Event, _ principal: Principal) -> Bool {
        event.createdBy == principal.identity || allows(.changeAnyEvent, principal)
    }

    /// Email and log-in times are for the user's own eyes and for admins.
    public func maySeePrivateFields(of user: User, _ principal: Principal) -> Bool {
        principal.identity == user.id.description || allows(.seePrivateFields, principal)
    }
}
