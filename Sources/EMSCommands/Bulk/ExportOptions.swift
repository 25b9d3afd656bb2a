import ArgumentParser
import EMSCore
import EMSRuntime

/// In which form an export is written.
struct ExportOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The form.", valueName: "format"))
    var format: BulkFormat = .jsonl

    @Flag(help: "Leave cells of csv as they are that a spreadsheet would take for formulas.")
    var raw = false

    /// Whose export it is, and of what: what the journal notes.
    struct Note {
        let runtime: Runtime
        let kind: String
        let principal: Principal
    }

    /// Writes page after page to stdout, as jsonl or csv.
    func run<Item: Presentable>(
        _ note: Note, _ fetch: (PageRequest) async throws -> (items: [Item], next: PageCursor?)
    ) async throws {
        var output = try OutputOptions.parse([])
        output.output = format == .csv ? .csv : .jsonl
        output.raw = raw
        var writer = try ListWriter<Item>(options: output)
        try await pages(note, fetch) { try writer.write($0) }
        try writer.finish()
    }

    /// Reads page after page; while one is written, the next is read.
    func pages<Item: Sendable>(
        _ note: Note, _ fetch: (PageRequest) async throws -> (items: [Item], next: PageCursor?), _ write: ([Item]) throws -> Void
    ) async throws {
        let progress = ProgressLine()
        defer { progress.end() }
        var cursor: PageCursor?
        var count = 0
        do {
            repeat {
                let (items, next) = try await fetch(.export(after: cursor))
                try write(items)
                count += items.count
                progress.show("exported \(count)")
                cursor = next
            } while cursor != nil
        } catch {
            // What is out cannot be taken back.
            await add(note, count: count, isComplete: false)
            throw error
        }
        await add(note, count: count, isComplete: true)
    }

    private func add(_ note: Note, count: Int, isComplete: Bool) async {
        await note.runtime.noteOrTell(.exported, .export, note.kind, by: note.principal) {
            $0.member("format", format.rawValue)
            $0.member("count", count)
            $0.member("is_complete", isComplete)
        }
    }
}
