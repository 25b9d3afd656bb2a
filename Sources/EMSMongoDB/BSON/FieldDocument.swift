import EMSCore

/// How the fields of an entity lie in a document.
extension Field {
    /// The name of the element.
    var element: String {
        switch kind {
        case .id: "_id"
        case .place: "place"
        default: name
        }
    }

    /// Adds the element, unless the field is absent.
    func write(_ entity: Entity, to writer: inout BSONWriter) {
        switch value(entity) {
        case .absent: break
        case .text(let text): writer.member(element, text)
        case .integer(let number): writer.member(element, number)
        case .flag(let flag): writer.member(element, flag)
        case .time(let moment): writer.member(element, moment)
        case .texts(let texts): writer.array(element, texts)
        case .place(let place):
            // GeoJSON (RFC 7946): longitude first.
            writer.document(element) {
                $0.member("type", "Point")
                $0.array("coordinates") {
                    $0.element(place.longitude)
                    $0.element(place.latitude)
                }
            }
        case .origin(let origin):
            writer.document(element) {
                $0.member("key", origin.key)
                $0.member("sequence", origin.sequence)
                $0.member("properties", origin.properties)
            }
        case .digest(let bytes): writer.member(element, binary: bytes)
        }
    }
}

extension BSONReader: FieldSource {
    mutating func id<Subject>(of name: StaticString) throws -> ID<Subject> { try id("_id") }
    mutating func text(of name: StaticString) throws -> String { try text(name) }
    mutating func optionalText(of name: StaticString) throws -> String? { try optionalText(name) }
    mutating func word<Value: RawRepresentable<String>>(of name: StaticString) throws -> Value { try word(name) }
    mutating func count(of name: StaticString) throws -> Int { Int(try counter(name)) }
    mutating func optionalInteger(of name: StaticString) throws -> Int? { try optionalInteger(name).map { Int($0) } }
    mutating func time(of name: StaticString) throws -> Timestamp { try date(name) }
    mutating func texts(of name: StaticString) throws -> [String] { try array(name) { $0.text } }
    mutating func digest(of name: StaticString) throws -> [UInt8]? { try find(name) == nil ? nil : binary(name) }

    mutating func place(of name: StaticString) throws -> Coordinates? {
        guard var place = try optionalDocument("place") else { return nil }
        let numbers = try place.array("coordinates") { $0.number }
        guard numbers.count == 2 else { throw Self.damaged("a place has not two coordinates") }
        return Coordinates(latitude: numbers[1], longitude: numbers[0])
    }

    mutating func origin(of name: StaticString) throws -> EventOrigin? {
        guard var origin = try optionalDocument(name) else { return nil }
        return EventOrigin(
            key: try origin.text("key"), sequence: Int(try origin.integer("sequence")), properties: try origin.text("properties"))
    }
}
