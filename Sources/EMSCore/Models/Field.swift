/// One field of an entity: what it is called outside the program, what kind of value it has, and how to get that.
///
/// The list of an entity's fields is the one description that its JSON and the schema of that, its record in the journal, the comparison of
/// two versions, the columns and documents of the stores and the columns of tables derive from.
public struct Field<Entity>: Sendable {
    /// In snake case.
    public let name: String
    public let kind: FieldKind
    public let role: Role
    /// Whether it is set once, when the entity is made.
    public let isFixed: Bool
    public let value: @Sendable (Entity) -> FieldValue

    /// Who writes a field.
    public enum Role: Sendable {
        /// A person: another value is another version of the entity.
        case content
        /// The program: ids, times, versions.
        case system
        /// The program, for itself: clients do not see it.
        case `internal`
    }

    public init(
        _ name: String, _ kind: FieldKind, _ role: Role, isFixed: Bool = false, _ value: @escaping @Sendable (Entity) -> FieldValue
    ) {
        self.name = name
        self.kind = kind
        self.role = role
        self.isFixed = isFixed
        self.value = value
    }

    /// The id of the entity.
    public static func id(_ name: String, _ value: @escaping @Sendable (Entity) -> ID<Entity>) -> Field {
        Field(name, .id, .system, isFixed: true) { .text(value($0).description) }
    }

    public static func text(
        _ name: String, _ role: Role, isFixed: Bool = false, _ value: @escaping @Sendable (Entity) -> String?
    ) -> Field {
        Field(name, .text, role, isFixed: isFixed) { value($0).map { .text($0) } ?? .absent }
    }

    public static func integer(_ name: String, _ role: Role, _ value: @escaping @Sendable (Entity) -> Int?) -> Field {
        Field(name, .integer, role) { value($0).map { .integer($0) } ?? .absent }
    }

    public static func flag(_ name: String, _ role: Role, _ value: @escaping @Sendable (Entity) -> Bool) -> Field {
        Field(name, .flag, role) { .flag(value($0)) }
    }

    public static func time(_ name: String, _ role: Role, isFixed: Bool = false, _ value: @escaping @Sendable (Entity) -> Timestamp)
        -> Field
    {
        Field(name, .time, role, isFixed: isFixed) { .time(value($0)) }
    }

    public func isEqual(_ left: Entity, _ right: Entity) -> Bool { value(left) == value(right) }

    /// Adds the member; `null` if the field is absent.
    func encode(_ entity: Entity, to writer: inout JSONWriter) {
        writer.name(name)
        value(entity).encode(to: &writer)
    }

    /// Adds the member, unless the field is absent.
    func encodeIfPresent(_ entity: Entity, to writer: inout JSONWriter) {
        let value = value(entity)
        if value == .absent { return }
        writer.name(name)
        value.encode(to: &writer)
    }
}

/// What kind of values a field has.
public enum FieldKind: Sendable {
    case id, text, integer, flag, time
    /// Several texts without commas.
    case texts
    case place
    case origin
    /// 16 bytes.
    case digest
}

/// The value of a field, as JSON and every store can keep it.
public enum FieldValue: Sendable, Equatable {
    case absent
    case text(String)
    case integer(Int)
    case flag(Bool)
    case time(Timestamp)
    case texts([String])
    case place(Coordinates)
    case origin(EventOrigin)
    case digest([UInt8])
}

extension FieldValue: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        switch self {
        case .absent: writer.null()
        case .text(let text): writer.string(text)
        case .integer(let number): writer.integer(number)
        case .flag(let flag): writer.bool(flag)
        case .time(let moment): writer.string(moment.description)
        case .texts(let texts): writer.array { list in for text in texts { list.string(text) } }
        case .place(let place): place.encode(to: &writer)
        case .origin(let origin): origin.encode(to: &writer)
        case .digest(let bytes): writer.string(hexadecimal(bytes))
        }
    }
}

extension FieldValue {
    /// - Returns: `nil` if it is absent.
    var json: JSONValue? {
        switch self {
        case .absent: nil
        case .text(let text): .string(text)
        case .integer(let number): .integer(Int64(number))
        case .flag(let flag): .bool(flag)
        case .time(let moment): .string(moment.description)
        case .texts(let texts): .array(texts.map { .string($0) })
        case .place(let place): ["latitude": .number(place.latitude), "longitude": .number(place.longitude)]
        case .origin(let origin): .string(origin.key)
        case .digest(let bytes): .string(hexadecimal(bytes))
        }
    }
}

/// Where a store reads an entity from: its fields, by their names and in the order of their list.
public protocol FieldSource {
    mutating func id<Subject>(of name: StaticString) throws -> ID<Subject>
    mutating func text(of name: StaticString) throws -> String
    mutating func optionalText(of name: StaticString) throws -> String?
    mutating func word<Value: RawRepresentable<String>>(of name: StaticString) throws -> Value
    mutating func count(of name: StaticString) throws -> Int
    mutating func optionalInteger(of name: StaticString) throws -> Int?
    mutating func time(of name: StaticString) throws -> Timestamp
    mutating func texts(of name: StaticString) throws -> [String]
    mutating func place(of name: StaticString) throws -> Coordinates?
    mutating func origin(of name: StaticString) throws -> EventOrigin?
    mutating func digest(of name: StaticString) throws -> [UInt8]?
}

extension Array {
    /// The content of `earlier` that is different in `later`.
    func differences<Entity>(_ earlier: Entity, _ later: Entity) -> Self where Element == Field<Entity> {
        filter { $0.role == .content && !$0.isEqual(earlier, later) }
    }

    /// How an entity is written in a change: an object of its fields, without those that are absent.
    func record<Entity>(of entity: Entity) -> JSONText where Element == Field<Entity> {
        JSONText.object { writer in
            for field in self { field.encodeIfPresent(entity, to: &writer) }
        }
    }

    /// The content that an update changed, as it was before; what was absent is `null`.
    func record<Entity>(of earlier: Entity, changedTo later: Entity) -> JSONText where Element == Field<Entity> {
        JSONText.object { writer in
            for field in differences(earlier, later) { field.encode(earlier, to: &writer) }
        }
    }
}

extension JSONText {
    static func object(_ members: (inout JSONWriter) -> Void) -> JSONText {
        var writer = JSONWriter()
        writer.object(members)
        return JSONText(trusted: writer.bytes)
    }
}
