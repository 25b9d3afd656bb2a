/// A parsed JSON document (RFC 8259). Objects keep the order of their members.
public enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A number with a fraction or an exponent, or one that does not fit 64 bits.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    public struct Member: Sendable, Equatable {
        public let name: String
        public let value: JSONValue

        public init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The member's value; `nil` where there is none or this is no object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The value after a merge patch (RFC 7396).
    public func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var members: [Member?] = []
        if case .object(let own) = self { members = own }
        // A patch may be as long as a body: each of its members is looked up, not searched for.
        var places = Dictionary(members.enumerated().compactMap { place, member in member.map { ($0.name, place) } }) { first, _ in first }
        for change in changes {
            let place = places[change.name]
            if change.value == .null {
                places[change.name] = nil
                if let place { members[place] = nil }
            } else if let place, let known = members[place] {
                members[place] = Member(name: change.name, value: known.value.merged(with: change.value))
            } else {
                places[change.name] = members.count
                members.append(Member(name: change.name, value: JSONValue.null.merged(with: change.value)))
            }
        }
        return .object(members.compactMap(\.self))
    }

    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    public var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// What kind of thing this is, in words.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
