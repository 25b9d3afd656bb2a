import ArgumentParser
import EMSCore
import EMSRuntime

struct EventComplete: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "complete",
        abstract: "Mark what is over as completed: for cron. Says nothing where nothing was over.",
        discussion: examples(
            "ems event complete",
            "ems event complete --dry-run"))

    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        if writing.isDryRun {
            for event in try await runtime.events.completePast(by: principal, dryRun: true) {
                StandardError.write("would complete \(event.id) \(Printable.quoted(event.title))")
            }
            return
        }
        while try await !runtime.events.completePast(by: principal).isEmpty {
            await runtime.deliverChangesOrTell()
        }
    }
}
