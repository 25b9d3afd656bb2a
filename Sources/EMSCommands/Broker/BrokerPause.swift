import ArgumentParser
import EMSCore
import EMSRuntime

struct BrokerPause: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Let a consumer rest in all processes. What it would have dealt with waits.",
        discussion: examples("ems broker pause inbox", "ems broker pause inbox && ems store compact; ems broker resume inbox"))

    @OptionGroup var consumer: ConsumerArgument
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        guard try await runtime.setPaused(consumer.name, true) else { return StandardError.write("was paused before") }
        // What is written from now on waits.
        try await Task.sleep(for: Consumer.pauseLatency)
    }
}

struct BrokerResume: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a paused consumer go on, where it was.",
        discussion: examples("ems broker resume inbox"))

    @OptionGroup var consumer: ConsumerArgument
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        if try await !runtime.setPaused(consumer.name, false) { StandardError.write("was not paused") }
        await runtime.deliverChangesOrTell()
    }
}

/// The consumer a command is about.
struct ConsumerArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The consumer: \(Consumer.all.map(\.name).joined(separator: ", ")).", valueName: "consumer"))
    var name: Consumer
}

extension Consumer: ExpressibleByArgument {
    public init?(argument: String) { self.init(named: argument) }

    public var defaultValueDescription: String { name }
    public static var allValueStrings: [String] { all.map(\.name) }
    public static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}
