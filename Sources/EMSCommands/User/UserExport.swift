import ArgumentParser
import EMSCore
import EMSRuntime

struct UserExport: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write all accounts to stdout, as jsonl or csv; without their passwords, unless their hashes are asked for.",
        discussion: examples(
            "ems user export > users.jsonl",
            "ems user export --format csv > users.csv",
            "(umask 077; ems user export --password-hashes > users.jsonl)"))

    @Flag(help: "With the bcrypt hashes of the passwords. Keep what is written as safe as the store.")
    var passwordHashes = false

    @OptionGroup var export: ExportOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if export.format == .ics { throw ValidationError("Accounts have no form in iCalendar: use jsonl or csv.") }
    }

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let note = ExportOptions.Note(
            runtime: runtime, kind: passwordHashes ? "users with password hashes" : "users", principal: principal)
        guard passwordHashes else {
            return try await export.run(note) { page in
                let found = try await runtime.users.users(UserQuery(page: page), for: principal)
                return (found.users, found.next)
            }
        }
        try await export.run(note) { page in
            let found = try await runtime.users.users(UserQuery(page: page), for: principal)
            var exported: [ExportedUser] = []
            for user in found.users {
                exported.append(ExportedUser(user: user, passwordHash: try await runtime.users.passwordHash(of: user.id, for: principal)))
            }
            return (exported, found.next)
        }
    }
}

/// An account as it can be brought in again, its password included.
struct ExportedUser: Presentable {
    let user: User
    let passwordHash: String?

    static let columns: [Column<ExportedUser>] =
        User.columns.map { column in Column(column.name, usual: column.isUsual) { column.value($0.user) } } + [
            Column("password_hash") { .text($0.passwordHash) }
        ]

    var identifier: String { user.identifier }

    func encode(to writer: inout JSONWriter) {
        writer.object { writer in
            user.encodeMembers(to: &writer)
            if let passwordHash { writer.member("password_hash", passwordHash) }
        }
    }
}
