import ArgumentParser
import EMSCore
import EMSRuntime

struct TokenKeysList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the keys, the one that signs first. A key of HS256 is called by its fingerprint.",
        discussion: examples("ems token keys", "ems token keys list -o json"))

    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let settings = try global.settings()
        let keys = try settings.tokenKeys()
        try output.show(
            keys.enumerated().map { index, key in
                ListedKey(id: key.id, algorithm: key.algorithm, isSigning: index == 0, source: settings.tokenKeySource)
            })
    }
}

/// A key as it is shown: never the key itself.
struct ListedKey: Presentable {
    let id: String
    let algorithm: TokenAlgorithm
    let isSigning: Bool
    let source: String

    static let columns: [Column<ListedKey>] = [
        Column("key_id") { .text($0.id) },
        Column("algorithm") { .text($0.algorithm.rawValue) },
        Column("signs") { .flag($0.isSigning) },
        Column("source") { .text($0.source) },
    ]

    var identifier: String { id }

    func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("key_id", id)
            $0.member("algorithm", algorithm.rawValue)
            $0.member("signs", isSigning)
            $0.member("source", source)
        }
    }
}
