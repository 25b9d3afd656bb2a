import EMSCore
import GRDB

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// How the fields of an entity lie in a row.
extension Field {
    /// The columns of the field: most often one of its name.
    var columns: [String] {
        switch kind {
        case .id: ["id"]
        case .place: ["latitude", "longitude"]
        default: [name]
        }
    }

    /// Adds the values of the columns.
    func append(_ entity: Entity, to values: inout [DatabaseValue]) {
        switch value(entity) {
        case .absent:
            values.append(.null)
            if kind == .place { values.append(.null) }
        case .text(let text): values.append(text.databaseValue)
        case .integer(let number): values.append(number.databaseValue)
        case .flag(let flag): values.append(flag.databaseValue)
        case .time(let moment): values.append(moment.milliseconds.databaseValue)
        case .texts(let texts): values.append(texts.joined(separator: ",").databaseValue)
        case .place(let place): values += [place.latitude.databaseValue, place.longitude.databaseValue]
        case .origin(let origin): values.append(String(decoding: origin.json(), as: UTF8.self).databaseValue)
        case .digest(let bytes): values.append(Data(bytes).databaseValue)
        }
    }
}

extension Array {
    /// The values of the columns of all fields, and of what comes after them.
    func arguments<Entity>(of entity: Entity, _ more: [DatabaseValue] = []) -> StatementArguments where Element == Field<Entity> {
        var values: [DatabaseValue] = []
        values.reserveCapacity(2 * count + more.count)
        for field in self { field.append(entity, to: &values) }
        return StatementArguments(values + more)
    }
}

/// A row that holds the columns of an entity's fields in the order of the fields.
struct FieldRow: FieldSource {
    private let row: Row
    private var index: Int

    /// - Parameter start: the first column.
    init(_ row: Row, from start: Int = 0) {
        self.row = row
        index = start
    }

    private mutating func next(_ count: Int = 1) -> Int {
        defer { index += count }
        return index
    }

    mutating func id<Subject>(of name: StaticString) throws -> ID<Subject> { try row.id(next()) }
    mutating func text(of name: StaticString) throws -> String { try row.text(next()) }
    mutating func optionalText(of name: StaticString) throws -> String? { try row.optionalText(next()) }
    mutating func word<Value: RawRepresentable<String>>(of name: StaticString) throws -> Value { try row.word(next()) }
    mutating func count(of name: StaticString) throws -> Int { Int(try row.counter(next())) }
    mutating func optionalInteger(of name: StaticString) throws -> Int? { try row.optionalInteger(next()).map { Int($0) } }
    mutating func time(of name: StaticString) throws -> Timestamp { try row.timestamp(next()) }
    mutating func texts(of name: StaticString) throws -> [String] { EventRules.tags(in: try row.text(next())) }
    mutating func place(of name: StaticString) throws -> Coordinates? { try row.coordinates(next(2)) }
    mutating func digest(of name: StaticString) throws -> [UInt8]? { try row.optionalData(next()).map { Array($0) } }

    mutating func origin(of name: StaticString) throws -> EventOrigin? {
        guard let text = try row.optionalText(next()) else { return nil }
        guard let json = try? JSONParser.parse(Array(text.utf8)), let origin = EventOrigin(json) else {
            throw EMSError(.storeCorrupt, "a row of the database holds an unknown origin", fix: "restore a backup")
        }
        return origin
    }
}

extension Row {
    /// Of two columns: latitude and longitude.
    func coordinates(_ column: Int) throws -> Coordinates? {
        guard let latitude = try optionalNumber(column), let longitude = try optionalNumber(column + 1) else { return nil }
        return Coordinates(latitude: latitude, longitude: longitude)
    }
}
