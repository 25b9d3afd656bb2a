import ArgumentParser
import EMSCore
import EMSRuntime

struct BrokerDeadShow: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one dead letter with its body.",
        discussion: examples(
            "ems broker dead show 0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4", "ems broker dead show $ID -o json | jq -r .body | jq ."))

    static let mode = Runtime.Mode.inspection

    @Argument(help: ArgumentHelp("The message's id.", valueName: "message-id"))
    var id: String

    @OptionGroup var consumer: ConsumerOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let letters = try await runtime.brokerAdministration.deadLetters(of: consumer.name, limit: .max)
        guard let letter = letters.first(where: { $0.message.messageID == id }) else { throw EMSError.notFound("dead letter", id) }
        try output.show(letter)
    }
}
