import ArgumentParser
import EMSCore
import EMSRuntime

struct UserExport: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write all accounts to stdout, without their passwords.",
        discussion: examples("ems user export > users.jsonl", "ems user export --format csv > users.csv"))

    @OptionGroup var export: ExportOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        try await export.run { page in
            let found = try await runtime.users.users(UserQuery(page: page), for: principal)
            return (found.users, found.next)
        }
    }
}
