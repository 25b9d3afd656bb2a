import ArgumentParser
import EMSCore
import EMSRuntime

struct NotifySend: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send a message into inboxes, and to those who are connected.",
        discussion: examples(
            "ems notify send 'Doors open at nine' --everyone",
            "ems notify send 'You are on stage at ten' --to ada --to bob",
            "ems notify send 'Moved to hall B' --subscribers-of $ID"))

    @Argument(help: "The message: 1 to 1000 characters.")
    var message: String

    @Flag(help: "To all users.")
    var everyone = false

    @Option(help: ArgumentHelp("To this user; may be given several times.", valueName: "user"), completion: .users)
    var to: [String] = []

    @Option(help: ArgumentHelp("To the subscribers of this event.", valueName: "event-id"), completion: .events)
    var subscribersOf: EventID?

    @OptionGroup var writing: WriteOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard [everyone, !to.isEmpty, subscribersOf != nil].filter({ $0 }).count == 1 else {
            throw ValidationError("Say to whom: one of --everyone, --to or --subscribers-of.")
        }
    }

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        var audience = Notification.Audience.everyone
        var event: Event?
        if let subscribersOf {
            event = try await runtime.events.event(subscribersOf)
            audience = .subscribers(of: subscribersOf, creator: nil)
        } else if !everyone {
            var users: [UserID] = []
            for name in to { users.append(try await runtime.users.user(named: name).id) }
            audience = .users(users)
        }
        let sent = try await runtime.notifications.send(message, to: audience, about: event, by: principal, dryRun: writing.isDryRun)
        if writing.isDryRun { return StandardError.write("would send the message") }
        await runtime.deliverChangesOrTell()
        try output.show(sent)
    }
}
