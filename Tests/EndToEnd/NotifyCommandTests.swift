import EMSCore
import Foundation
import Testing

/// `ems notify`: inboxes at the command line.
@Suite(.gated)
struct NotifyCommandTests {
    private static let fields = ["type", "notification_id", "notification_type", "event", "user", "timestamp", "is_read"]
    private static let columns = ["notification_type", "user", "notification_id", "event_title", "timestamp", "is_read"]
    private static let messageFields = ["type", "notification_id", "notification_type", "message", "user", "timestamp"]

    @Test("One notification and an inbox, the newest first, are shown in every form")
    func forms() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let event = try await workspace.makeEvent("First")
        try await workspace.makeEvent("Second")
        let list = ["notify", "list", "--user", "ada"]
        let shown = try await workspace.outputEMS(list + ["-o", "json"]).jsonDocument()
        #expect(shown.arrayItems.compactMap { $0["event"]?["title"]?.string } == ["Second", "First"])
        #expect(shown.arrayItems.allSatisfy { $0["is_read"] == .bool(false) })
        let ids = shown.strings("notification_id")
        let first = try #require(ids.last)
        try await OutputForms.expectList(workspace, list, fields: Self.fields, columns: Self.columns, ids: ids)
        try await OutputForms.expectOne(
            workspace, ["notify", "show", first, "--user", "ada"], fields: Self.fields, columns: Self.columns, id: first)
        let one = try await workspace.outputEMS(["notify", "show", first, "--user", "ada@example.com", "-o", "json"]).jsonDocument()
        let login = try await workspace.shell("id -un").output.trimmingNewline
        #expect(one["type"] == .string("notification"))
        #expect(one["notification_type"] == .string("event.created"))
        #expect(one["event"]?["id"] == .string(event))
        #expect(one["event"]?["action"] == .string("created"))
        #expect(one["user"] == .string("operator:\(login)"))
        try await workspace.makeUser("late")
        try await OutputForms.expectNothing(workspace, ["notify", "list", "--user", "late"])
    }

    @Test("The unread are counted, in every form")
    func counted() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        for number in 1...3 { try await workspace.makeEvent("E\(number)") }
        let command = ["notify", "count", "--user", "ada"]
        #expect(try await workspace.outputEMS(command + ["-o", "json"]).jsonDocument() == Self.count(3))
        #expect(try await workspace.outputEMS(command + ["-o", "jsonl"]).output == "{\"count\":3}\n")
        #expect(try await workspace.outputEMS(command + ["-o", "yaml"]).output == "count: 3\n")
        #expect(try await workspace.outputEMS(command + ["-o", "csv"]).output == "count\n3\n")
        #expect(try await workspace.outputEMS(command + ["-o", "csv", "--no-header"]).output == "3\n")
        #expect(try await workspace.outputEMS(command + ["-o", "id"]).output == "3\n")
        #expect(try await workspace.outputEMS(command).output.split(separator: " ").last == "3\n")
    }

    @Test("What is read is unread no more, for its reader only")
    func read() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.makeUser("bob")
        for number in 1...4 { try await workspace.makeEvent("E\(number)") }
        let ids = try await workspace.inboxIDs(of: "ada")
        let newest = try #require(ids.first)
        let oldest = try #require(ids.last)
        for _ in 1...2 { try await workspace.ems("notify", "read", newest, oldest, "--user", "ada").expectDone() }
        let unread = try await workspace.ems("notify", "list", "--user", "ada", "--unread", "-o", "id").outputLines
        #expect(unread == Array(ids.dropFirst().dropLast()))
        #expect(try await workspace.output("notify", "count", "--user", "ada", "-o", "id") == "2\n")
        let shown = try await workspace.outputEMS(["notify", "show", newest, "--user", "ada", "-o", "json"]).jsonDocument()
        #expect(shown["is_read"] == .bool(true))
        try await workspace.ems("notify", "read-all", "--user", "ada").expectDone()
        #expect(try await workspace.output("notify", "count", "--user", "ada", "-o", "id") == "0\n")
        #expect(try await workspace.inboxIDs(of: "ada") == ids)
        try await workspace.ems("notify", "read-all", "--user", "ada").expectDone()
        #expect(try await workspace.output("notify", "count", "--user", "bob", "-o", "id") == "4\n")
    }

    @Test("Of several ids the known are read; with an unknown one among them it is 3, with unknown ones only 66")
    func partlyRead() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.makeEvent("One")
        let id = try #require(try await workspace.inboxIDs(of: "ada").first)
        try await workspace.ems("notify", "read", Workspace.unknownID, "--user", "ada").expectFailure(66, saying: Workspace.unknownID)
        try await workspace.ems("notify", "read", id, Workspace.unknownID, "--user", "ada").expectFailure(3, saying: Workspace.unknownID)
        #expect(try await workspace.output("notify", "count", "--user", "ada", "-o", "id") == "0\n")
    }

    @Test(
        "An unknown user is 66, a missing one 64",
        arguments: [
            ["list"], ["count"], ["read-all"], ["show", Workspace.unknownID], ["read", Workspace.unknownID],
        ])
    func users(arguments: [String]) async throws {
        let workspace = try Workspace()
        try await workspace.runEMS(["notify"] + arguments + ["--user", "nobody"]).expectFailure(66, saying: "nobody")
        try await workspace.runEMS(["notify"] + arguments).expectFailure(64, saying: "--user")
    }

    @Test("An unknown notification is 66, and so is one of somebody else; a malformed id is 64")
    func unknownNotification() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.makeUser("bob")
        let sent = try await workspace.output("notify", "send", "For Ada", "--to", "ada", "-o", "id").trimmingNewline
        for verb in ["show", "read"] {
            try await workspace.ems("notify", verb, Workspace.unknownID, "--user", "ada").expectFailure(66, saying: Workspace.unknownID)
            try await workspace.ems("notify", verb, sent, "--user", "bob").expectFailure(66)
            try await workspace.ems("notify", verb, "42", "--user", "ada").expectFailure(64)
        }
    }

    @Test("The list is no longer than --limit, unless --all says so")
    func limited() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.output("event", "import", "-", input: (0..<130).map { Workspace.eventLine("E\($0)") }.joined())
        let all = try await workspace.inboxIDs(of: "ada")
        #expect(all.count == 130)
        #expect(all == all.sorted(by: >))
        let some = try await workspace.ems("notify", "list", "--user", "ada", "--limit", "3", "-o", "id")
        #expect(some.outputLines == Array(all.prefix(3)))
        #expect(some.errors.contains("--all"))
        #expect(try await workspace.ems("notify", "list", "--user", "ada", "--limit", "120", "-o", "id").outputLines.count == 120)
    }

    // MARK: send

    @Test("A message reaches those it is for, and nobody else")
    func sent() async throws {
        let workspace = try Workspace()
        for name in ["ada", "bob", "eve"] { try await workspace.makeUser(name) }
        let event = try await workspace.makeEvent("Show")
        try await workspace.output("event", "subscribe", event, "--user", "eve")
        try await workspace.output("notify", "send", "Everybody", "--everyone")
        try await workspace.output("notify", "send", "Ada and Bob", "--to", "ada", "--to", "bob@example.com")
        try await workspace.output("notify", "send", "Subscribers", "--subscribers-of", event)
        #expect(try await Self.messages(workspace, "ada") == ["Ada and Bob", "Everybody"])
        #expect(try await Self.messages(workspace, "bob") == ["Ada and Bob", "Everybody"])
        #expect(try await Self.messages(workspace, "eve") == ["Subscribers", "Everybody"])
    }

    @Test("What was sent is shown with the fields of HTTP; a table shows line breaks and tabs as no such thing")
    func sentMessage() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let text = "Doors open\n\tat nine \u{202E}🎉"
        let clean = "Doors open\n\tat nine 🎉"
        try await workspace.ems("notify", "send", text, "--to", "ada").expectFailure(65)
        let sent = try await workspace.ems("notify", "send", clean, "--to", "ada", "-o", "json").jsonDocument()
        #expect(sent.memberNames == Self.messageFields)
        #expect(sent["notification_type"] == .string("operator.message"))
        #expect(sent["message"] == .string(clean))
        let table = try await workspace.output("notify", "list", "--user", "ada", "--columns", "message,user")
        #expect(table.split(separator: "\n").count == 2)
        #expect(!table.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        #expect(table.contains("🎉"))
        let csv = try await workspace.output("notify", "list", "--user", "ada", "--columns", "message", "--no-header", "-o", "csv")
        #expect(csv == "\"\(clean)\"\n")
    }

    @Test(
        "A message has 1 to 1000 characters, and no control characters",
        arguments: [
            "", "   ", String(repeating: "x", count: 1001), "red \u{1B}[31m", "bell \u{7}",
        ])
    func badMessage(text: String) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let result = try await workspace.ems("notify", "send", text, "--everyone")
        result.expectFailure(65)
        #expect(!result.errors.contains("\u{1B}"))
        try await workspace.output("notify", "send", String(repeating: "ü", count: 1000), "--everyone")
        #expect(try await workspace.inboxIDs(of: "ada").count == 1)
    }

    @Test("A message to an unknown user or event is 66, to no one or too many 64, and nobody gets it")
    func badAudience() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.ems("notify", "send", "Hi", "--to", "ada", "--to", "nobody").expectFailure(66, saying: "nobody")
        try await workspace.ems("notify", "send", "Hi", "--subscribers-of", Workspace.unknownID).expectFailure(66)
        try await workspace.ems("notify", "send", "Hi", "--subscribers-of", "42").expectFailure(64)
        try await workspace.ems("notify", "send", "Hi").expectFailure(64, saying: "--everyone")
        try await workspace.ems("notify", "send", "Hi", "--everyone", "--to", "ada").expectFailure(64)
        try await workspace.ems("notify", "send", "--everyone").expectFailure(64)
        #expect(try await workspace.inboxIDs(of: "ada").isEmpty)
    }

    // MARK: purge

    @Test("Old notifications are removed from all inboxes, quietly, and only with --yes where nobody can be asked")
    func purged() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.makeEvent("Old")
        let young = try await workspace.ems("notify", "purge", "--older-than", "1h", "--yes")
        young.expectDone()
        #expect(young.errors.isEmpty)
        try await workspace.ems("notify", "purge", "--older-than", "1s", input: "y\n").expectFailure(64, saying: "--yes")
        #expect(try await workspace.inboxIDs(of: "ada").count == 1)
        try await eventually("it is a second old") {
            let result = try await workspace.ems("notify", "purge", "--older-than", "1s", "--yes")
            result.expectDone()
            #expect(result.errors.isEmpty)
            return try await workspace.inboxIDs(of: "ada").isEmpty
        }
        #expect(try await workspace.output("notify", "count", "--user", "ada", "-o", "id") == "0\n")
        for age in ["0s", "soon", "10", "-1d"] {
            try await workspace.ems("notify", "purge", "--older-than=\(age)", "--yes").expectFailure(64)
        }
    }

    @Test(
        "A dry run tells what would be done, and does nothing",
        arguments: [
            ["read", "ID", "--user", "ada"], ["read-all", "--user", "ada"], ["send", "Hi", "--everyone"], ["send", "Hi", "--to", "ada"],
            ["purge", "--older-than", "1s", "--yes"], ["purge", "--older-than", "1s"],
        ])
    func dryRun(arguments: [String]) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.makeEvent("One")
        let before = try await workspace.output("notify", "list", "--user", "ada", "-o", "json")
        let id = try #require(try await workspace.inboxIDs(of: "ada").first)
        let result = try await workspace.runEMS(["notify"] + arguments.map { $0 == "ID" ? id : $0 } + ["--dry-run"])
        result.expectDone()
        #expect(!result.errors.isEmpty)
        #expect(try await workspace.output("notify", "list", "--user", "ada", "-o", "json") == before)
    }

    @Test(
        "A dry run fails as the real run would",
        arguments: [
            RefusedCommand(["read", Workspace.unknownID, "--user", "ada"], 66), RefusedCommand(["read-all", "--user", "nobody"], 66),
            RefusedCommand(["send", "", "--everyone"], 65), RefusedCommand(["send", "Hi", "--to", "nobody"], 66),
            RefusedCommand(["send", "Hi", "--subscribers-of", Workspace.unknownID], 66),
        ])
    func dryRunRefuses(command: RefusedCommand) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.runEMS(["notify"] + command.arguments).expectFailure(command.status)
        try await workspace.runEMS(["notify"] + command.arguments + ["--dry-run"]).expectFailure(command.status)
    }

    // MARK: watch

    @Test("A watch shows what one user gets, or what anybody gets, as it comes", arguments: ["--user ada", ""])
    func watched(whose: String) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.makeUser("bob")
        let count = whose.isEmpty ? 3 : 2
        let result = try await workspace.bash(
            """
            ems notify watch \(whose) --count \(count) --timeout 20s -o jsonl > seen 2> words & watcher=$!
            until grep -q watching words; do sleep 0.02; done
            ems notify send 'For Bob' --to bob > other || exit 1
            ems notify send 'For Ada' --to ada > other || exit 1
            ems event create --title All --start 2090-01-01 --end 2090-01-02 > other || exit 1
            wait $watcher; status=$?; cat seen; exit $status
            """)
        #expect(result.status == 0, "\(result.errors)")
        let seen = try result.jsonLines().map { $0["message"]?.string ?? $0["event"]?["title"]?.string }
        #expect(seen == (whose.isEmpty ? ["For Bob", "For Ada", "All"] : ["For Ada", "All"]))
    }

    @Test("A watch that sees too little ends with --timeout: 1 with --count, 0 without")
    func watchedInVain() async throws {
        let workspace = try Workspace()
        try await workspace.ems("notify", "watch", "--count", "1", "--timeout", "1s").expectFailure(1)
        try await workspace.ems("notify", "watch", "--timeout", "1s").expectDone()
        try await workspace.ems("notify", "watch", "--user", "nobody", "--timeout", "1s").expectFailure(66, saying: "nobody")
        try await workspace.ems("notify", "watch", "--timeout", "soon").expectFailure(64)
        try await workspace.ems("notify", "watch", "--count", "0", "--timeout", "1s").expectFailure(64)
    }

    private static func count(_ number: Int64) -> JSONValue { .object([.init(name: "count", value: .integer(number))]) }

    /// The operator's messages in an inbox, the newest first.
    private static func messages(_ workspace: Workspace, _ name: String) async throws -> [String] {
        try await workspace.ems("notify", "list", "--user", name, "-o", "json").jsonDocument().strings("message")
    }
}
