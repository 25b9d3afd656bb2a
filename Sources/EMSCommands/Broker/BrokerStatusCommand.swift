import ArgumentParser
import EMSCore
import EMSRuntime

struct BrokerStatusCommand: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the broker and each consumer are: what is pending in the store, what waits in the queue, and what died.",
        discussion: examples(
            "ems broker status",
            "ems broker status -o json | jq '.journal_consumers[] | {name, is_paused, lag, dead}'",
            "ems broker status -o json | jq -e '.dead_letters == 0 and .pending_changes < 100'"))

    static let mode = Runtime.Mode.inspection

    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        // What is pending is told even where the broker does not answer: that is when it is wanted most.
        let pending = try await runtime.pendingChanges()
        let failing = try await runtime.failingConsumers()
        let oldest = failing.min { $0.failingSince < $1.failingSince }
        let facts: [(name: String, value: Cell)] = [
            ("pending_changes", .number(pending.count)), ("oldest_pending_change", .time(pending.oldest)),
            ("expanding_notifications", .number(try await runtime.notifications.expansions())),
            ("last_recorded_at", .time(try await runtime.lastRecordedAt())), ("failing_consumers", .number(failing.count)),
            ("failing_since", .time(oldest?.failingSince)),
        ]
        do {
            let report = try await runtime.brokerAdministration.report()
            // RabbitMQ does not say what its consumers hold; those that cannot record it do.
            let held = failing.reduce(0) { $0.addingReportingOverflow($1.unacknowledged).overflow ? .max : $0 + $1.unacknowledged }
            let unacknowledged = report.unacknowledged ?? held
            let consumers = try await runtime.consumerStatus()
            try output.show(
                Facts(
                    Self.facts(report, unacknowledged: unacknowledged) + facts + [("last_error", .text(oldest?.failure))],
                    list: ("journal_consumers", consumers)))
            guard output.output == .table else { return }
            try StandardOutput.write("\n")
            try output.show(consumers)
        } catch {
            let described = EMSError(error)
            try output.show(Facts([("state", .text("unreachable"))] + facts + [("last_error", .text(described.message))]))
            throw described
        }
    }

    private static func facts(_ report: BrokerReport, unacknowledged: Int) -> [(name: String, value: Cell)] {
        [
            ("state", .text("ok")), ("kind", .text(report.kind)), ("location", .text(report.location)),
            ("version", .text(report.version.isEmpty ? nil : report.version)), ("queue", .text(report.queue)),
            ("depth", .number(report.depth)), ("unacknowledged", .number(unacknowledged)), ("consumers", .number(report.consumers)),
            ("dead_letters", .number(report.deadLetters)),
        ]
    }
}

extension ConsumerStatus: Presentable {
    static let columns: [Column<ConsumerStatus>] = [
        Column("consumer") { .text($0.consumer.name) },
        Column("state") { .text($0.isPaused ? "paused" : "running") },
        Column("lag") { .number($0.lag) },
        Column("oldest") { .time($0.oldest) },
        Column("rate") { .text("\($0.rate)/s") },
        Column("dead") { .number($0.dead) },
    ]

    var identifier: String { consumer.name }
}
