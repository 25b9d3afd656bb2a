import ArgumentParser
import EMSCore
import EMSRuntime

struct StoreMigrate: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Make what the store lacks: tables or collections, and indexes. Quiet when all is there; safe beside running daemons.",
        discussion: examples("ems store migrate", "ems store migrate --dry-run"))

    static let mode = Runtime.Mode.inspection

    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let steps = try await runtime.storeAdministration.migrate(dryRun: writing.isDryRun)
        for step in steps { StandardError.write("\(writing.isDryRun ? "would make" : "made") \(step)") }
    }
}
