import ArgumentParser
import EMSCore
import EMSRuntime

struct EventComplete: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "complete",
        abstract: "Mark what is over as completed: for cron. Says nothing where all is well; run twice, it does nothing more.",
        discussion: examples(
            "ems event complete",
            "ems event complete --lock --json-summary",
            "ems event complete --dry-run"))

    @OptionGroup var summary: SummaryOptions
    @OptionGroup var locking: LockOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        var completed = 0
        if writing.isDryRun {
            for event in try await runtime.events.completePast(by: principal, dryRun: true) {
                StandardError.write("would complete \(event.id) \(Printable.quoted(event.title))")
                completed += 1
            }
        } else {
            while true {
                let events = try await runtime.events.completePast(by: principal)
                if events.isEmpty { break }
                completed += events.count
                await runtime.deliverChangesOrTell()
            }
        }
        summary.tell(("completed", completed), dryRun: writing.isDryRun)
    }
}
