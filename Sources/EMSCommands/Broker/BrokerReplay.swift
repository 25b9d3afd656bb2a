import ArgumentParser
import EMSCore
import EMSRuntime

struct BrokerReplay: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: """
            Give a consumer the journal again, from a position or a time on: after it lost what it had made of it. What it still has shows \
            nothing twice.
            """,
        discussion: examples(
            "ems broker replay inbox --from 1742", "ems broker replay inbox --from 2h --dry-run",
            "ems broker replay inbox --from 2027-03-01T00:00:00Z"))

    @OptionGroup var consumer: ConsumerArgument

    @Option(help: ArgumentHelp("From which position of the journal on, or which time: such as 2h ago.", valueName: "position|time"))
    var from: Start

    @OptionGroup var zoning: ZoneOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    enum Start: ExpressibleByArgument {
        case position(Int64)
        case time(PastArgument)

        init?(argument: String) {
            if let position = Int64(argument) {
                self = .position(position)
            } else if let time = PastArgument(argument: argument) {
                self = .time(time)
            } else {
                return nil
            }
        }
    }

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let position: Int64
        switch from {
        case .position(let given): position = given
        case .time(let time):
            let moment = time.moment(in: zoning.zone)
            guard let found = try await runtime.journalPosition(since: moment) else {
                throw EMSError(.notFound, "the journal has no entry since \(moment)", fix: "ems audit list")
            }
            position = found
        }
        let count = try await runtime.replay(consumer.name, from: position, dryRun: writing.isDryRun)
        StandardError.write(writing.isDryRun ? "would replay \(count)" : "replayed \(count)")
        if !writing.isDryRun { await runtime.deliverChangesOrTell() }
    }
}
