public typealias UserID = ID<User>

/// A person who can log in. The password's hash is not part of it: see ``Credentials``.
public struct User: Sendable, Equatable {
    public let id: UserID
    public var username: String
    public var email: String
    public var fullName: String?
    public var role: Role
    public var isActive: Bool
    /// Whether the user has proved to own the email address.
    public var isVerified: Bool
    public let createdAt: Timestamp
    public var updatedAt: Timestamp
    public var lastLoginAt: Timestamp?
    /// Counts the changes of the account, from 1. Clients do not see it.
    public var version: Int

    public init(
        id: UserID = UserID(), username: String, email: String, fullName: String? = nil, role: Role = .user, isActive: Bool = true,
        isVerified: Bool = false, createdAt: Timestamp, updatedAt: Timestamp? = nil, lastLoginAt: Timestamp? = nil,
        version: Int = 1
    ) {
        self.id = id
        self.username = username
        self.email = email
        self.fullName = fullName
        self.role = role
        self.isActive = isActive
        self.isVerified = isVerified
        self.createdAt = createdAt
        self.updatedAt = updatedAt ?? createdAt
        self.lastLoginAt = lastLoginAt
        self.version = version
    }
}

extension User {
    /// What an account has and its user cannot write.
    public static let readOnlyFields: Set<String> = [
        "user_id", "role", "is_active", "is_verified", "created_at", "updated_at", "last_login",
    ]
}

extension User: JSONEncodable {
    /// Everything, for the user's own eyes, admins and operators.
    public func encode(to writer: inout JSONWriter) {
        encode(to: &writer, withPrivateFields: true)
    }

    /// - Parameter withPrivateFields: whether `email`, `is_verified` and `last_login` are for these eyes.
    public func encode(to writer: inout JSONWriter, withPrivateFields: Bool) {
        writer.object { encodeMembers(to: &$0, withPrivateFields: withPrivateFields) }
    }

    /// Adds the fields of HTTP to an object.
    public func encodeMembers(to writer: inout JSONWriter, withPrivateFields: Bool = true) {
        writer.member("user_id", id.description)
        writer.member("username", username)
        if withPrivateFields { writer.member("email", email) }
        writer.member("full_name", fullName)
        writer.member("role", role.rawValue)
        writer.member("is_active", isActive)
        if withPrivateFields { writer.member("is_verified", isVerified) }
        writer.member("created_at", createdAt.description)
        writer.member("updated_at", updatedAt.description)
        if withPrivateFields { writer.member("last_login", lastLoginAt?.description) }
    }
}

/// A user together with the bcrypt hash of the password: for checking it, never for showing it.
public struct Credentials: Sendable {
    public let user: User
    public let passwordHash: String
    /// Counts the changes that end sessions: a new password, a deactivation, "log out everywhere". A decision that was based on one
    /// version must not be carried out on another.
    public let version: Int64

    /// Why a decision that was based on an older version is not carried out.
    public static let changed = EMSError(
        .versionConflict, "the password or the state of the account was changed in the meantime", fix: "try again")

    public init(user: User, passwordHash: String, version: Int64) {
        self.user = user
        self.passwordHash = passwordHash
        self.version = version
    }
}

/// What a person enters to register.
public struct UserDraft: Sendable {
    public var username: String
    public var email: String
    public var password: String
    public var fullName: String?

    public init(username: String, email: String, password: String, fullName: String? = nil) {
        self.username = username
        self.email = email
        self.password = password
        self.fullName = fullName
    }

    /// Reads the body of `POST /auth/register`.
    public init(_ json: JSONValue) throws {
        var fields = JSONFields(json)
        username = fields.requiredString("username")
        email = fields.requiredString("email")
        password = fields.requiredString("password")
        fullName = fields.string("full_name")
        try fields.finish(ignoring: User.readOnlyFields)
    }
}

/// What of a profile is to change: an absent field stays as it is.
public struct UserPatch: Sendable {
    public var username: String?
    public var email: String?
    /// The outer optional tells whether the name changes, the inner one whether it is taken away.
    public var fullName: String??

    public init(username: String? = nil, email: String? = nil, fullName: String?? = nil) {
        self.username = username
        self.email = email
        self.fullName = fullName
    }

    /// Reads the body of `PATCH /auth/me`, a merge patch (RFC 7396).
    public init(_ json: JSONValue) throws {
        var fields = JSONFields(json)
        username = fields.string("username")
        email = fields.string("email")
        fullName = fields.has("full_name") ? .some(fields.string("full_name")) : nil
        try fields.finish(ignoring: User.readOnlyFields)
    }

    public var isEmpty: Bool { username == nil && email == nil && fullName == nil }
}

/// The fields of an account to write: an absent one keeps what is stored.
public struct UserChange: Sendable, Equatable {
    public var username: String?
    public var email: String?
    /// The outer optional tells whether the name changes, the inner one whether it is removed.
    public var fullName: String??
    public var role: Role?
    public var isActive: Bool?

    public init(
        username: String? = nil, email: String? = nil, fullName: String?? = nil, role: Role? = nil, isActive: Bool? = nil
    ) {
        self.username = username
        self.email = email
        self.fullName = fullName
        self.role = role
        self.isActive = isActive
    }

    public var isEmpty: Bool { self == UserChange() }
}
