import ArgumentParser
import EMSCore

/// In which form an export is written.
struct ExportOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The form.", valueName: "format"))
    var format: BulkFormat = .jsonl

    @Flag(help: "Leave cells of csv as they are that a spreadsheet would take for formulas.")
    var raw = false

    /// Writes page after page to stdout, as jsonl or csv.
    func run<Item: Presentable>(_ fetch: (PageRequest) async throws -> (items: [Item], next: PageCursor?)) async throws {
        var output = try OutputOptions.parse([])
        output.output = format == .csv ? .csv : .jsonl
        output.raw = raw
        var writer = try ListWriter<Item>(options: output)
        try await pages(fetch) { try writer.write($0) }
        try writer.finish()
    }

    /// Reads page after page; while one is written, the next is read.
    func pages<Item: Sendable>(
        _ fetch: (PageRequest) async throws -> (items: [Item], next: PageCursor?), _ write: ([Item]) throws -> Void
    ) async throws {
        let progress = ProgressLine()
        defer { progress.end() }
        var cursor: PageCursor?
        var count = 0
        repeat {
            let (items, next) = try await fetch(.export(after: cursor))
            try write(items)
            count += items.count
            progress.show("exported \(count)")
            cursor = next
        } while cursor != nil
    }
}
