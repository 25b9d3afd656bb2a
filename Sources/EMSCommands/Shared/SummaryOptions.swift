import ArgumentParser
import EMSCore

/// What a command for cron tells of what it did.
struct SummaryOptions: ParsableArguments {
    @Flag(help: "Print what was done as one JSON object on stdout.")
    var jsonSummary = false

    @Flag(help: "Say nothing where all is well.")
    var quiet = false

    /// An import's end.
    func tell(_ tally: Tally, dryRun: Bool) {
        if jsonSummary {
            write(
                [("created", tally.created), ("updated", tally.updated), ("skipped", tally.skipped), ("failed", tally.failed)],
                dryRun: dryRun)
        }
        if quiet, tally.failed == 0 { return }
        let counts = "created \(tally.created), updated \(tally.updated), skipped \(tally.skipped), failed \(tally.failed)"
        StandardError.write(dryRun ? "\(counts) (dry run: nothing was stored)" : counts)
    }

    /// The counts of a command that is silent otherwise.
    func tell(_ counts: (name: String, count: Int)..., dryRun: Bool) {
        if jsonSummary { write(counts, dryRun: dryRun) }
    }

    private func write(_ counts: [(name: String, count: Int)], dryRun: Bool) {
        var writer = JSONWriter()
        writer.object {
            for (name, count) in counts { $0.member(name, count) }
            $0.member("dry_run", dryRun)
        }
        // Whether the counts arrive changes nothing about what was done; a full disk is told when the command ends.
        try? StandardOutput.write(writer.bytes + [0x0A])
    }
}
