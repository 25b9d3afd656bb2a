import ArgumentParser
import EMSCore
import EMSRuntime

struct EventWatch: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show what happens to events, as it happens, until Ctrl-C.",
        discussion: examples(
            "ems event watch",
            "ems event watch --event $ID -o jsonl"))

    @Option(help: ArgumentHelp("Only this event.", valueName: "event-id"))
    var event: EventID?

    @OptionGroup var watching: WatchOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let event = event
        try await watching.watch(runtime, output) { recorded in
            guard let subject = recorded.notification.event, recorded.notification.kind != .message else { return false }
            return event == nil || subject.id == event
        }
    }
}
