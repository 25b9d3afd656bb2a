import ArgumentParser
import EMSCore
import EMSRuntime

struct AuditPurge: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Remove old entries from the beginning of the journal.",
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
        if !writing.isDryRun { try confirmation.confirm("Remove the entries of the journal before \(moment)", runtime.settings) }
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
                "ems: kept from position \(needed): not published or consumed yet, or a dead letter; run: ems broker status")
        }
        summary.tell(("removed", cut.entries), dryRun: writing.isDryRun)
    }
}
