import ArgumentParser
import EMSCore
import EMSRuntime

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

struct StoreCopy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: """
            Copy everything from one store into another, and compare the two: the way from one machine to many, and back. Stop the daemons \
            first. What is equal already is passed over, so that a copy may be cut short and repeated. The exit status is 0 only where both \
            hold the same.
            """,
        discussion: examples(
            "ems store copy --from ~/.local/share/ems/ems.db --to env:MONGODB_URL",
            "ems store copy --from mongodb://db.example.com/ems --to sqlite:ems.db",
            "ems store copy --from ems.db --to env:MONGODB_URL --dry-run -o json"))

    @Option(
        help: ArgumentHelp(
            "The store to copy from: sqlite:PATH, a path, mongodb://HOST/DATABASE, or env:VARIABLE for a variable that holds one of these.",
            valueName: "store"))
    var from: String

    @Option(help: ArgumentHelp("The store to copy into, named likewise; made where it is not there.", valueName: "store"))
    var to: String

    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let (source, target) = (try StorePlace(from, environment: environment), try StorePlace(to, environment: environment))
        let database = try global.sources().find(.dbName)?.value ?? ""
        guard !source.isSame(as: target) else {
            throw EMSError(.usage, "--from and --to name the same store", fix: "name another store with --to")
        }
        let (reading, pending) = try await source.open(database: database, making: false)
        if pending > 0 {
            throw EMSError(
                .busy,
                "\(pending) \(pending == 1 ? "change or notification is on its" : "changes or notifications are on their") way in \(source.description), and would be left behind",
                fix: "deliver them first: ems broker flush")
        }
        // A dry run makes nothing: what is not there yet is looked at as an empty store elsewhere.
        let scratch = writing.isDryRun ? try target.scratchIfMissing() : nil
        defer { withExtendedLifetime(scratch) {} }
        let (into, _) = try await (scratch?.place ?? target).open(database: database, making: true)
        let progress = ProgressLine()
        let comparisons = try await StoreCopier(from: reading, to: into).copy(dryRun: writing.isDryRun) { kind, count in
            progress.show("\(kind.rawValue): \(count)")
        }
        progress.end()
        try output.show(comparisons)
        if writing.isDryRun { return }
        let different = comparisons.filter { !$0.isEqual }.map(\.kind.rawValue)
        guard different.isEmpty else {
            throw EMSError(
                .partial, "the stores differ in \(different.joined(separator: ", "))",
                fix: "where the target holds more, it was not empty; where the source went on meanwhile, copy again")
        }
    }
}

extension StoreCopier.Comparison: Presentable {
    static let columns: [Column<StoreCopier.Comparison>] = [
        Column("kind") { .text($0.kind.rawValue) },
        Column("copied") { .number($0.copied) },
        Column("source_count") { .number($0.source.count) },
        Column("target_count") { .number($0.target.count) },
        Column("source_checksum", usual: false) { .text($0.source.checksum) },
        Column("target_checksum", usual: false) { .text($0.target.checksum) },
        Column("equal") { .flag($0.isEqual) },
    ]

    var identifier: String { kind.rawValue }

    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("kind", kind.rawValue)
            $0.member("copied", copied)
            $0.member("source_count", source.count)
            $0.member("target_count", target.count)
            $0.member("source_checksum", source.checksum)
            $0.member("target_checksum", target.checksum)
            $0.member("equal", isEqual)
        }
    }
}
