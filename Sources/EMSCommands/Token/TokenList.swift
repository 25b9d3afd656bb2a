import ArgumentParser
import EMSCore
import EMSRuntime

struct TokenList: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List sessions, the newest first: log-ins, and tokens that operators issued.",
        discussion: examples(
            "ems token list",
            "ems token list --user ada --ended -o json"))

    @Option(help: "Only this user's: a username, an email or an id.", completion: .users)
    var user: String?

    @Flag(help: "Also those that have ended.")
    var ended = false

    @OptionGroup var limits: LimitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let authentication = try await runtime.authentication()
        var owner: UserID?
        if let user { owner = try await runtime.users.user(named: user).id }
        try await limits.list(output) { page in
            var before: SessionID?
            if case .key(_, let id) = page.after { before = SessionID(id) }
            let found = try await authentication.sessions(of: owner, liveOnly: !ended, before: before, limit: page.size)
            let next = found.count == page.size ? found.last.map { PageCursor.key(value: 0, id: $0.id.description) } : nil
            return (found, next)
        }
    }
}
