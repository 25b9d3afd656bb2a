import ArgumentParser
import EMSCore
import EMSRuntime

struct StoreCompact: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Give disk space back that deleted data still occupies.",
        discussion: examples("ems notify purge --older-than 90d --yes && ems store compact", "ems store compact --dry-run"))

    @OptionGroup var locking: LockOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let administration = runtime.storeAdministration
        let before = try await administration.bytes()
        if writing.isDryRun { return StandardError.write("would compact \(runtime.settings.targetName), which has \(before) bytes") }
        try await administration.compact()
        let after = try await administration.bytes()
        StandardError.write("compacted \(runtime.settings.targetName): \(before) bytes before, \(after) bytes now")
    }
}
