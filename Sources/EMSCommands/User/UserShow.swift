import ArgumentParser
import EMSCore
import EMSRuntime

struct UserShow: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show an account.",
        discussion: examples(
            "ems user show ada",
            "ems user show ada@example.com -o json"))

    @OptionGroup var user: UserArgument
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        try output.show(try await runtime.users.user(named: user.name))
    }
}
