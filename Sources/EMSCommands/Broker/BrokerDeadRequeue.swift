import ArgumentParser
import EMSCore
import EMSRuntime

struct BrokerDeadRequeue: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "requeue",
        abstract: "Give dead letters back to be consumed, under their own ids: what was recorded before is not shown again.",
        discussion: examples(
            "ems broker dead requeue 0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4", "ems broker dead requeue --all",
            "ems broker dead requeue --sign $ID"))

    static let mode = Runtime.Mode.inspection

    @Flag(help: "Sign the messages with this installation's key. Look at them first: ems broker dead show.")
    var sign = false

    @OptionGroup var letters: DeadLetterOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let chosen = try await letters.chosen(runtime.brokerAdministration)
        if writing.isDryRun { return StandardError.write("would requeue \(chosen.count)") }
        StandardError.write(
            "requeued \(try await runtime.brokerAdministration.requeue(letters.selection, of: letters.consumer.name, signing: sign))")
        await runtime.deliverChangesOrTell()
    }
}
