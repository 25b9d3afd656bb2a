import ArgumentParser
import EMSCore

struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Look after what carries the changes: queues, pending changes, dead letters.",
        discussion: examples("ems broker status", "ems broker flush", "ems broker dead list", "ems broker dead requeue --all"),
        subcommands: [
            BrokerStatusCommand.self, BrokerDeclare.self, BrokerFlush.self, BrokerPause.self, BrokerResume.self, BrokerReplay.self,
            BrokerDead.self,
        ])
}

struct BrokerDead: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "Look at the dead letters: messages that could not be consumed, each with its reason.",
        discussion: examples(
            "ems broker dead list", "ems broker dead show $ID", "ems broker dead requeue $ID", "ems broker dead drop --all"),
        subcommands: [BrokerDeadList.self, BrokerDeadShow.self, BrokerDeadRequeue.self, BrokerDeadDrop.self])
}

/// Whose dead letters a command is about.
struct ConsumerOption: ParsableArguments {
    @Option(name: .customLong("consumer"), help: ArgumentHelp("The consumer whose dead letters are meant.", valueName: "consumer"))
    var name = Consumer.inbox
}

/// Which dead letters a command is about.
struct DeadLetterOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The message's id, which is its change's; several may be given.", valueName: "message-id"))
    var ids: [String] = []

    @Flag(help: "All of them.")
    var all = false

    @OptionGroup var consumer: ConsumerOption

    func validate() throws {
        guard ids.isEmpty == all else { throw ValidationError("Say which: ids of messages, or --all.") }
    }

    var selection: DeadLetterSelection { all ? .all : .messages(Set(ids)) }

    /// Checks that each letter is there.
    /// - Returns: those chosen.
    func chosen(_ administration: any BrokerAdministration) async throws -> [DeadLetter] {
        let letters = try await administration.deadLetters(of: consumer.name, limit: .max).filter {
            selection.contains($0.message.messageID)
        }
        let found = Set(letters.map(\.message.messageID))
        if let missing = ids.first(where: { !found.contains($0) }) { throw EMSError.notFound("dead letter", missing) }
        return letters
    }
}
