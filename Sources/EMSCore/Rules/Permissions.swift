/// Who may do what: the one place where it is decided.
public enum Permissions {
    /// Only its creator, an admin or an operator changes or deletes an event.
    public static func mayChange(_ event: Event, _ principal: Principal) -> Bool {
        hasAllRights(principal) || event.createdBy == principal.identity
    }

    public static func mayListUsers(_ principal: Principal) -> Bool {
        hasAllRights(principal)
    }

    /// Email and log-in times are for the user's own eyes and for admins.
    public static func maySeePrivateFields(of user: User, _ principal: Principal) -> Bool {
        hasAllRights(principal) || principal.identity == user.id.description
    }

    private static func hasAllRights(_ principal: Principal) -> Bool {
        switch principal {
        case .operator: true
        case .user(let user): user.role == .admin
        }
    }
}
