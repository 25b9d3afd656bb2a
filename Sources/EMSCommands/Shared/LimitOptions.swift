import ArgumentParser
import EMSCore

/// How much of a list is wanted.
struct LimitOptions: ParsableArguments {
    @Option(help: "At most so many.")
    var limit = 100

    @Flag(help: "All of them, however many.")
    var all = false

    func validate() throws {
        guard (1...Self.highest).contains(limit) else { throw ValidationError("--limit must be 1 to \(Self.highest).") }
    }

    private static let highest = 1_000_000_000

    /// Fetches page after page, and shows each as it comes: memory does not grow with the list.
    func list<Item: Presentable>(
        _ output: OutputOptions, _ fetch: (PageRequest) async throws -> (items: [Item], next: PageCursor?)
    ) async throws {
        output.page()
        try await Self.list(upTo: all ? .max : limit, output, fetch)
    }

    static func list<Item: Presentable>(
        upTo limit: Int, _ output: OutputOptions, _ fetch: (PageRequest) async throws -> (items: [Item], next: PageCursor?)
    ) async throws {
        var writer = try ListWriter<Item>(options: output)
        var rest = limit
        var cursor: PageCursor?
        repeat {
            let (items, next) = try await fetch(PageRequest(size: min(rest, PageRequest.sizeRange.upperBound), after: cursor))
            try writer.write(items)
            rest -= items.count
            cursor = next
        } while cursor != nil && rest > 0
        try writer.finish()
        guard cursor != nil else { return }
        // The words come below the data.
        try StandardOutput.flush()
        StandardError.write("(there are more: raise --limit, or use --all)")
    }
}
