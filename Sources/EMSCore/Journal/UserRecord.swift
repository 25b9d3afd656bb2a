extension User {
    /// Every field that the journal records: nothing of the password, and not when the user logged in last.
    static let fields: [Field<User>] = [
        .id("user_id") { $0.id },
        .text("username", .content) { $0.username },
        .text("email", .content) { $0.email },
        .text("full_name", .content) { $0.fullName },
        .text("role", .content) { $0.role.rawValue },
        .flag("is_active", .content) { $0.isActive },
        .flag("is_verified", .content) { $0.isVerified },
        .time("created_at", .system, isFixed: true) { $0.createdAt },
        .time("updated_at", .system) { $0.updatedAt },
        .integer("version", .system) { $0.version },
    ]

    /// The fields that belong to the person, and are erased with the account if that is asked for.
    static let personalFields: Set<String> = ["username", "email", "full_name"]

    /// The user after a change, and under the next version.
    /// - Returns: `nil` if the change changes nothing.
    public func applying(_ change: UserChange, at now: Timestamp) -> User? {
        var user = self
        if let username = change.username { user.username = username }
        if let email = change.email { user.email = email }
        if let fullName = change.fullName { user.fullName = fullName }
        if let role = change.role { user.role = role }
        if let isActive = change.isActive { user.isActive = isActive }
        guard !User.fields.differences(self, user).isEmpty else { return nil }
        user.updatedAt = now
        user.version = version + 1
        return user
    }
}

// MARK: Changes of users

extension Change {
    public static func created(_ user: User, by author: Author, at now: Timestamp) -> Change {
        change(.created, user, by: author, at: now, before: nil, after: User.fields.record(of: user))
    }

    public static func updated(_ earlier: User, to user: User, by author: Author, at now: Timestamp) -> Change {
        change(
            .updated, user, by: author, at: now, before: User.fields.record(of: earlier, changedTo: user),
            after: User.fields.record(of: user))
    }

    public static func passwordChanged(_ user: User, by author: Author, at now: Timestamp) -> Change {
        change(.passwordChanged, user, by: author, at: now, before: nil, after: User.fields.record(of: user))
    }

    /// - Parameter erasing: whether names and addresses of the user are erased from the journal.
    public static func deleted(_ user: User, by author: Author, at now: Timestamp, erasing: Bool) -> Change {
        change(erasing ? .erased : .deleted, user, by: author, at: now, before: User.fields.record(of: user), after: nil)
    }

    /// A user who existed when the journal began: see ``recorded(_:at:)-(Event,_)``.
    public static func recorded(_ user: User, at now: Timestamp, again: Bool = false) -> Change {
        Change(
            id: again ? ChangeID() : user.id.retyped(), subject: Subject(.user, user.id.description), action: .recorded,
            version: user.version, actor: .system,
            source: ChangeSource(.import), timestamp: now, before: nil, after: User.fields.record(of: user), isQuiet: true)
    }

    private static func change(
        _ action: Action, _ user: User, by author: Author, at now: Timestamp, before: JSONText?, after: JSONText?
    ) -> Change {
        Change(
            subject: Subject(.user, user.id.description), action: action, version: user.version, actor: author.actor, source: author.source,
            timestamp: now, before: before, after: after)
    }

    // MARK: Sessions

    public static func opened(_ session: Session, by author: Author) -> Change {
        change(.opened, session, by: author, at: session.createdAt, version: 1)
    }

    /// - Parameter session: as it is afterwards.
    public static func ended(_ session: Session, by author: Author, at now: Timestamp) -> Change {
        change(.ended, session, by: author, at: now, version: 2)
    }

    private static func change(_ action: Action, _ session: Session, by author: Author, at now: Timestamp, version: Int) -> Change {
        Change(
            subject: Subject(.session, session.id.description), action: action, version: version, actor: author.actor,
            source: author.source,
            timestamp: now, before: nil, after: JSONText(trusted: session.json()))
    }

    // MARK: Subscriptions

    public static func created(_ subscription: Subscription, by author: Author) -> Change {
        change(.created, subscription, by: author, at: subscription.createdAt, before: nil, after: JSONText(trusted: subscription.json()))
    }

    public static func deleted(_ subscription: Subscription, by author: Author, at now: Timestamp) -> Change {
        change(.deleted, subscription, by: author, at: now, before: JSONText(trusted: subscription.json()), after: nil)
    }

    /// A subscription does not change: it has no versions.
    private static func change(
        _ action: Action, _ subscription: Subscription, by author: Author, at now: Timestamp, before: JSONText?, after: JSONText?
    ) -> Change {
        Change(
            subject: subscription.subject, action: action, version: 1, actor: author.actor, source: author.source, timestamp: now,
            before: before, after: after)
    }

    // MARK: What has no state of its own

    /// A log-in with a wrong password. What was entered as the name is not recorded: it may be a password.
    /// - Parameter user: whose account it was; `nil` if there is none.
    public static func failedLogin(of user: UserID?, via source: ChangeSource, at now: Timestamp) -> Change {
        Change(
            subject: Subject(.login, user?.description ?? "unknown"), action: .failed, version: 0, actor: .system, source: source,
            timestamp: now, before: nil, after: nil)
    }

    /// - Parameter state: counts, and what was asked for.
    public static func noted(
        _ action: Action, _ subject: Subject, by author: Author, at now: Timestamp = .now(), state: JSONText?
    ) -> Change {
        Change(
            subject: subject, action: action, version: 0, actor: author.actor, source: author.source, timestamp: now, before: nil,
            after: state)
    }
}
