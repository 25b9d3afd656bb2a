import EMSCore

/// What can be shown: as JSON with the fields of HTTP, and as columns with the same names.
protocol Presentable: JSONEncodable, Sendable {
    static var columns: [Column<Self>] { get }
    /// What `-o id` prints.
    var identifier: String { get }
}

/// One column of a table or of csv.
struct Column<Item>: Sendable {
    let name: String
    /// Whether a table shows it unasked.
    let isUsual: Bool
    let value: @Sendable (Item) -> Cell

    init(_ name: String, usual: Bool = true, _ value: @escaping @Sendable (Item) -> Cell) {
        self.name = name
        isUsual = usual
        self.value = value
    }
}

/// What stands in a column, before it is made text.
enum Cell: Sendable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case time(Timestamp)
    case none

    static func text(_ value: String?) -> Cell { value.map { .text($0) } ?? .none }
    static func time(_ value: Timestamp?) -> Cell { value.map { .time($0) } ?? .none }
    static func number(_ value: Int?) -> Cell { value.map { .number($0) } ?? .none }
}

extension Column {
    /// The columns of an entity's fields.
    /// - Parameters:
    ///   - first: names of fields that come first, in their order.
    ///   - usual: names of those that a table shows unasked.
    static func all(of fields: [Field<Item>], first: [String], usual: Set<String>) -> [Column] {
        let named = first.compactMap { name in fields.first { $0.name == name } }
        let others = fields.filter { !first.contains($0.name) }
        return (named + others).flatMap { columns(of: $0, isUsual: usual.contains($0.name)) }
    }

    private static func columns(of field: Field<Item>, isUsual: Bool) -> [Column] {
        guard field.kind == .place else { return [Column(field.name, usual: isUsual) { Cell(field.value($0)) }] }
        return [
            Column("latitude", usual: isUsual) { Cell(field.value($0).coordinates?.latitude) },
            Column("longitude", usual: isUsual) { Cell(field.value($0).coordinates?.longitude) },
        ]
    }
}

extension FieldValue {
    fileprivate var coordinates: Coordinates? { if case .place(let place) = self { place } else { nil } }
}

extension Cell {
    fileprivate init(_ degrees: Double?) { self = .text(degrees.map { "\($0)" }) }

    fileprivate init(_ value: FieldValue) {
        self =
            switch value {
            case .absent: .none
            case .text(let text): .text(text)
            case .integer(let number): .number(number)
            case .flag(let flag): .flag(flag)
            case .time(let moment): .time(moment)
            case .texts(let texts): .text(texts.joined(separator: ","))
            case .place, .origin, .digest: .text(String(decoding: value.json(), as: UTF8.self))
            }
    }
}
