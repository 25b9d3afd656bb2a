/// Where users are kept. Usernames and emails are unique regardless of letter case. Every write of an account stores its change as well:
/// either both are stored or neither.
public protocol UserStore: Sendable {
    /// Adds a user, whose inbox begins at the present end of the stream of notifications.
    /// - Throws: ``EMSError`` with ``ErrorCode/usernameTaken`` or ``ErrorCode/emailTaken``.
    func insert(_ user: User, passwordHash: String, by author: Author) async throws
    /// Adds many users; those whose name or address is taken are left out.
    /// - Returns: why, by their places in the batch.
    func insert(_ batch: [(user: User, passwordHash: String)], by author: Author) async throws -> [Int: EMSError]
    func user(id: UserID) async throws -> User?
    /// Those who have one of these usernames, in any letter case.
    func users(usernames: [String]) async throws -> [User]
    /// Finds by username or email, in any letter case.
    func user(login: String) async throws -> User?
    func credentials(login: String) async throws -> Credentials?
    func credentials(id: UserID) async throws -> Credentials?
    /// Changes the named fields in one atomic write; every other field keeps what others have written.
    /// Deactivating an account raises the version of its credentials.
    /// A change that changes nothing is not stored.
    /// - Returns: the user as stored after the change.
    /// - Throws: ``EMSError`` with ``ErrorCode/usernameTaken``, ``ErrorCode/emailTaken`` or ``ErrorCode/notFound``.
    func change(_ id: UserID, _ change: UserChange, by author: Author, at now: Timestamp) async throws -> User
    /// Sets the password's hash and raises the version of the credentials.
    /// - Parameter version: the version that was verified; `nil` sets the hash whatever the version is.
    /// - Throws: ``EMSError`` with ``ErrorCode/notFound``, or ``ErrorCode/versionConflict`` if the credentials changed in the meantime.
    func setPasswordHash(_ hash: String, of id: UserID, expecting version: Int64?, by author: Author, at now: Timestamp) async throws
    /// Records when the user logged in last; an earlier moment than the recorded one changes nothing.
    func recordLogin(of id: UserID, at now: Timestamp) async throws
    /// Takes away the user with subscriptions and inbox, and ends the sessions. What the user created stays.
    /// - Parameter erasing: whether the names and addresses of the user are erased from the journal.
    /// - Returns: whether there was one.
    func delete(id: UserID, erasing: Bool, by author: Author, at now: Timestamp) async throws -> Bool
    /// Removes what is left of accounts whose deletion was cut short.
    func finishDeletions() async throws
    func users(_ query: UserQuery) async throws -> UserPage
    /// The usernames that begin so, in any letter case, in their order.
    func usernames(beginningWith text: String, limit: Int) async throws -> [String]
}
