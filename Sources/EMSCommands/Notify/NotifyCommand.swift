import ArgumentParser

struct NotifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notify",
        abstract: "Read, send and watch notifications.",
        discussion: examples(
            "ems notify list --user ada --unread",
            "ems notify watch --user ada",
            "ems notify send 'Doors open at nine' --everyone"),
        subcommands: [
            NotifyList.self, NotifyShow.self, NotifyCount.self, NotifyRead.self, NotifyReadAll.self, NotifySend.self, NotifyWatch.self,
            NotifyPurge.self,
        ])
}

/// Whose inbox a command is about.
struct InboxOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Whose inbox: a username, an email or an id.", valueName: "user"), completion: .users)
    var user: String
}
