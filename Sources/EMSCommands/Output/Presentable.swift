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
