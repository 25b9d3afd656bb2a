import ArgumentParser
import EMSCore
import EMSRuntime

struct BrokerDeclare: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "declare",
        abstract: "Declare exchanges, queues and bindings where they are missing. Daemons do so as well when they connect.",
        discussion: examples("ems broker declare", "ems broker declare --replace --yes"))

    static let mode = Runtime.Mode.inspection

    @Flag(help: "Make the queue anew where somebody declared it otherwise; its messages go to the dead letters first.")
    var replace = false

    @OptionGroup var writing: WriteOptions
    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let report = try? await runtime.brokerAdministration.report()
        if writing.isDryRun {
            return StandardError.write(report == nil ? "would declare what is missing" : "would declare nothing: all is there")
        }
        if replace, report == nil {
            try confirmation.confirm("Make the queue anew, if it differs, and move its messages to the dead letters", runtime.settings)
        }
        let moved = try await runtime.brokerAdministration.declare(replacing: replace)
        if moved > 0 { StandardError.write("moved \(moved) to the dead letters; give them back with: ems broker dead requeue --all") }
    }
}
