import ArgumentParser
import EMSCore
import EMSRuntime

struct NotifyPurge: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Remove old notifications from all inboxes: for cron.",
        discussion: examples(
            "ems notify purge --older-than 90d --yes --lock",
            "ems notify purge --older-than 90d --dry-run"))

    @Option(help: ArgumentHelp("How old: such as 12h or 90d.", valueName: "time"))
    var olderThan: DurationArgument

    @OptionGroup var summary: SummaryOptions
    @OptionGroup var locking: LockOptions
    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let moment = Timestamp.now().adding(seconds: -olderThan.seconds)
        if writing.isDryRun {
            let count = try await runtime.notifications.purgeable(before: moment)
            StandardError.write("would remove \(count)")
            return summary.tell(("removed", count), dryRun: true)
        }
        try confirmation.confirm("Remove what was recorded before \(moment) from all inboxes", runtime.settings)
        let count = try await runtime.notifications.purge(before: moment)
        if count > 0 {
            await runtime.noteOrTell(.purged, .purge, "notifications", by: principal) {
                $0.member("count", count)
                $0.member("before", moment.description)
            }
        }
        if count > 0, Terminal.isInteractive { StandardError.write("removed \(count)") }
        summary.tell(("removed", count), dryRun: false)
    }
}
