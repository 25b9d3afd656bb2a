import EMSCore
import Foundation
import Testing

/// `ems user`: accounts at the command line.
@Suite(.gated)
struct UserCommandTests {
    private static let fields = [
        "user_id", "username", "email", "full_name", "role", "is_active", "is_verified", "created_at", "updated_at", "last_login",
    ]
    /// What one account shows besides: how log-in is going.
    private static let loginFields = ["failed_logins", "last_failed_login", "last_failed_address", "locked_until"]
    private static let columns = ["username", "role", "user_id", "email", "full_name", "is_active"]

    @Test("A user is created with a password from stdin, and nothing of the password is shown")
    func created() async throws {
        let workspace = try Workspace()
        let result = try await workspace.ems(
            "user", "create", "ada", "--email", "ada@example.com", "--role", "admin", "--full-name", "Ada Lovelace", "--password-stdin",
            "-o", "json", input: Workspace.password + "\n")
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
        let user = try result.jsonDocument()
        #expect(user.memberNames == Self.fields)
        #expect(user["username"] == .string("ada"))
        #expect(user["email"] == .string("ada@example.com"))
        #expect(user["full_name"] == .string("Ada Lovelace"))
        #expect(user["role"] == .string("admin"))
        #expect(user["is_active"] == .bool(true))
        #expect(user["last_login"] == .null)
        #expect(user["created_at"]?.string?.hasSuffix("Z") == true)
        #expect(!result.output.contains(Workspace.password))
        #expect(!result.output.contains("$2"))
    }

    @Test("One user and the list of users are shown in every form")
    func forms() async throws {
        let workspace = try Workspace()
        let ada = try await workspace.makeUser("ada", role: "admin")
        let bob = try await workspace.makeUser("bob")
        try await OutputForms.expectOne(
            workspace, ["user", "show", "ada"], fields: Self.fields + Self.loginFields, columns: Self.columns, id: ada)
        try await OutputForms.expectList(workspace, ["user", "list"], fields: Self.fields, columns: Self.columns, ids: [ada, bob])
        try await OutputForms.expectNothing(workspace, ["user", "list", "--inactive"])
    }

    @Test("A user is found by username, email in any letter case, and id", arguments: ["ada", "ADA", "ada@example.com", "Ada@Example.COM"])
    func foundByName(name: String) async throws {
        let workspace = try Workspace()
        let id = try await workspace.makeUser("ada")
        #expect(try await workspace.output("user", "show", name, "-o", "id") == id + "\n")
        #expect(try await workspace.output("user", "show", id, "-o", "id") == id + "\n")
    }

    @Test(
        "A taken username or email, in any letter case, is refused with 73",
        arguments: [
            ["ada", "--email", "other@example.com"], ["ADA", "--email", "other@example.com"],
            ["other", "--email", "ada@example.com"], ["other", "--email", "ADA@EXAMPLE.COM"],
        ])
    func taken(arguments: [String]) async throws {
        let workspace = try Workspace()
        let id = try await workspace.makeUser("ada")
        try await workspace.runEMS(["user", "create"] + arguments + ["--password-stdin"], input: Workspace.password + "\n").expectFailure(
            73)
        #expect(try await workspace.output("user", "list", "-o", "id") == id + "\n")
    }

    @Test(
        "A bad username or email is refused with 65",
        arguments: [
            ["ab", "--email", "ab@example.com"], [String(repeating: "a", count: 51), "--email", "a@example.com"],
            ["has space", "--email", "a@example.com"], ["ünal", "--email", "a@example.com"], ["ada", "--email", "nobody"],
            ["ada", "--email", "a@b@example.com"], ["ada", "--email", "a\u{1B}b@example.com"],
            ["ada", "--email", "ada@example.com", "--full-name", "Ada\nLovelace"],
        ])
    func badFields(arguments: [String]) async throws {
        let workspace = try Workspace()
        try await workspace.runEMS(["user", "create"] + arguments + ["--password-stdin"], input: Workspace.password + "\n").expectFailure(
            65)
        #expect(try await workspace.output("user", "list", "-o", "id").isEmpty)
    }

    @Test(
        "A password that breaks a rule is refused with 65, and not repeated",
        arguments: [
            "Short1!", "alllower1!", "NoDigits!!", "NoSpecial123", "Aa1!" + String(repeating: "x", count: 69),
            "Aa1!" + String(repeating: "é", count: 35),
        ])
    func badPasswords(password: String) async throws {
        let workspace = try Workspace()
        let result = try await workspace.ems(
            "user", "create", "ada", "--email", "ada@example.com", "--password-stdin", input: password + "\n")
        result.expectFailure(65)
        #expect(!result.errors.contains(password))
        try await workspace.makeUser("bob")
        try await workspace.ems("user", "password", "bob", "--password-stdin", input: password + "\n").expectFailure(65)
    }

