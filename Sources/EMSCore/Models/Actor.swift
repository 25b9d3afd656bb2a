/// Who made a change, as the change records it: the user may be renamed or deleted later.
public struct Actor: Sendable, Equatable {
    public enum Kind: String, CaseIterable, Sendable {
        case user
        case `operator`
        /// The program itself.
        case system
    }

    public let kind: Kind
    /// A user's id, or `operator:<login name>`; `nil` if it is not known: version 0.1.0 recorded names only.
    public let id: String?
    /// The username at that time, or `operator:<login name>`.
    public let name: String

    public init(kind: Kind, id: String?, name: String) {
        self.kind = kind
        self.id = id
        self.name = name
    }

    /// The program itself.
    public static let system = Actor(kind: .system, id: nil, name: "ems")

    /// From the name alone, which is all that version 0.1.0 recorded.
    init(named name: String) {
        if name.hasPrefix("operator:") {
            self.init(kind: .operator, id: name, name: name)
        } else {
            self.init(kind: .user, id: nil, name: name)
        }
    }
}

extension Actor: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", kind.rawValue)
            if let id { $0.member("id", id) }
            $0.member("name", name)
        }
    }

    init(_ json: JSONValue) throws {
        if case .string(let name) = json {
            self.init(named: name)
            return
        }
        var fields = JSONFields(json, at: ["actor"])
        let (kind, id, name) = (fields.requiredString("type"), fields.string("id"), fields.requiredString("name"))
        try fields.finish()
        guard let kind = Kind(rawValue: kind) else { throw EMSError.invalid("type", "is not a kind of actor", in: "actor") }
        self.init(kind: kind, id: id, name: name)
    }
}

/// Who makes a change, and how it comes in: what stores record with it.
public struct Author: Sendable, Equatable {
    public let actor: Actor
    public let source: ChangeSource

    public init(_ actor: Actor, via source: ChangeSource) {
        self.actor = actor
        self.source = source
    }

    /// A user who needs no rights to do it: to register, or to log in.
    public init(_ user: User, via source: ChangeSource) {
        self.init(Principal(.user(user), via: source).actor, via: source)
    }
}

extension Principal {
    public var author: Author { Author(actor, via: source) }
}
