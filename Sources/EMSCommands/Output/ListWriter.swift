import EMSCore
import Yams

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes things as they come, in the chosen form: the one place that knows the forms.
struct ListWriter<Item: Presentable> {
    private let options: OutputOptions
    private let isSingle: Bool
    private var isFirst = true
    private var table: TableText?
    private let isColoured = Style.isShown(on: STDOUT_FILENO)

    /// - Parameter isSingle: one thing is wanted: JSON and YAML show it without an array around it.
    /// - Throws: ``EMSError`` with ``ErrorCode/usage`` where a column is wanted that there is not.
    init(options: OutputOptions, isSingle: Bool = false) throws {
        if Item.self != Facts.self { _ = try options.chosenColumns(of: Item.self) }
        self.options = options
        self.isSingle = isSingle
    }

    mutating func write(_ items: [Item]) throws {
        guard !items.isEmpty else { return }
        switch options.output {
        case .json:
            for (index, item) in items.enumerated() { try writeJSON(item, isStart: isFirst && index == 0) }
        case .jsonl:
            for item in items { try StandardOutput.write(item.json() + [0x0A]) }
        case .yaml:
            for item in items { try StandardOutput.write(try yaml(item)) }
        case .csv:
            let columns = try columns(items)
            if isFirst, !options.noHeader { try StandardOutput.write(CSV.line(columns.map(\.name))) }
            for item in items {
                let cells = columns.map { TableText.plain($0.value(item), in: options.zone) }
                try StandardOutput.write(CSV.line(options.raw ? cells : cells.map(CSV.neutralised)))
            }
        case .id:
            for item in items { try StandardOutput.write(item.identifier + "\n") }
        case .table:
            try writeTable(items)
        }
        isFirst = false
    }

    func finish() throws {
        switch options.output {
        case .json where !isSingle: try StandardOutput.write(isFirst ? "[]\n" : "\n]\n")
        case .yaml where isFirst && !isSingle: try StandardOutput.write("[]\n")
        case .table where isFirst && !isSingle: StandardError.write("(none)")
        case .csv where isFirst && !options.noHeader:
            try StandardOutput.write(CSV.line(try options.chosenColumns(of: Item.self).map(\.name)))
        case .table, .json, .jsonl, .yaml, .csv, .id: break
        }
    }

    private func writeJSON(_ item: Item, isStart: Bool) throws {
        if isSingle { return try StandardOutput.write(item.json(pretty: true) + [0x0A]) }
        var list = JSONWriter(pretty: true)
        list.array([item])
        // The array's brackets come once: what is between them is what this item adds.
        let inner = list.bytes.dropFirst(1).dropLast(2)
        try StandardOutput.write((isStart ? "[" : ",") + String(decoding: inner, as: UTF8.self))
    }

    private func yaml(_ item: Item) throws -> String {
        let node = try YAMLText.node(JSONParser.parse(item.json()))
        return try Yams.serialize(node: isSingle ? node : Node([node]), allowUnicode: true, sortKeys: false)
    }

    private mutating func writeTable(_ items: [Item]) throws {
        let columns = try columns(items)
        if isSingle {
            let pairs = columns.map { ($0.name, TableText.shown($0.value(items[0]), in: options.zone)) }
            return try StandardOutput.write(TableText.pairs(pairs, isColoured: isColoured))
        }
        let rows = items.map { item in columns.map { TableText.shown($0.value(item), in: options.zone) } }
        let width = TerminalSize.of(STDOUT_FILENO)?.columns
        let table = self.table ?? TableText(header: columns.map(\.name), rows: rows, width: width, mayOmit: options.columns == nil)
        if self.table == nil, !table.omitted.isEmpty {
            StandardError.write("(left out on a terminal of this width: \(table.omitted.joined(separator: ", ")); --columns chooses)")
        }
        self.table = table
        if isFirst, !options.noHeader { try StandardOutput.write(table.headerLine(isColoured: isColoured)) }
        for row in rows { try StandardOutput.write(table.line(row, isColoured: isColoured)) }
    }

    /// One thing shows all its columns; facts have those they bring.
    private func columns(_ items: [Item]) throws -> [Column<Item>] {
        if let facts = items.first as? Facts {
            return facts.members.enumerated().map { index, member in
                Column(member.name) { item in (item as? Facts)?.members[index].value ?? .none }
            }
        }
        if isSingle, options.columns == nil { return Item.columns }
        return try options.chosenColumns(of: Item.self)
    }
}

/// JSON's values as YAML nodes; what would read back as something else is quoted.
enum YAMLText {
    static func node(_ value: JSONValue) -> Node {
        switch value {
        case .null: Node("null", Tag(.null))
        case .bool(let value): Node(value ? "true" : "false", Tag(.bool))
        case .integer(let value): Node(String(value), Tag(.int))
        case .number(let value): Node(value.description, Tag(.float))
        case .string(let value): Node(value, Tag(.str), style(of: value))
        case .array(let elements): Node(elements.map(node), Tag(.seq))
        case .object(let members): Node(members.map { (Node($0.name), node($0.value)) }, Tag(.map))
        }
    }

    private static func style(of text: String) -> Node.Scalar.Style {
        let isPlain = Resolver.default.resolveTag(of: Node(text)) == .str && !text.isEmpty
        return isPlain ? .any : .doubleQuoted
    }
}
