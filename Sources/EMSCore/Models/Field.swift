/// One field of an entity: what it is called outside the program, and how its value is written as JSON.
///
/// The list of an entity's fields is the one description that its JSON, its record in the journal and the comparison of two versions
/// derive from.
public struct Field<Entity>: Sendable {
    /// In snake case.
    public let name: String
    public let role: Role
    private let equals: @Sendable (Entity, Entity) -> Bool
    private let isAbsent: @Sendable (Entity) -> Bool
    private let write: @Sendable (Entity, inout JSONWriter) -> Void

    /// Who writes a field.
    public enum Role: Sendable {
        /// A person: another value is another version of the entity.
        case content
        /// The program: ids, times, versions.
        case system
        /// The program, for itself: clients do not see it.
        case `internal`
    }

    public init<Value: Equatable & Sendable>(
        _ name: String, _ role: Role, _ value: @escaping @Sendable (Entity) -> Value,
        _ write: @escaping @Sendable (Value, inout JSONWriter) -> Void
    ) {
        self.name = name
        self.role = role
        equals = { value($0) == value($1) }
        isAbsent = { _ in false }
        self.write = { write(value($0), &$1) }
    }

    /// A field that may be absent.
    public init<Value: Equatable & Sendable>(
        optional name: String, _ role: Role, _ value: @escaping @Sendable (Entity) -> Value?,
        _ write: @escaping @Sendable (Value, inout JSONWriter) -> Void
    ) {
        self.name = name
        self.role = role
        equals = { value($0) == value($1) }
        isAbsent = { value($0) == nil }
        self.write = { entity, writer in
            if let value = value(entity) { write(value, &writer) } else { writer.null() }
        }
    }

    public static func text(_ name: String, _ role: Role, _ value: @escaping @Sendable (Entity) -> String) -> Field {
        Field(name, role, value) { $1.string($0) }
    }

    public static func flag(_ name: String, _ role: Role, _ value: @escaping @Sendable (Entity) -> Bool) -> Field {
        Field(name, role, value) { $1.bool($0) }
    }

    public static func time(_ name: String, _ role: Role, _ value: @escaping @Sendable (Entity) -> Timestamp) -> Field {
        Field(name, role, value) { $1.string($0.description) }
    }

    public func isEqual(_ left: Entity, _ right: Entity) -> Bool { equals(left, right) }

    /// Adds the member; `null` if the field is absent.
    func encode(_ entity: Entity, to writer: inout JSONWriter) {
        writer.name(name)
        write(entity, &writer)
    }

    /// Adds the member, unless the field is absent.
    func encodeIfPresent(_ entity: Entity, to writer: inout JSONWriter) {
        if !isAbsent(entity) { encode(entity, to: &writer) }
    }
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
