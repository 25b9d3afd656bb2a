public typealias SessionID = ID<Session>

/// One log-in, or one token an operator issued: the family of all its access and refresh tokens. When it ends, they all end.
public struct Session: Sendable, Equatable {
    public let id: SessionID
    public let userID: UserID
    /// Why it was opened: `login`, or what the operator noted when issuing the token.
    public let label: String
    public let createdAt: Timestamp
    public let expiresAt: Timestamp
    public var endedAt: Timestamp?

    public init(
        id: SessionID = SessionID(), userID: UserID, label: String, createdAt: Timestamp, expiresAt: Timestamp, endedAt: Timestamp? = nil
    ) {
        self.id = id
        self.userID = userID
        self.label = label
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.endedAt = endedAt
    }

    public func isLive(at now: Timestamp) -> Bool {
        endedAt == nil && now < expiresAt
    }
}

extension Session: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("session_id", id.description)
            $0.member("user_id", userID.description)
            $0.member("label", label)
            $0.member("created_at", createdAt.description)
            $0.member("expires_at", expiresAt.description)
            $0.member("ended_at", endedAt?.description)
        }
    }
}

/// A refresh token as it is stored: by the SHA-256 of its text, so that a stolen database opens nothing.
public struct RefreshTokenRecord: Sendable, Equatable {
    /// For how long a token that was used may be presented again, in seconds, with the same successor as the answer: a client that got
    /// no answer must be able to repeat its request.
    public static let graceSeconds: Int64 = 30

    public let digest: [UInt8]
    public let sessionID: SessionID
    public let expiresAt: Timestamp

    public init(digest: [UInt8], sessionID: SessionID, expiresAt: Timestamp) {
        self.digest = digest
        self.sessionID = sessionID
        self.expiresAt = expiresAt
    }
}
