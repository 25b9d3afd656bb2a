import EMSCore

/// What a JSON value must look like: a schema of JSON Schema 2020-12, which OpenAPI 3.1 takes as it is.
struct JSONSchema: Sendable {
    let json: JSONValue

    private init(_ members: [(String, JSONValue?)]) {
        json = .object(members.compactMap { name, value in value.map { .init(name: name, value: $0) } })
    }

    /// The schema of this name among the document's components.
    static func reference(_ name: String) -> JSONSchema {
        JSONSchema([("$ref", .string("#/components/schemas/\(name)"))])
    }

    static func string(
        _ description: String? = nil, length: ClosedRange<Int>? = nil, minLength: Int? = nil, pattern: String? = nil,
        format: String? = nil, example: JSONValue? = nil
    ) -> JSONSchema {
        JSONSchema([
            ("type", "string"), ("description", description.map(JSONValue.string)), ("format", format.map(JSONValue.string)),
            ("minLength", (length?.lowerBound ?? minLength).flatMap { $0 == 0 ? nil : integer($0) }),
            ("maxLength", length.map { integer($0.upperBound) }), ("pattern", pattern.map(JSONValue.string)),
            ("examples", example.map { [$0] }),
        ])
    }

    /// One of the words of a type.
    static func word<Word: RawRepresentable<String> & CaseIterable>(
        _ type: Word.Type, _ description: String? = nil, initially: Word? = nil
    ) -> JSONSchema {
        JSONSchema([
            ("type", "string"), ("description", description.map(JSONValue.string)),
            ("enum", .array(Word.allCases.map { .string($0.rawValue) })), ("default", initially.map { .string($0.rawValue) }),
        ])
    }

    static func anything(_ description: String) -> JSONSchema {
        JSONSchema([("description", .string(description))])
    }

    /// An object whose members are described elsewhere.
    static func anyObject(_ description: String) -> JSONSchema {
        JSONSchema([("type", "object"), ("description", .string(description))])
    }

    /// Always this text.
    static func constant(_ text: String) -> JSONSchema {
        JSONSchema([("type", "string"), ("const", .string(text))])
    }

    static func integer(
        _ description: String? = nil, _ range: ClosedRange<Int>? = nil, minimum: Int? = nil, initially: Int? = nil
    ) -> JSONSchema {
        JSONSchema([
            ("type", "integer"), ("description", description.map(JSONValue.string)),
            ("minimum", (range?.lowerBound ?? minimum).map(integer)), ("maximum", range.map { integer($0.upperBound) }),
            ("default", initially.map(integer)),
        ])
    }

    static func number(
        _ description: String? = nil, _ range: ClosedRange<Double>? = nil, above: Double? = nil, upTo: Double? = nil,
        initially: Double? = nil
    ) -> JSONSchema {
        JSONSchema([
            ("type", "number"), ("description", description.map(JSONValue.string)),
            ("minimum", range.map { .number($0.lowerBound) }), ("exclusiveMinimum", above.map(JSONValue.number)),
            ("maximum", (range?.upperBound ?? upTo).map(JSONValue.number)), ("default", initially.map(JSONValue.number)),
        ])
    }

    static func boolean(_ description: String? = nil, initially: Bool? = nil) -> JSONSchema {
        JSONSchema([
            ("type", "boolean"), ("description", description.map(JSONValue.string)), ("default", initially.map(JSONValue.bool)),
        ])
    }

    static func array(of element: JSONSchema, _ description: String? = nil, upTo count: Int? = nil) -> JSONSchema {
        JSONSchema([
            ("type", "array"), ("description", description.map(JSONValue.string)), ("items", element.json),
            ("maxItems", count.map(integer)),
        ])
    }

    /// An object.
    /// - Parameters:
    ///   - optional: which of the properties may be absent.
    ///   - example: the object as it may look.
    static func object(
        _ description: String? = nil, _ properties: [(name: String, schema: JSONSchema)], optional: Set<String> = [],
        example: JSONValue? = nil
    ) -> JSONSchema {
        let required = properties.map(\.name).filter { !optional.contains($0) }.map(JSONValue.string)
        return JSONSchema([
            ("type", "object"), ("description", description.map(JSONValue.string)),
            ("required", required.isEmpty ? nil : .array(required)),
            ("properties", .object(properties.map { .init(name: $0.name, value: $0.schema.json) })),
            ("examples", example.map { [$0] }),
        ])
    }

    /// An object that has no other members: what a request with any other is refused for.
    /// - Parameter ignored: members of the resource that are accepted with any value and change nothing.
    static func closedObject(
        _ description: String? = nil, _ properties: [(name: String, schema: JSONSchema)], optional: Set<String> = [],
        ignored: Set<String> = [], example: JSONValue
    ) -> JSONSchema {
        let ignoredProperties = ignored.sorted().map { (name: $0, schema: JSONSchema([("description", "Ignored: the server sets it.")])) }
        return object(description, properties + ignoredProperties, optional: optional.union(ignored), example: example)
            .adding("additionalProperties", false)
    }

    /// Either `null` or this.
    func orNull() -> JSONSchema {
        if case .string(let type)? = json["type"], json["enum"] == nil, json["const"] == nil {
            return replacing("type", with: [.string(type), "null"])
        }
        return JSONSchema([("anyOf", [json, ["type": "null"]])])
    }

    private func adding(_ name: String, _ value: JSONValue) -> JSONSchema {
        guard case .object(let members) = json else { return self }
        return JSONSchema(members.map { ($0.name, $0.value) } + [(name, value)])
    }

    private func replacing(_ name: String, with value: JSONValue) -> JSONSchema {
        guard case .object(let members) = json else { return self }
        return JSONSchema(members.map { ($0.name, $0.name == name ? value : $0.value) })
    }

    private static func integer(_ value: Int) -> JSONValue { .integer(Int64(value)) }
}

extension JSONSchema {
    /// An id: 32 lower-case hex characters.
    static func id(_ description: String? = nil) -> JSONSchema {
        .string(description, pattern: "^[0-9a-f]{32}$", example: "0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4")
    }

    /// A moment, in UTC with milliseconds where the server says it.
    static func time(_ description: String? = nil) -> JSONSchema {
        .string(description, format: "date-time")
    }
}
