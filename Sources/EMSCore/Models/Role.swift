/// What a user is in the system. Who may do what is decided by ``Permissions``.
public enum Role: String, CaseIterable, Sendable {
    case user
    case organizer
    case admin
}
