import ArgumentParser
import EMSCore

/// The forms in which data can be shown.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    case table, json, jsonl, yaml, csv, id
}

/// How data is shown.
struct OutputOptions: ParsableArguments {
    @Option(name: [.customShort("o", allowingJoined: true), .long], help: ArgumentHelp("The form of the output.", valueName: "format"))
    var output: OutputFormat = .table

    @Option(help: ArgumentHelp("Which columns a table or csv has, separated by commas.", valueName: "names"))
    var columns: String?

    @Flag(help: "No header line in a table or csv.")
    var noHeader = false

    @Flag(help: "Leave cells of csv as they are that a spreadsheet would take for formulas.")
    var raw = false

    @OptionGroup var zoning: ZoneOptions

    @Flag(help: "No pager for what is longer than the screen.")
    var noPager = false

    var zone: Zone { zoning.zone }

    /// Shows one thing.
    func show<Item: Presentable>(_ item: Item) throws {
        var list = try ListWriter<Item>(options: self, isSingle: true)
        try list.write([item])
        try list.finish()
    }

    /// Shows many things.
    func show<Item: Presentable>(_ items: [Item]) throws {
        page()
        var list = try ListWriter<Item>(options: self)
        try list.write(items)
        try list.finish()
    }

    /// Lets a pager show what is longer than the screen, unless it is not wanted.
    func page() {
        if !noPager { StandardOutput.page() }
    }

    /// The names that `--columns` gives, checked against those there are.
    func chosenColumns<Item: Presentable>(of type: Item.Type) throws -> [Column<Item>] {
        guard let columns else { return Item.columns.filter { output == .csv || $0.isUsual } }
        return try columns.split(separator: ",").map { name in
            guard let column = Item.columns.first(where: { $0.name == name }) else {
                throw EMSError(
                    .usage, "there is no column \(Printable.quoted(String(name)))",
                    fix: "there are: \(Item.columns.map(\.name).joined(separator: ", "))")
            }
            return column
        }
    }
}