    @Test("A password of 72 bytes is taken whole")
    func longestPassword() async throws {
        let workspace = try Workspace()
        let password = "Aa1!" + String(repeating: "x", count: 68)
        try await workspace.output("user", "create", "ada", "--email", "ada@example.com", "--password-stdin", input: password + "\n")
        let daemon = try await TestDaemon(workspace)
        #expect(try await Self.login("ada", password, daemon) == 200)
        #expect(try await Self.login("ada", String(password.dropLast()) + "y", daemon) == 401)
    }

    @Test(
        "Without a terminal and without --password-stdin or --password-file, nobody is asked: 64",
        arguments: [
            ["user", "create", "bob", "--email", "bob@example.com"], ["user", "password", "ada"],
            ["user", "create", "bob", "--email", "bob@example.com", "--password", "Example123!"],
            ["user", "create", "bob", "--email", "bob@example.com", "--password-stdin", "--password-file", "pw.txt"],
        ])
    func noPassword(arguments: [String]) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.runEMS(arguments, input: Workspace.password + "\n").expectFailure(64)
        #expect(try await workspace.ems("user", "list", "-o", "id").outputLines.count == 1)
    }

    @Test("A password comes from the first line of a file; an empty stdin is 65, a missing file 66")
    func passwordFile() async throws {
        let workspace = try Workspace()
        let file = try workspace.file("pw.txt", Workspace.password + "\nsecond line\n")
        try await workspace.output("user", "create", "ada", "--email", "ada@example.com", "--password-file", file)
        let daemon = try await TestDaemon(workspace)
        #expect(try await Self.login("ada", Workspace.password, daemon) == 200)
        try await workspace.ems("user", "password", "ada", "--password-stdin").expectFailure(65)
        try await workspace.ems("user", "password", "ada", "--password-file", workspace.path("none.txt")).expectFailure(
            66, saying: "none.txt")
    }

    @Test("A new password counts at once, and ends the sessions")
    func passwordSet() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let token = try await workspace.token(of: "ada")
        let daemon = try await TestDaemon(workspace)
        let result = try await workspace.ems("user", "password", "ada", "--password-stdin", input: "Other456#\n")
        result.expectDone()
        #expect(!result.errors.contains("Other456#"))
        #expect(try await Self.login("ada", Workspace.password, daemon) == 401)
        #expect(try await Self.login("ada", "Other456#", daemon) == 200)
        #expect(try await HTTPClient(port: daemon.port, token: token).get("/auth/me").status == 401)
        #expect(try await daemon.stop() == 0)
    }

    @Test("An update changes what is named and nothing else, and shows the user")
    func updated() async throws {
        let workspace = try Workspace()
        let id = try await workspace.makeUser("ada")
        let named = try await workspace.ems("user", "update", "ada", "--full-name", "Ada Lovelace", "-o", "json").jsonDocument()
        #expect(named["full_name"] == .string("Ada Lovelace"))
        #expect(named["email"] == .string("ada@example.com"))
        let renamed = try await workspace.ems(
            "user", "update", "ada", "--username", "countess", "--email", "c@example.org", "--full-name", "", "-o", "json"
        ).jsonDocument()
        #expect(renamed["username"] == .string("countess"))
        #expect(renamed["email"] == .string("c@example.org"))
        #expect(renamed["full_name"] == .null)
        #expect(renamed["user_id"] == .string(id))
        try await workspace.ems("user", "show", "ada").expectFailure(66)
    }

    @Test("The role is set; an unknown one is 64")
    func role() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        for role in ["organizer", "admin", "user"] {
            #expect(try await workspace.ems("user", "role", "ada", role, "-o", "json").jsonDocument()["role"] == .string(role))
        }
        try await workspace.ems("user", "role", "ada", "boss").expectFailure(64, saying: "boss")
    }

    @Test("A deactivated user is kept out at once; activated, the user may log in again")
    func deactivated() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let token = try await workspace.token(of: "ada")
        #expect(try await workspace.ems("user", "deactivate", "ada", "-o", "json").jsonDocument()["is_active"] == .bool(false))
        try await workspace.ems("token", "verify", input: token).expectFailure(77)
        try await workspace.ems("token", "issue", "--user", "ada").expectFailure(77)
        #expect(try await workspace.ems("user", "activate", "ada", "-o", "json").jsonDocument()["is_active"] == .bool(true))
        try await workspace.ems("token", "verify", input: token).expectFailure(77)
        try await workspace.output("token", "issue", "--user", "ada")
    }

    @Test("Without a terminal a user is deleted only with --yes")
    func deleted() async throws {
        let workspace = try Workspace()
        let id = try await workspace.makeUser("ada")
        try await workspace.ems("user", "delete", "ada", input: "y\n").expectFailure(64, saying: "--yes")
        #expect(try await workspace.output("user", "list", "-o", "id") == id + "\n")
        try await workspace.ems("user", "delete", "ada", "--yes").expectDone()
        try await workspace.ems("user", "delete", "ada", "--yes").expectFailure(66)
        #expect(try await workspace.output("user", "list", "-o", "id").isEmpty)
    }

    @Test(
        "An unknown user is 66, whatever is to be done",
        arguments: [
            ["show", "nobody"], ["update", "nobody", "--full-name", "N"], ["role", "nobody", "admin"], ["activate", "nobody"],
            ["deactivate", "nobody"], ["password", "nobody", "--password-stdin"], ["delete", "nobody", "--yes"],
            ["show", Workspace.unknownID],
        ])
    func unknownUser(arguments: [String]) async throws {
        let workspace = try Workspace()
        try await workspace.runEMS(["user"] + arguments, input: Workspace.password + "\n").expectFailure(66)
    }

    @Test(
        "A dry run tells what would be done, and does nothing",
        arguments: [
            ["create", "bob", "--email", "bob@example.com", "--password-stdin"], ["update", "ada", "--full-name", "Changed"],
            ["role", "ada", "admin"], ["deactivate", "ada"], ["activate", "idle"], ["delete", "ada"], ["delete", "ada", "--yes"],
            ["password", "ada", "--password-stdin"],
        ])
    func dryRun(arguments: [String]) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.makeUser("idle")
        try await workspace.output("user", "deactivate", "idle")
        let token = try await workspace.token(of: "ada")
        let before = try await workspace.output("user", "list", "-o", "json")
        let result = try await workspace.runEMS(["user"] + arguments + ["--dry-run"], input: "Other456#\n")
        result.expectDone()
        #expect(!result.errors.isEmpty)
        #expect(try await workspace.output("user", "list", "-o", "json") == before)
        #expect(try await workspace.ems("token", "verify", input: token).status == 0)
    }

    @Test(
        "A dry run fails as the real run would",
        arguments: [
            RefusedCommand(["create", "ADA", "--email", "new@example.com", "--password-stdin"], 73),
            RefusedCommand(["create", "new", "--email", "ADA@example.com", "--password-stdin"], 73),
            RefusedCommand(["create", "x", "--email", "x@example.com", "--password-stdin"], 65),
            RefusedCommand(["update", "ada", "--username", "Bob"], 73),
            RefusedCommand(["update", "ada", "--email", "bob@example.com"], 73),
            RefusedCommand(["update", "ada", "--username", "no good"], 65), RefusedCommand(["role", "nobody", "admin"], 66),
        ])
    func dryRunRefuses(command: RefusedCommand) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.makeUser("bob")
        let input = Workspace.password + "\n"
        try await workspace.runEMS(["user"] + command.arguments, input: input).expectFailure(command.status)
        try await workspace.runEMS(["user"] + command.arguments + ["--dry-run"], input: input).expectFailure(command.status)
    }

    @Test("The list is the oldest first, filtered, and no longer than --limit unless --all says so")
    func listed() async throws {
        let workspace = try Workspace()
        let rows = (1...130).map { #"{"username":"user\#($0)","email":"u\#($0)@example.com","password":"Example123!"}"# }
        try await workspace.output("user", "import", "-", input: rows.joined(separator: "\n"))
        try await workspace.makeUser("ada", role: "admin")
        try await workspace.output("user", "deactivate", "user7")
        let all = try await workspace.ems("user", "list", "--all", "-o", "jsonl").jsonLines().compactMap { $0["username"]?.string }
        #expect(all == (1...130).map { "user\($0)" } + ["ada"])
        let some = try await workspace.ems("user", "list", "--limit", "3", "-o", "jsonl")
        #expect(try some.jsonLines().compactMap { $0["username"]?.string } == ["user1", "user2", "user3"])
        #expect(some.errors.contains("--all"))
        #expect(try await workspace.ems("user", "list", "--limit", "120", "-o", "id").outputLines.count == 120)
        #expect(try await workspace.ems("user", "list", "--limit", "131", "-o", "id").errors.isEmpty)
        let admins = try await workspace.ems("user", "list", "--role", "admin", "--columns", "username", "--no-header")
        #expect(admins.outputLines == ["ada"])
        let inactive = try await workspace.ems("user", "list", "--inactive", "--columns", "username", "--no-header")
        #expect(inactive.outputLines == ["user7"])
        #expect(try await workspace.ems("user", "list", "--active", "--all", "-o", "id").outputLines.count == 130)
    }

    @Test("Accounts are imported from jsonl and csv; a second run skips them all", arguments: ["users.jsonl", "users.csv"])
    func imported(name: String) async throws {
        let workspace = try Workspace()
        let file = try workspace.file(name, name.hasSuffix("csv") ? Self.csv : Self.jsonl)
        let first = try await workspace.ems("user", "import", file)
        first.expectDone()
        #expect(first.errorLines == ["created 2, updated 0, skipped 0, failed 0"])
        let again = try await workspace.ems("user", "import", file)
        again.expectDone()
        #expect(again.errorLines == ["created 0, updated 0, skipped 2, failed 0"])
        let users = try await workspace.ems("user", "list", "-o", "json").jsonDocument()
        #expect(users.strings("username") == ["carl", "dora"])
        #expect(users.strings("role") == ["organizer", "user"])
        #expect(users.strings("full_name") == ["Carl, \"C\" D"])
        let daemon = try await TestDaemon(workspace)
        #expect(try await Self.login("dora", Workspace.password, daemon) == 200)
    }

    @Test("A bad record is told with its line, the others are kept: 3; where all are bad: 65")
    func partlyImported() async throws {
        let workspace = try Workspace()
        let file = try workspace.file("users.jsonl", "\n" + Self.jsonl + "{\"username\": 1}\nnot json\n")
        let result = try await workspace.ems("user", "import", file)
        result.expectFailure(3, saying: "users.jsonl:4:", "users.jsonl:5:", "created 2, updated 0, skipped 0, failed 2")
        #expect(!result.errors.contains(Workspace.password))
        #expect(try await workspace.ems("user", "list", "-o", "id").outputLines.count == 2)
        let bad = try workspace.file("bad.csv", "username,email,password\nx,y,z\n")
        try await workspace.ems("user", "import", bad).expectFailure(65, saying: "bad.csv:2:", "failed 1")
    }

    @Test("A dry import says what would be, and creates nobody")
    func dryImport() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("carl")
        let result = try await workspace.ems("user", "import", "-", "--dry-run", input: Self.jsonl)
        result.expectDone()
        #expect(result.errors.contains("created 1, updated 0, skipped 1, failed 0"))
        #expect(try await workspace.ems("user", "list", "-o", "id").outputLines.count == 1)
        try await workspace.ems("user", "import", workspace.path("none.jsonl")).expectFailure(66, saying: "none.jsonl")
        let formless = try workspace.file("users.txt", Self.jsonl)
        try await workspace.ems("user", "import", formless).expectFailure(64, saying: "--format")
    }

    @Test("An export holds all accounts without their passwords, and is skipped where they are", arguments: ["jsonl", "csv"])
    func exported(format: String) async throws {
        let workspace = try Workspace()
        try await workspace.output("user", "import", "-", input: Self.jsonl)
        let export = try await workspace.ems("user", "export", "--format", format)
        #expect(export.status == 0)
        #expect(export.errors.isEmpty)
        #expect(export.output.contains("carl@example.com"))
        #expect(export.output.contains("dora@example.com"))
        #expect(!export.output.contains("$2"))
        #expect(!export.output.contains("password"))
        let again = try await workspace.ems("user", "import", "-", "--format", format, input: export.output)
        again.expectDone()
        #expect(again.errors.contains("created 0, updated 0, skipped 2, failed 0"))
    }

    private static let jsonl = """
        {"username":"carl","email":"carl@example.com","password":"Example123!","role":"organizer","full_name":"Carl, \\"C\\" D"}
        {"username":"dora","email":"dora@example.com","password":"Example123!"}

        """

    private static let csv = """
        username,email,password,role,full_name
        carl,carl@example.com,Example123!,organizer,"Carl, ""C"" D"
        dora,dora@example.com,Example123!,,

        """

    private static func login(_ name: String, _ password: String, _ daemon: TestDaemon) async throws -> Int {
        let body = "{\"username_or_email\": \"\(name)\", \"password\": \"\(password)\"}"
        return try await HTTPClient(port: daemon.port).post("/auth/login", body).status
    }
}
