import ArgumentParser
import EMSCore
import EMSRuntime

struct UserShow: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show an account, with its recent failed log-ins.",
        discussion: examples(
            "ems user show ada",
            "ems user show ada@example.com -o json"))

    @OptionGroup var user: UserArgument
    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let shown = try await runtime.users.user(named: user.name)
        try output.show(ShownUser(user: shown, failures: try await runtime.users.loginFailures(of: shown.id)))
    }
}

/// An account as an operator sees it: with what only this machine knows.
private struct ShownUser: Presentable {
    let user: User
    let failures: LoginFailures?

    /// When unknown addresses may try again; `nil` if they may now.
    private var lockedUntil: Timestamp? { failures.flatMap { $0.isLocked(at: .now()) ? $0.lockedUntil : nil } }

    static let columns: [Column<ShownUser>] =
        User.columns.map { column in Column(column.name, usual: column.isUsual) { column.value($0.user) } } + [
            Column("failed_logins") { .number($0.failures?.count ?? 0) },
            Column("last_failed_login") { .time($0.failures?.last) },
            Column("last_failed_address") { .text($0.failures?.lastAddress) },
            Column("locked_until") { .time($0.lockedUntil) },
        ]

    var identifier: String { user.identifier }

    func encode(to writer: inout JSONWriter) {
        writer.object { writer in
            user.encodeMembers(to: &writer)
            writer.member("failed_logins", failures?.count ?? 0)
            writer.member("last_failed_login", failures?.last.description)
            writer.member("last_failed_address", failures?.lastAddress)
            writer.member("locked_until", lockedUntil?.description)
        }
    }
}
