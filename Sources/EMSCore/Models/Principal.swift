/// Who asks, and how the request came in: recorded with every change it leads to.
public struct Principal: Sendable {
    public enum Identity: Sendable {
        /// A user with a token.
        case user(User)
        /// The login name of the operating system. Operators have all rights.
        case `operator`(String)
    }

    public let who: Identity
    public let source: ChangeSource

    public init(_ who: Identity, via source: ChangeSource) {
        self.who = who
        self.source = source
    }

    /// What is recorded as an event's creator: the user's id, or `operator:<login name>`.
    public var identity: String {
        switch who {
        case .user(let user): user.id.description
        case .operator(let login): "operator:\(login)"
        }
    }

    /// What others see: the username, or `operator:<login name>`.
    public var displayName: String {
        switch who {
        case .user(let user): user.username
        case .operator(let login): "operator:\(login)"
        }
    }

    /// As a change records it.
    public var actor: Actor {
        switch who {
        case .user: Actor(kind: .user, id: identity, name: displayName)
        case .operator: Actor(kind: .operator, id: identity, name: displayName)
        }
    }

    /// The same principal, whose changes come from somewhere else: an operator's from a file that is imported.
    public func via(_ kind: ChangeSource.Kind) -> Principal {
        Principal(
            who, via: ChangeSource(kind, address: source.address, requestID: source.requestID, traceparent: source.traceparent))
    }
}
