import ArgumentParser
import EMSCore
import EMSRuntime

struct BrokerDeadDrop: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Remove dead letters for good.",
        discussion: examples("ems broker dead drop 0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4 --yes", "ems broker dead drop --all"))

    static let mode = Runtime.Mode.inspection

    @OptionGroup var letters: DeadLetterOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        // All are counted and dropped unread: one that cannot be read must not be in the way.
        let count =
            if letters.all { try await runtime.brokerAdministration.report().deadLetters } else {
                try await letters.chosen(runtime.brokerAdministration).count
            }
        if writing.isDryRun { return StandardError.write("would drop \(count)") }
        if count == 0 { return StandardError.write("dropped 0") }
        try confirmation.confirm("Drop \(count) dead letters for good", runtime.settings)
        StandardError.write("dropped \(try await runtime.brokerAdministration.drop(letters.selection, of: letters.consumer.name))")
    }
}
