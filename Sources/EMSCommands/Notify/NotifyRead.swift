import ArgumentParser
import EMSCore
import EMSRuntime

struct NotifyRead: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "read",
        abstract: "Mark notifications of a user as read.",
        discussion: examples(
            "ems notify read $ID --user ada"))

    @Argument(help: "The notifications' ids.")
    var ids: [NotificationID]

    @OptionGroup var inbox: InboxOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let user = try await runtime.users.user(named: inbox.user)
        var missing: [EMSError] = []
        for id in ids {
            do {
                if writing.isDryRun {
                    _ = try await runtime.notifications.entry(id, of: user.id)
                    StandardError.write("would mark \(id) as read")
                } else {
                    try await runtime.notifications.markRead(id, of: user.id)
                }
            } catch let error as EMSError where error.code == .notFound {
                missing.append(error)
            }
        }
        guard let first = missing.first else { return }
        let message = missing.map(\.message).joined(separator: "; ")
        throw missing.count < ids.count ? EMSError(.partial, message) : EMSError(first.code, message)
    }
}
