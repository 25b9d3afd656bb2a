import ArgumentParser
import EMSCore
import EMSRuntime

struct TokenPurge: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Remove sessions that ended or expired long ago, with their tokens: for cron. None that is good is touched.",
        discussion: examples(
            "ems token purge",
            "ems token purge --older-than 30d --lock --json-summary",
            "ems token purge --dry-run"))

    @Option(help: ArgumentHelp("For how long they have been of no use: such as 7d.", valueName: "time"))
    var olderThan = DurationArgument(seconds: 7 * 86_400)

    @OptionGroup var summary: SummaryOptions
    @OptionGroup var locking: LockOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let moment = Timestamp.now().adding(seconds: -olderThan.seconds)
        let count = try await runtime.authentication().purgeSessions(before: moment, dryRun: writing.isDryRun)
        if writing.isDryRun { StandardError.write("would remove \(count)") }
        if !writing.isDryRun, count > 0 {
            await runtime.noteOrTell(.purged, .purge, "sessions", by: principal) {
                $0.member("count", count)
                $0.member("before", moment.description)
            }
        }
        summary.tell(("removed", count), dryRun: writing.isDryRun)
    }
}
