import EMSCore
import Hummingbird
import HummingbirdCore

/// Reads query parameters by name and type.
struct QueryReader {
    private let parameters: FlatDictionary<Substring, Substring>

    init(_ parameters: FlatDictionary<Substring, Substring>) {
        self.parameters = parameters
    }

    /// The parameters of a URL, in which a plus stands for a space (the form encoding of the URL standard) unless it is escaped.
    init(_ uri: URI) {
        self.init(URI("/?" + (uri.query ?? "").replacing("+", with: "%20")).queryParameters)
    }

    /// The parameter's text; an empty one counts as absent.
    func text(_ name: String) throws -> String? {
        guard let value = parameters[name[...]], !value.isEmpty else { return nil }
        let text = String(value)
        guard text.unicodeScalars.count <= 1000 else { throw EMSError.invalid(name, "must have at most 1000 characters", in: "query") }
        return text
    }

    func integer(_ name: String) throws -> Int? {
        try parse(name, "must be a whole number", type: "int_parsing") { Int($0) }
    }

    func boolean(_ name: String) throws -> Bool? {
        try parse(name, "must be true or false", type: "bool_parsing") { text in
            switch text.lowercased() {
            case "true", "1": true
            case "false", "0": false
            default: nil
            }
        }
    }

    func timestamp(_ name: String) throws -> Timestamp? {
        // A plus of a zone's offset has become a space where the client did not escape it.
        try parse(name, "must be an ISO 8601 time such as 2026-03-01T09:00:00Z", type: "datetime_parsing") {
            Timestamp($0) ?? Timestamp($0.replacing(" ", with: "+"))
        }
    }

    func word<Value: RawRepresentable<String> & CaseIterable>(_ name: String, as type: Value.Type = Value.self) throws -> Value? {
        let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return try parse(name, "must be one of \(words)", type: "enum") { Value(rawValue: $0) }
    }

    func page() throws -> PageRequest {
        PageRequest(
            number: try integer("page") ?? 1, size: try integer("page_size") ?? 10, after: try text("after").map { try PageCursor($0) })
    }

    /// `near=lat,lon` with `radius_km`.
    func area() throws -> EventQuery.Area? {
        let radius = try parse("radius_km", "must be a number", type: "float_parsing") { Double($0) }
        let center = try parse("near", "must be latitude,longitude", type: "coordinates_parsing") { text -> Coordinates? in
            let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
            guard parts.count == 2, let latitude = parts[0], let longitude = parts[1] else { return nil }
            return Coordinates(latitude: latitude, longitude: longitude)
        }
        guard let center else {
            if radius != nil { throw EMSError.invalid("near", "is needed with radius_km", type: "missing", in: "query") }
            return nil
        }
        return EventQuery.Area(center: center, radiusKilometres: radius ?? 10)
    }

    private func parse<Value>(_ name: String, _ message: String, type: String, _ convert: (String) -> Value?) throws -> Value? {
        guard let text = try text(name) else { return nil }
        guard let value = convert(text) else { throw EMSError.invalid(name, message, type: type, in: "query") }
        return value
    }
}
