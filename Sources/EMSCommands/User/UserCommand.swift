import ArgumentParser

struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Administer accounts.",
        discussion: examples(
            "ems user create ada --email ada@example.com --role admin",
            "ems user list --role organizer -o csv",
            "ems user deactivate ada"),
        subcommands: [
            UserCreate.self, UserList.self, UserShow.self, UserUpdate.self, UserRole.self, UserActivate.self, UserDeactivate.self,
            UserPassword.self, UserUnlock.self, UserDelete.self, UserImport.self, UserExport.self,
        ])
}
