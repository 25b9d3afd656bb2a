import ArgumentParser
import EMSCore
import EMSRuntime

struct AuditPurge: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: """
            Cut off the beginning of the journal: for cron, where journal_keep is not set. What is there now is recorded once more first, so \
            that ems audit verify still tells whether anything was altered.
            """,
        discussion: examples(
            "ems audit export --until 2027-01-01 > journal-2026.jsonl && ems audit purge --older-than 52w --yes --lock",
            "ems audit purge --older-than 400d --dry-run"))

    @Option(help: ArgumentHelp("How old: such as 90d or 52w; a day at least.", valueName: "time"))
    var olderThan: DurationArgument

    @OptionGroup var summary: SummaryOptions
    @OptionGroup var locking: LockOptions
    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard olderThan.seconds >= 86_400 else { throw ValidationError("--older-than must be a day at least: 1d.") }
    }

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let moment = Timestamp.now().adding(seconds: -olderThan.seconds)
        if !writing.isDryRun { try confirmation.confirm("Cut off the journal before \(moment)", runtime.settings) }
        let progress = ProgressLine()
        let cut = try await runtime.journalRetention.cut(before: moment, by: principal.author, dryRun: writing.isDryRun) {
            progress.show("read \($0) entries")
        }
        progress.end()
        if writing.isDryRun {
            StandardError.write("would remove \(cut.entries)")
        } else if cut.entries > 0, Terminal.isInteractive {
            StandardError.write("removed \(cut.entries)")
        }
        if let needed = cut.neededFrom {
            StandardError.write(
                "ems: kept from position \(needed) on, which is not published or consumed yet, or a dead letter (see: ems broker status)")
        }
        summary.tell(("removed", cut.entries), dryRun: writing.isDryRun)
    }
}
