import ArgumentParser
import EMSCore
import EMSRuntime

struct UserDelete: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete an account with its inbox and subscriptions. Events it created stay.",
        discussion: examples(
            "ems user delete ada",
            "ems user delete ada --yes"))

    @OptionGroup var user: UserArgument
    @Flag(name: .customLong("erase"), help: "Erase names, addresses and IP addresses of the user from the journal, for good.")
    var isErasing = false

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        if !writing.isDryRun { try await runtime.users.finishDeletions() }
        let current = try await runtime.users.user(named: user.name)
        if writing.isDryRun { return StandardError.write("would delete the user \(current.username)") }
        try confirmation.confirm(
            "Delete the user \(current.username) with inbox and subscriptions\(isErasing ? ", and erase the name from the journal" : "")",
            runtime.settings)
        try await runtime.users.delete(current.id, erasing: isErasing, by: principal)
    }
}
