import ArgumentParser
import EMSCore

/// Which tags events must have to be shown.
struct TagOptions: ParsableArguments {
    @Option(
        name: .customLong("tag"), help: ArgumentHelp("Only events with this tag. May be given several times.", valueName: "tag"),
        completion: .tags)
    var tags: [String] = []

    @Option(help: "Whether an event must have all of several tags, or any of them.")
    var tagMatch = EventQuery.TagMatch.all
}

extension EventQuery.TagMatch: ExpressibleByArgument {}
