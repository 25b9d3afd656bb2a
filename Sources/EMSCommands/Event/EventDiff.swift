import ArgumentParser
import EMSCore
import EMSRuntime

struct EventDiff: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what is different between two versions of an event.",
        discussion: examples("ems event diff $ID", "ems event diff $ID --versions 2..5", "ems event diff $ID --versions 3.. -o json"))

    @OptionGroup var event: EventArgument

    @Option(
        help: ArgumentHelp(
            "From which version to which; without the second, to the latest. Unless given, the last two.", valueName: "A..B"),
        transform: { text in
            guard let range = VersionRange(text) else { throw ValidationError("--versions must be two versions, such as 2..5 or 2..") }
            return range
        })
    var versions: VersionRange?

    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let latest = try await runtime.journal.latestVersion(of: event.id, by: principal)
        let (first, last) = (versions?.first ?? max(1, latest - 1), versions?.last ?? latest)
        let from = try await runtime.journal.event(event.id, version: first, by: principal)
        let to = try await runtime.journal.event(event.id, version: last, by: principal)
        try output.show(FieldDifference.all(from, to))
    }
}

/// `2..5`, or `2..`.
struct VersionRange: Sendable {
    let first: Int
    let last: Int?

    init?(_ text: String) {
        guard let dots = text.firstRange(of: "..") else { return nil }
        let rest = text[dots.upperBound...]
        guard let first = Int(text[..<dots.lowerBound]), first > 0 else { return nil }
        if rest.isEmpty {
            (self.first, last) = (first, nil)
        } else {
            guard let last = Int(rest), last > 0 else { return nil }
            (self.first, self.last) = (first, last)
        }
    }
}

extension FieldDifference: Presentable {
    static let columns: [Column<FieldDifference>] = [
        Column("field") { .text($0.field) },
        Column("from") { cell($0.from) },
        Column("to") { cell($0.to) },
    ]

    var identifier: String { field }

    private static func cell(_ value: JSONValue) -> Cell {
        switch value {
        case .null: .none
        case .string(let text): .text(text)
        default: .text(String(decoding: value.json(), as: UTF8.self))
        }
    }
}
