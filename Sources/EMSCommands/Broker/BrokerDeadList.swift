import ArgumentParser
import EMSCore
import EMSRuntime

struct BrokerDeadList: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the dead letters, the oldest first.",
        discussion: examples("ems broker dead list", "ems broker dead list -o json | jq '.[].reason'"))

    static let mode = Runtime.Mode.inspection

    @OptionGroup var limit: LimitOptions
    @OptionGroup var consumer: ConsumerOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let wanted = limit.all ? Int.max : limit.limit
        let letters = try await runtime.brokerAdministration.deadLetters(of: consumer.name, limit: limit.all ? .max : wanted + 1)
        try output.show(Array(letters.prefix(wanted)))
        if letters.count > wanted { StandardError.write("(there are more: raise --limit, or use --all)") }
    }
}

extension DeadLetter: Presentable {
    static let columns: [Column<DeadLetter>] = [
        Column("message_id") { .text($0.message.messageID) },
        Column("routing_key") { .text($0.message.routingKey) },
        Column("reason") { .text($0.reason) },
        Column("attempts") { .number($0.attempts) },
        Column("died_at") { .time($0.diedAt) },
        Column("body", usual: false) { .text(String(decoding: $0.message.body, as: UTF8.self)) },
    ]

    var identifier: String { message.messageID }
}
