/// Who asks: a user with a token, or an operator at the command line.
public enum Principal: Sendable {
    case user(User)
    /// The login name of the operating system. Operators have all rights.
    case `operator`(String)

    /// What is recorded as an event's creator: the user's id, or `operator:<login name>`.
    public var identity: String {
        switch self {
        case .user(let user): user.id.description
        case .operator(let login): "operator:\(login)"
        }
    }

    /// What others see: the username, or `operator:<login name>`.
    public var displayName: String {
        switch self {
        case .user(let user): user.username
        case .operator(let login): "operator:\(login)"
        }
    }
}
