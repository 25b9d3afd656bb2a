import ArgumentParser
import EMSCore
import EMSRuntime

struct EventShow: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show an event.",
        discussion: examples(
            "ems event show 0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4",
            "ems event show $ID -o json"))

    @OptionGroup var event: EventArgument
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        try output.show(try await runtime.events.event(event.id))
    }
}
