import ArgumentParser
import EMSCore
import EMSRuntime

struct EventRemind: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "remind",
        abstract: """
            Remind the subscribers of events that begin soon: for cron. Each beginning is reminded of once, however often this runs; an event \
            that is moved is reminded of again.
            """,
        discussion: examples(
            "ems event remind --within 24h",
            "ems event remind --within 2h --tag talk --lock --json-summary",
            "ems event remind --within 24h --dry-run"))

    @Option(help: ArgumentHelp("How soon: such as 2h or 24h.", valueName: "time"))
    var within: DurationArgument

    @OptionGroup var tags: TagOptions
    @OptionGroup var summary: SummaryOptions
    @OptionGroup var locking: LockOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let now = Timestamp.now()
        var reminded = 0
        var cursor: PageCursor?
        repeat {
            let found = try await runtime.events.events(
                EventQuery(
                    tags: tags.tags, tagMatch: tags.tagMatch, status: .scheduled, startsAfter: now,
                    startsBefore: now.adding(seconds: within.seconds), sort: .startTime,
                    page: PageRequest(size: PageRequest.sizeRange.upperBound, after: cursor)))
            let new = try await runtime.notifications.remind(of: found.events, by: principal, dryRun: writing.isDryRun)
            if writing.isDryRun {
                for event in new { StandardError.write("would remind of \(event.id) \(Printable.quoted(event.title))") }
            }
            reminded += new.count
            cursor = found.next
        } while cursor != nil
        summary.tell(("reminded", reminded), dryRun: writing.isDryRun)
    }
}
