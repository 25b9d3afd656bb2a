import EMSCore
import HTTPTypes

/// A parameter as clients are told of it.
struct ParameterDescription: Sendable {
    enum Place: String, Sendable {
        case query, header, path
    }

    let name: String
    let place: Place
    let summary: String
    let schema: JSONSchema
    /// Whether it may be given several times.
    var isRepeated = false

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init(name: "name", value: .string(name)), .init(name: "in", value: .string(place.rawValue)),
            .init(name: "description", value: .string(summary)), .init(name: "required", value: .bool(place == .path)),
        ]
        let schema = isRepeated ? JSONSchema.array(of: schema, upTo: QueryReader.repetitionLimit) : schema
        members.append(.init(name: "schema", value: schema.json))
        return .object(members)
    }
}

/// A query parameter: how it is described, and how its text is read, in one place.
struct QueryParameter<Value: Sendable>: Sendable {
    let description: ParameterDescription
    /// What the text must be, for who got it wrong.
    let wanted: String
    /// The `type` of the fault.
    let fault: String
    let convert: @Sendable (String) -> Value?
    /// Whether an empty text counts as none, as forms send it for a field that is not filled in.
    var mayBeEmpty = false

    var name: String { description.name }

    init(
        _ name: String, _ summary: String, _ schema: JSONSchema, isRepeated: Bool = false, wanted: String, fault: String,
        convert: @escaping @Sendable (String) -> Value?
    ) {
        description = ParameterDescription(name: name, place: .query, summary: summary, schema: schema, isRepeated: isRepeated)
        self.wanted = wanted
        self.fault = fault
        self.convert = convert
    }
}

extension QueryParameter where Value == String {
    static func text(_ name: String, _ summary: String, isRepeated: Bool = false) -> Self {
        Self(
            name, summary, .string(length: 0...QueryReader.textLimit), isRepeated: isRepeated,
            wanted: "must have at most \(QueryReader.textLimit) characters", fault: "string_too_long"
        ) {
            $0.unicodeScalars.count <= QueryReader.textLimit ? $0 : nil
        }.orEmpty()
    }

    private func orEmpty() -> Self {
        var parameter = self
        parameter.mayBeEmpty = true
        return parameter
    }
}

extension QueryParameter where Value == Int {
    static func integer(_ name: String, _ summary: String, _ range: ClosedRange<Int>, initially: Int? = nil) -> Self {
        Self(
            name, summary, .integer(nil, range, initially: initially),
            wanted: "must be a whole number from \(range.lowerBound) to \(range.upperBound)", fault: "int_parsing"
        ) {
            Int($0).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension QueryParameter where Value == Double {
    /// A number over 0.
    static func number(_ name: String, _ summary: String, upTo limit: Double, initially: Double) -> Self {
        Self(
            name, summary, .number(nil, above: 0, upTo: limit, initially: initially),
            wanted: "must be a number over 0 and at most \(Int(limit))", fault: "float_parsing"
        ) {
            Double(decimal: $0).flatMap { $0 > 0 && $0 <= limit ? $0 : nil }
        }
    }
}

extension QueryParameter where Value == Bool {
    static func boolean(_ name: String, _ summary: String) -> Self {
        Self(name, summary, .boolean(), wanted: "must be true or false", fault: "bool_parsing") { text in
            switch text.lowercased() {
            case "true", "1": true
            case "false", "0": false
            default: nil
            }
        }
    }
}

extension QueryParameter where Value == Timestamp {
    static func timestamp(_ name: String, _ summary: String) -> Self {
        // A plus of a zone's offset has become a space where the client did not escape it.
        Self(
            name, summary, .time(), wanted: "must be an ISO 8601 time such as 2026-03-01T09:00:00Z", fault: "datetime_parsing"
        ) {
            Timestamp($0) ?? Timestamp($0.replacing(" ", with: "+"))
        }
    }
}

extension QueryParameter where Value: RawRepresentable<String> & CaseIterable {
    static func word(_ name: String, _ summary: String, initially: Value? = nil) -> Self {
        let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return Self(
            name, summary, .word(Value.self, initially: initially), wanted: "must be one of \(words)", fault: "enum"
        ) { Value(rawValue: $0) }
    }
}

extension QueryParameter where Value == Coordinates {
    static func coordinates(_ name: String, _ summary: String) -> Self {
        Self(
            name, summary,
            .string(
                pattern: #"^-?([0-8]?[0-9](\.[0-9]{1,12})?|90(\.0{1,12})?),-?((1[0-7][0-9]|[0-9]?[0-9])(\.[0-9]{1,12})?|180(\.0{1,12})?)$"#,
                example: "52.52,13.405"),
            wanted: "must be latitude,longitude within -90…90 and -180…180", fault: "coordinates_parsing"
        ) { text in
            let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Double(decimal: $0) }
            guard parts.count == 2, let latitude = parts[0], let longitude = parts[1], (-90...90).contains(latitude),
                (-180...180).contains(longitude)
            else { return nil }
            return Coordinates(latitude: latitude, longitude: longitude)
        }
    }
}

extension QueryParameter where Value == PageCursor {
    static var after: Self {
        Self(
            "after", "Where to read on: the `next` of the page before.", .string(),
            wanted: "must be the next of an earlier page", fault: "value_error"
        ) { try? PageCursor($0) }
    }
}

/// The parameters of everything that comes in pages.
enum PageParameters {
    static let number = QueryParameter.integer(
        "page", "The page, from 1. One beyond the end is empty. For many pages, `after` is faster.", 1...Int.max, initially: 1)
    static let size = QueryParameter.integer("page_size", "How many on a page.", PageRequest.sizeRange, initially: 10)

    static var descriptions: [ParameterDescription] {
        [number.description] + cursorDescriptions
    }

    /// Of lists without page numbers.
    static var cursorDescriptions: [ParameterDescription] { [size.description, QueryParameter<PageCursor>.after.description] }
}

extension ParameterDescription {
    static let ifMatch = ParameterDescription(
        name: "If-Match", place: .header, summary: "The `ETag` of the version that was read: the request is refused where it is no more.",
        schema: .string(example: "\"1\""))
    static let ifNoneMatch = ParameterDescription(
        name: "If-None-Match", place: .header, summary: "The `ETag` that is known already: 304 where it still holds.", schema: .string())
    static let idempotencyKey = ParameterDescription(
        name: "Idempotency-Key", place: .header,
        summary: "A name for this request, remembered for 24 hours: its repetition answers with the event of the first.",
        schema: .string(length: 1...IdempotencyKey.lengthLimit))

    /// The id in a path.
    static func id(_ name: String, of kind: String) -> ParameterDescription {
        ParameterDescription(name: name, place: .path, summary: "The \(kind)'s id.", schema: .id())
    }
}
