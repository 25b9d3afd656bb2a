import ArgumentParser
import EMSCore
import EMSRuntime

struct BrokerFlush: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "flush",
        abstract: "Publish all pending changes, whoever wrote them. For cron, where no daemon runs; quiet when nothing is pending.",
        discussion: examples("ems broker flush", "ems broker flush --dry-run"))

    @OptionGroup var summary: SummaryOptions
    @OptionGroup var locking: LockOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        if writing.isDryRun {
            let count = try await runtime.pendingChanges().count
            if count > 0 { StandardError.write("would publish \(count)") }
            return summary.tell(("published", count), dryRun: true)
        }
        let published = try await runtime.flushChanges()
        if published > 0, !summary.quiet, !summary.jsonSummary { StandardError.write("published \(published)") }
        summary.tell(("published", published), dryRun: false)
    }
}
