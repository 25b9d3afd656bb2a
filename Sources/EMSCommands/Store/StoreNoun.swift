import ArgumentParser

struct StoreNoun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Maintain the store: versions, indexes, disk space, copies.",
        discussion: examples("ems store status", "ems store migrate", "ems store copy --from sqlite:ems.db --to env:MONGODB_URL"),
        subcommands: [StoreStatus.self, StoreMigrate.self, StoreCompact.self, StoreCopy.self])
}
