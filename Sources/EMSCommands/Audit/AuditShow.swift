import ArgumentParser
import EMSCore
import EMSRuntime

struct AuditShow: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show an entry of the journal.",
        discussion: examples("ems audit show 1742", "ems audit show 1742 -o json | jq .before"))

    @Argument(help: "The entry's position.")
    var position: Int64

    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        try output.show(try await runtime.journal.entry(at: position, by: principal))
    }
}
