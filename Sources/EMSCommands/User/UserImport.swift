import ArgumentParser
import EMSCore
import EMSRuntime

struct UserImport: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Bring in accounts, one after the other; a username that exists already is skipped.",
        discussion: examples("ems user import users.jsonl", "ems user import users.csv --dry-run"))

    @OptionGroup var input: ImportOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        try await input.run { record in
            if let username = record["username"]?.string, try await runtime.users.exists(username) { return .skipped }
            let draft = try UserDraft(record)
            let role = try Self.role(record["role"]?.string)
            if writing.isDryRun {
                try await runtime.users.check(draft)
            } else {
                _ = try await runtime.users.create(draft, role: role)
            }
            return .created
        }
    }

    private static func role(_ text: String?) throws -> Role {
        guard let text else { return .user }
        guard let role = Role(rawValue: text) else {
            throw EMSError.invalid("role", "must be one of \(Role.allCases.map(\.rawValue).joined(separator: ", "))", type: "enum")
        }
        return role
    }
}
