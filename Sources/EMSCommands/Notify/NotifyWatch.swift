import ArgumentParser
import EMSCore
import EMSRuntime

struct NotifyWatch: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show notifications as they come, until Ctrl-C.",
        discussion: examples(
            "ems notify watch --user ada",
            "ems notify watch -o jsonl --count 1 --timeout 30s"))

    @Option(
        help: ArgumentHelp("Only what this user gets: a username, an email or an id. Otherwise all that anybody gets.", valueName: "user"),
        completion: .users)
    var user: String?

    @OptionGroup var watching: WatchOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        var watched: UserID?
        if let user { watched = try await runtime.users.user(named: user).id }
        let reader = watched
        try await watching.watch(runtime, output) { recorded in
            guard let reader else { return true }
            return try await !runtime.notifications.recipients(of: recorded, among: [reader]).isEmpty
        }
    }
}
