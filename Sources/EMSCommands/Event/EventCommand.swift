import ArgumentParser

struct EventCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event",
        abstract: "Manage events.",
        discussion: examples(
            "ems event create --title Gala --start 2027-03-01T19:00Z --end 2027-03-02",
            "ems event list --status scheduled",
            "ems event search swift --near 37.77,-122.42 --radius-km 50"),
        subcommands: [
            EventCreate.self, EventList.self, EventShow.self, EventUpdate.self, EventDelete.self, EventSearchCommand.self,
            EventHistory.self, EventDiff.self, EventRestore.self, EventSubscribe.self, EventUnsubscribe.self, EventImport.self,
            EventExport.self, EventComplete.self, EventRemind.self,
            EventWatch.self,
        ])
}
