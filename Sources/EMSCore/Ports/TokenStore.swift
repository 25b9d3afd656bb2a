/// Where sessions and refresh tokens are kept. An access token is good as long as its session is. That a session is opened or ended is stored
/// together with its change.
public protocol TokenStore: Sendable {
    /// Opens a session, with its first refresh token if there is one, provided that the account is active and its credentials still
    /// have the version that was verified.
    /// - Returns: whether it was opened.
    func open(
        _ session: Session, refreshToken: RefreshTokenRecord?, verified version: Int64, by author: Author
    ) async throws -> Bool
    func session(id: SessionID) async throws -> Session?
    /// The session and its user in one look-up: what every authenticated request asks.
    func sessionAndUser(id: SessionID) async throws -> (Session, User)?
    /// Uses a refresh token up and stores its successor, together with the nonce that the successor was derived from.
    /// - Parameter source: where the request came from, recorded if it ends the session.
    func rotate(
        _ digest: [UInt8], to successor: RefreshTokenRecord, nonce: [UInt8], via source: ChangeSource, at now: Timestamp
    ) async throws -> RotationOutcome
    /// The session a refresh token belongs to, used up or not.
    func sessionID(ofRefreshToken digest: [UInt8]) async throws -> SessionID?
    /// - Returns: whether the session was live.
    func end(_ id: SessionID, by author: Author, at now: Timestamp) async throws -> Bool
    /// Ends all sessions of a user, except one if it is named, and raises the version of the credentials: a log-in that is under way
    /// opens no session.
    /// - Returns: how many were live.
    func endAll(of user: UserID, except: SessionID?, by author: Author, at now: Timestamp) async throws -> Int
    /// The user's sessions, or everyone's, the newest first.
    func sessions(of user: UserID?, liveAt: Timestamp?, before: SessionID?, limit: Int) async throws -> [Session]
    /// The sessions that were ended, before their time, at or after the given moment.
    func endedSessions(since moment: Timestamp) async throws -> [SessionID]
    /// Removes sessions that expired or ended before the given moment, with their refresh tokens.
    func purge(before moment: Timestamp) async throws -> Int
    /// How many ``purge(before:)`` would remove.
    func purgeable(before moment: Timestamp) async throws -> Int
}

public enum RotationOutcome: Sendable, Equatable {
    case rotated(SessionID)
    /// The token was used at most ``RefreshTokenRecord/graceSeconds`` ago: its client did not receive the answer. The successor that was
    /// stored then is derived from this nonce.
    case repeated(SessionID, nonce: [UInt8])
    /// The token had been used before: the session is ended with this call.
    case reused(SessionID)
    /// Unknown, expired, or of an ended session.
    case refused
}
