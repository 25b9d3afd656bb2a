/// Reads the members of a JSON object by name and type, and gathers what is wrong with them instead of stopping at the first.
///
/// A reader ends with ``finish()``, which throws one ``EMSError`` that lists every fault with its place.
public struct JSONFields {
    public private(set) var errors: [FieldError] = []
    private let members: [JSONValue.Member]
    /// Where the members of a large object stand; those of a small one are searched for.
    private let places: [String: Int]?
    /// The names that were asked for: those that have a meaning here.
    private var known: [String] = []
    private let location: [String]

    /// - Parameters:
    ///   - value: what must be an object.
    ///   - location: where the object stands, for the `loc` of the faults: `["body"]` for a request's body.
    public init(_ value: JSONValue, at location: [String] = ["body"]) {
        self.location = location
        if case .object(let members) = value {
            self.members = members
            places =
                members.count > Self.searchedMembers
                ? Dictionary(members.indices.lazy.map { (members[$0].name, $0) }) { first, _ in first } : nil
        } else {
            members = []
            places = nil
            errors.append(FieldError(location, "must be an object, not \(value.kind)", type: "object_type"))
        }
    }

    private static let searchedMembers = 24

    /// - Returns: of several members of the name the first; `nil` where there is none.
    private func member(_ name: String) -> JSONValue? {
        if let places { return places[name].map { members[$0].value } }
        return members.first { $0.name == name }?.value
    }

    /// Whether the member stands in the object, be it as `null`.
    public func has(_ name: String) -> Bool { member(name) != nil }

    /// Names members that have a meaning here, though nobody reads them.
    mutating func allow(_ names: [String]) { known += names }

    public mutating func requiredString(_ name: String) -> String {
        required(name) { $0.string(name) } ?? ""
    }

    public mutating func string(_ name: String) -> String? {
        read(name, "a string", "string_type") { $0.string }
    }

    public mutating func integer(_ name: String) -> Int64? {
        read(name, "a whole number", "int_type") { $0.integer }
    }

    /// - Returns: a number of the range, whatever was given.
    public mutating func requiredInteger(_ name: String, in range: ClosedRange<Int64>) -> Int64 {
        guard let value = required(name, { $0.integer(name) }) else { return range.lowerBound }
        if range.contains(value) { return value }
        errors.append(
            FieldError(
                location + [name], "must be a whole number from \(range.lowerBound) to \(range.upperBound)", type: "value_error"))
        return range.lowerBound
    }

    public mutating func bool(_ name: String) -> Bool? {
        read(name, "true or false", "bool_type") { value in
            if case .bool(let value) = value { value } else { nil }
        }
    }

    public mutating func requiredTimestamp(_ name: String) -> Timestamp {
        required(name) { $0.timestamp(name) } ?? Timestamp(milliseconds: 0)
    }

    public mutating func timestamp(_ name: String) -> Timestamp? {
        guard let text = read(name, "an ISO 8601 time such as 2026-03-01T09:00:00Z", "datetime_type", { $0.string }) else { return nil }
        guard let value = Timestamp(text) else {
            errors.append(
                FieldError(location + [name], "must be an ISO 8601 time such as 2026-03-01T09:00:00Z", type: "datetime_parsing"))
            return nil
        }
        return value
    }

    public mutating func strings(_ name: String) -> [String]? {
        read(name, "an array of strings", "list_type") { value in
            guard case .array(let elements) = value else { return nil }
            let strings = elements.compactMap(\.string)
            return strings.count == elements.count ? strings : nil
        }
    }

    public mutating func coordinates(_ name: String) -> Coordinates? {
        read(name, "an object with the numbers latitude and longitude", "coordinates_type") { value in
            func number(_ value: JSONValue?) -> Double? {
                switch value {
                case .integer(let integer): Double(integer)
                case .number(let number): number
                default: nil
                }
            }
            guard let latitude = number(value["latitude"]), let longitude = number(value["longitude"]) else { return nil }
            return Coordinates(latitude: latitude, longitude: longitude)
        }
    }

    /// Notes each member of a nested object that has no meaning there.
    mutating func rejectUnknown(in name: String, except names: [String]) {
        guard case .object(let nested)? = member(name) else { return }
        for member in nested where !names.contains(member.name) { rejectUnknown(member.name, at: [name], among: names) }
    }

    /// Notes that the member's value, though of the right type, cannot stand.
    public mutating func reject(_ name: String, _ message: String, type: String = "value_error") {
        errors.append(FieldError(location + [name], message, type: type))
    }

    /// Ends the reading of what a person or a client wrote: a member that has no meaning here is a mistake, not something to pass over.
    /// - Parameter readOnly: the members that the resource has and that cannot be written. They are ignored, so that what was read can be
    ///   sent back.
    /// - Throws: ``EMSError`` with code ``ErrorCode/invalid`` if anything was wrong.
    public mutating func finish(ignoring readOnly: Set<String>) throws {
        let meant = Set(known).sorted()
        var unknown: Set<String> = []
        for member in members where !known.contains(member.name) && !readOnly.contains(member.name) {
            if unknown.insert(member.name).inserted { rejectUnknown(member.name, at: [], among: meant) }
        }
        try finish()
    }

    /// At most so many unknown members are reported, so that the answer does not grow with the request.
    private static let unknownLimit = 20

    private mutating func rejectUnknown(_ name: String, at path: [String], among known: [String]) {
        guard errors.count(where: { $0.type == "extra_forbidden" }) < Self.unknownLimit else { return }
        let shown = String(name.unicodeScalars.prefix(80).map(Character.init))
        errors.append(
            FieldError(
                location + path + [Printable.stripped(shown)], "is not a valid field\(Suggestion.hint(for: shown, among: known))",
                type: "extra_forbidden"))
    }

    /// Ends the reading of what another program wrote, of which a later version may say more.
    /// - Throws: ``EMSError`` with code ``ErrorCode/invalid`` when anything was wrong.
    public func finish() throws {
        if !errors.isEmpty { throw EMSError.invalid(errors) }
    }

    private mutating func required<Value>(_ name: String, _ read: (inout JSONFields) -> Value?) -> Value? {
        known.append(name)
        guard member(name)?.isNull == false else {
            if errors.first?.type != "object_type" {
                errors.append(FieldError(location + [name], "is required", type: "missing"))
            }
            return nil
        }
        return read(&self)
    }

    private mutating func read<Value>(_ name: String, _ wanted: String, _ type: String, _ convert: (JSONValue) -> Value?) -> Value? {
        known.append(name)
        guard let value = member(name), !value.isNull else { return nil }
        guard let converted = convert(value) else {
            errors.append(FieldError(location + [name], "must be \(wanted), not \(describe(value))", type: type))
            return nil
        }
        return converted
    }

    private func describe(_ value: JSONValue) -> String {
        if case .array = value { return "an array of something else" }
        if case .object = value { return "an object of another shape" }
        return value.kind
    }
}
