import EMSCore
import Foundation
import Testing

/// `ems event`: events at the command line.
@Suite(.gated)
struct EventCommandTests {
    private static let fields = [
        "event_id", "title", "description", "location", "start_time", "end_time", "created_by", "tags", "max_attendees", "status",
        "attachment_url", "coordinates", "created_at", "updated_at", "version",
    ]
    private static let columns = ["title", "status", "event_id", "location", "start_time", "tags"]
    private static let times = ["--start", "2090-03-01T09:00:00Z", "--end", "2090-03-01T17:00:00Z"]

    // MARK: create

    @Test("An event is created with all that was said of it, by the operator who said it")
    func created() async throws {
        let workspace = try Workspace()
        let options: [String] = [
            "--title", "Tech Conference", "--description", "Two days.\nThree halls.", "--location", "Vienna", "--tag", "Swift",
            "--tag", "meetup", "--max-attendees", "500", "--attachment-url", "https://example.com/a.pdf", "--at", "48.21,16.37",
        ]
        let result = try await workspace.runEMS(["event", "create", "-o", "json"] + Self.times + options)
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
        let event = try result.jsonDocument()
        #expect(event.memberNames == Self.fields)
        #expect(event["title"] == .string("Tech Conference"))
        #expect(event["description"] == .string("Two days.\nThree halls."))
        #expect(event["location"] == .string("Vienna"))
        #expect(event["start_time"] == .string("2090-03-01T09:00:00.000Z"))
        #expect(event["end_time"] == .string("2090-03-01T17:00:00.000Z"))
        #expect(event["tags"] == .array([.string("swift"), .string("meetup")]))
        #expect(event["max_attendees"] == .integer(500))
        #expect(event["status"] == .string("scheduled"))
        #expect(event["attachment_url"] == .string("https://example.com/a.pdf"))
        #expect(event["coordinates"]?["latitude"] == .number(48.21))
        #expect(event["coordinates"]?["longitude"] == .number(16.37))
        #expect(event["version"] == .integer(1))
        let login = try await workspace.shell("id -un").output.trimmingNewline
        #expect(event["created_by"] == .string("operator:\(login)"))
        let listed = try await workspace.ems("event", "list", "--created-by", "operator:\(login)", "-o", "json").jsonDocument()
        #expect(listed == .array([event]))
    }

    @Test("One event and the list of events are shown in every form")
    func forms() async throws {
        let workspace = try Workspace()
        let first = try await workspace.makeEvent("First")
        let second = try await workspace.makeEvent("Second")
        try await OutputForms.expectOne(workspace, ["event", "show", first], fields: Self.fields, columns: Self.columns, id: first)
        try await OutputForms.expectList(workspace, ["event", "list"], fields: Self.fields, columns: Self.columns, ids: [first, second])
        try await OutputForms.expectNothing(workspace, ["event", "list", "--tag", "none"])
    }

    @Test("An unknown column is 64, whether or not there is anything to show", arguments: ["list", "search"])
    func unknownColumn(verb: String) async throws {
        let workspace = try Workspace()
        try await workspace.ems("event", verb, "--columns", "titel").expectFailure(64, saying: "titel")
        try await workspace.makeEvent("One")
        try await workspace.ems("event", verb, "--columns", "titel").expectFailure(64, saying: "titel")
    }

    @Test(
        "A title of 1 to 100 characters in any script comes back as it was",
        arguments: [
            "x", String(repeating: "t", count: 100), String(repeating: "ü", count: 100), "🎉 Fête 👩‍👩‍👧 日本語", "مؤتمر التقنية",
            "כנס \"טכנולוגיה\"", "a,b;c|d'e\\f", "- {yaml: [1]}", "null", "0123",
        ])
    func goodTitles(title: String) async throws {
        let workspace = try Workspace()
        let id = try await workspace.outputEMS(["event", "create", "--title=\(title)", "-o", "id"] + Self.times).output.trimmingNewline
        #expect(try await workspace.ems("event", "show", id, "-o", "json").jsonDocument()["title"] == .string(title))
        #expect(try await workspace.ems("event", "list").output.contains(title))
        let csv = try await workspace.ems("event", "export", "--format", "csv")
        #expect(csv.status == 0)
        let copy = try Workspace()
        try await copy.output("event", "import", "-", "--format", "csv", input: csv.output)
        #expect(try await copy.ems("event", "show", id, "-o", "json").jsonDocument()["title"] == .string(title))
    }

    @Test(
        "Bad data is refused with 65, and nothing is created",
        arguments: [
            ["--title", ""], ["--title", "  "], ["--title", String(repeating: "t", count: 101)], ["--title", "a\u{1B}[31mb"],
            ["--title", "a\nb"], ["--title", "x", "--max-attendees", "0"], ["--title", "x", "--attachment-url", "javascript:alert(1)"],
            ["--title", "x", "--at", "91,0"], ["--title", "x", "--at", "0,181"], ["--title", "x", "--tag", ""],
            ["--title", "x", "--end", "2090-03-01T09:00:00Z"], ["--title", "x", "--end", "2090-03-01T08:59:59Z"],
            ["--title", "x", "--start", "2020-03-01T09:00:00Z"],
        ])
    func badData(arguments: [String]) async throws {
        let workspace = try Workspace()
        var rest = Self.times
        for option in ["--start", "--end"] where arguments.contains(option) {
            if let index = rest.firstIndex(of: option) { rest.removeSubrange(index...(index + 1)) }
        }
        try await workspace.runEMS(["event", "create"] + arguments + rest).expectFailure(65)
        #expect(try await workspace.output("event", "list", "-o", "id").isEmpty)
    }

    @Test(
        "Wrong usage is 64, and nothing is created",
        arguments: [
            ["--title", "x", "--start", "someday", "--end", "2090-03-02"],
            ["--title", "x", "--start", "2090-13-01", "--end", "2090-12-02"],
            ["--title", "x", "--start", "2090-02-30", "--end", "2090-12-02"],
            ["--title", "x", "--start", "2090-03-01T25:00", "--end", "2090-12-02"],
            ["--title", "x", "--start", "2090-03-01T09:00:00+99:00", "--end", "2090-12-02"],
            ["--title", "x", "--start", "", "--end", "2090-12-02"],
            ["--title", "x", "--start", "2090-03-01"], ["--start", "2090-03-01", "--end", "2090-03-02"],
            ["--title", "x", "--start", "2090-03-01", "--end", "2090-03-02", "--status", "maybe"],
            ["--title", "x", "--start", "2090-03-01", "--end", "2090-03-02", "--at", "north"],
            ["--title", "x", "--start", "2090-03-01", "--end", "2090-03-02", "--max-attendees", "many"],
            ["--title", "x", "--start", "2090-03-01", "--end", "2090-03-02", "--id", "123"],
            ["--title", "x", "--start", "2090-03-01", "--end", "2090-03-02", "-o", "xml"],
        ])
    func wrongUsage(arguments: [String]) async throws {
        let workspace = try Workspace()
        try await workspace.runEMS(["event", "create"] + arguments).expectFailure(64)
        #expect(try await workspace.output("event", "list", "-o", "id").isEmpty)
    }

    @Test(
        "Times are taken with and without zone, seconds and time, and shown in UTC",
        arguments: [
            ["2090-03-01T10:30:00+02:00", "2090-03-01T08:30:00.000Z"], ["2090-03-01T10:30-05:30", "2090-03-01T16:00:00.000Z"],
            ["2090-03-01 10:30", "2090-03-01T10:30:00.000Z"], ["2090-03-01", "2090-03-01T00:00:00.000Z"],
            ["2092-02-29T10:30:00.125Z", "2092-02-29T10:30:00.125Z"],
        ])
    func timeForms(forms: [String]) async throws {
        let workspace = try Workspace()
        let event = try await workspace.ems(
            "event", "create", "--title", "x", "--start", forms[0], "--end", "2099-01-01", "-o", "json"
        ).jsonDocument()
        #expect(event["start_time"] == .string(forms[1]))
    }

    @Test("With --local a table shows the times of the place, JSON stays in UTC")
    func localTimes() async throws {
        let workspace = try Workspace(["TZ": "UTC-3"])
        let id = try await workspace.outputEMS(["event", "create", "--title", "x", "-o", "id"] + Self.times).output.trimmingNewline
        #expect(try await workspace.output("event", "list", "--local").contains("2090-03-01T12:00:00"))
        #expect(try await workspace.output("event", "list").contains("2090-03-01T09:00:00.000Z"))
        let json = try await workspace.ems("event", "show", id, "--local", "-o", "json").jsonDocument()
        #expect(json["start_time"] == .string("2090-03-01T09:00:00.000Z"))
    }

    @Test("An event is read from a JSON file or stdin, with options laid over it")
    func fromJSON() async throws {
        let workspace = try Workspace()
        let body = Workspace.eventBody("From a file")
        let file = try workspace.file("event.json", body)
        let read = try await workspace.ems("event", "create", "--json", file, "-o", "json").jsonDocument()
        #expect(read["title"] == .string("From a file"))
        #expect(read["max_attendees"] == .integer(500))
        let piped = try await workspace.ems("event", "create", "--json", "-", "--title", "Over it", "-o", "json", input: body)
            .jsonDocument()
        #expect(piped["title"] == .string("Over it"))
        #expect(piped["location"] == .string("San Francisco"))
        try await workspace.ems("event", "create", "--json", "-", input: "{\"title\": ").expectFailure(65)
        try await workspace.ems("event", "create", "--json", "-", input: "{\"title\": 1}").expectFailure(65, saying: "title", "start_time")
        try await workspace.ems("event", "create", "--json", workspace.path("none.json")).expectFailure(66, saying: "none.json")
    }

    @Test("An event is created once under an id of one's own")
    func ownID() async throws {
        let workspace = try Workspace()
        let id = "0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"
        let command = ["event", "create", "--title", "x", "--id", id, "-o", "id"] + Self.times
        #expect(try await workspace.outputEMS(command).output == id + "\n")
        try await workspace.runEMS(command).expectFailure(73, saying: id)
        #expect(try await workspace.output("event", "list", "-o", "id") == id + "\n")
    }

    // MARK: show, update, delete

    @Test(
        "An unknown event is 66, a malformed id 64, whatever is to be done",
        arguments: [
            ["show"], ["update", "--title", "x"], ["delete", "--yes"], ["subscribe", "--user", "ada"],
            ["subscribe", "--user", "ada", "--dry-run"],
        ])
    func unknownEvent(arguments: [String]) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.runEMS(["event"] + arguments + [Workspace.unknownID]).expectFailure(66, saying: Workspace.unknownID)
        try await workspace.runEMS(["event"] + arguments + ["42"]).expectFailure(64)
    }

    @Test("An update changes what is named, counts the version, and shows the event")
    func updated() async throws {
        let workspace = try Workspace()
        let id = try await workspace.makeEvent("Before")
        let before = try await workspace.ems("event", "show", id, "-o", "json").jsonDocument()
        let after = try await workspace.ems(
            "event", "update", id, "--title", "After", "--status", "canceled", "--tag", "moved", "-o", "json"
        ).jsonDocument()
        #expect(after["title"] == .string("After"))
        #expect(after["status"] == .string("canceled"))
        #expect(after["tags"] == .array([.string("moved")]))
        #expect(after["version"] == .integer(2))
        #expect(after["start_time"] == before["start_time"])
        #expect(after["created_at"] == before["created_at"])
        #expect(try await workspace.ems("event", "show", id, "-o", "json").jsonDocument() == after)
    }

    @Test("An update of another version than the one named is refused with 73")
    func versionConflict() async throws {
        let workspace = try Workspace()
        let id = try await workspace.makeEvent("Before")
        try await workspace.output("event", "update", id, "--title", "Between", "--if-version", "1")
        try await workspace.ems("event", "update", id, "--title", "Late", "--if-version", "1").expectFailure(73)
        let event = try await workspace.ems("event", "show", id, "-o", "json").jsonDocument()
        #expect(event["title"] == .string("Between"))
        #expect(event["version"] == .integer(2))
    }

    @Test("A bad update is refused, and changes nothing")
    func badUpdate() async throws {
        let workspace = try Workspace()
        let id = try await workspace.makeEvent("Before")
        try await workspace.ems("event", "update", id).expectFailure(64)
        try await workspace.ems("event", "update", id, "--start", "soon").expectFailure(64)
        try await workspace.ems("event", "update", id, "--title", "").expectFailure(65)
        try await workspace.ems("event", "update", id, "--end", "2020-01-01").expectFailure(65)
        #expect(try await workspace.ems("event", "show", id, "-o", "json").jsonDocument()["version"] == .integer(1))
    }

    @Test("Without a terminal an event is deleted only with --yes")
    func deleted() async throws {
        let workspace = try Workspace()
        let id = try await workspace.makeEvent("Doomed")
        try await workspace.ems("event", "delete", id, input: "y\n").expectFailure(64, saying: "--yes")
        #expect(try await workspace.output("event", "list", "-o", "id") == id + "\n")
        try await workspace.ems("event", "delete", id, "--yes").expectDone()
        try await workspace.ems("event", "delete", id, "--yes").expectFailure(66)
        #expect(try await workspace.output("event", "list", "-o", "id").isEmpty)
    }

    @Test(
        "A dry run tells what would be done, and does nothing",
        arguments: [
            ["create", "--title", "New", "--start", "2090-01-01", "--end", "2090-01-02"], ["update", "ID", "--title", "Changed"],
            ["delete", "ID"],
            ["delete", "ID", "--yes"], ["subscribe", "ID", "--user", "ada"], ["unsubscribe", "ID", "--user", "bob"],
            ["import", "events.jsonl"], ["import", "events.jsonl", "--update"],
        ])
    func dryRun(arguments: [String]) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        try await workspace.makeUser("bob")
        let id = try await workspace.makeEvent("Kept")
        try await workspace.output("event", "subscribe", id, "--user", "bob")
        _ = try workspace.file("events.jsonl", Workspace.eventLine("New") + Workspace.eventLine("Changed", id: id))
        let events = try await workspace.output("event", "list", "-o", "json")
        let result = try await workspace.runEMS(["event"] + arguments.map { $0 == "ID" ? id : $0 } + ["--dry-run"])
        result.expectDone()
        #expect(!result.errors.isEmpty)
        #expect(try await workspace.output("event", "list", "-o", "json") == events)
        // Who is subscribed shows when something changes.
        try await workspace.output("event", "update", id, "--title", "Really changed")
        #expect(try await workspace.inboxIDs(of: "ada").count == 1)
        #expect(try await workspace.inboxIDs(of: "bob").count == 2)
    }

    @Test(
        "A dry run fails as the real run would",
        arguments: [
            RefusedCommand(["create", "--title", "", "--start", "2090-01-01", "--end", "2090-01-02"], 65),
            RefusedCommand(["create", "--title", "x", "--start", "2090-01-01", "--end", "2090-01-02", "--id", "ID"], 73),
            RefusedCommand(["update", "ID", "--title", "x", "--if-version", "7"], 73), RefusedCommand(["update", "ID", "--title", ""], 65),
            RefusedCommand(["subscribe", "ID", "--user", "nobody"], 66), RefusedCommand(["unsubscribe", "ID", "--user", "nobody"], 66),
            RefusedCommand(["subscribe", Workspace.unknownID, "--user", "ada"], 66), RefusedCommand(["import", "bad.jsonl"], 65),
        ])
    func dryRunRefuses(command: RefusedCommand) async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let id = try await workspace.makeEvent("Kept")
        _ = try workspace.file("bad.jsonl", "{}\n")
        let arguments = ["event"] + command.arguments.map { $0 == "ID" ? id : $0 }
        try await workspace.runEMS(arguments).expectFailure(command.status)
        try await workspace.runEMS(arguments + ["--dry-run"]).expectFailure(command.status)
    }

    // MARK: list and search

    @Test("The list is the earliest first or as --sort says, the same each time, and as long as --limit says")
    func listed() async throws {
        let workspace = try Workspace()
        let lines = (0..<130).map { number in
            let tag = number % 2 == 0 ? "even" : "odd"
            return Workspace.eventLine("E\(number)", days: 1000 - Int64(number), more: ",\"tags\":[\"\(tag)\"]")
        }
        try await workspace.output("event", "import", "-", input: lines.joined())
        func titles(_ arguments: [String]) async throws -> [String] {
            try await workspace.outputEMS(["event", "list", "--columns", "title", "--no-header"] + arguments).outputLines
        }
        let all = try await titles(["--all"])
        #expect(all == (0..<130).reversed().map { "E\($0)" })
        #expect(try await titles(["--all"]) == all)
        #expect(try await titles(["--all", "--sort=-start_time"]) == all.reversed())
        #expect(try await titles(["--all", "--sort", "created_at"]) == all.reversed())
        #expect(try await titles(["--all", "--sort=-created_at"]) == all)
        #expect(try await titles(["--limit", "3"]) == ["E129", "E128", "E127"])
        #expect(try await titles(["--limit", "120"]).count == 120)
        #expect(try await titles(["--all", "--tag", "EVEN"]).count == 65)
        #expect(try await workspace.ems("event", "list", "--limit", "129", "-o", "id").errors.contains("--all"))
        #expect(try await workspace.ems("event", "list", "--limit", "130", "-o", "id").errors.isEmpty)
    }

    @Test("An option's value may begin with a minus: an order, a place south of the equator")
    func negativeValues() async throws {
        let workspace = try Workspace()
        let created = try await workspace.runEMS(
            ["event", "create", "--title", "Sydney", "--at", "-33.87,151.21", "-o", "id"] + Self.times)
        #expect(created.status == 0, "\(created.errors)")
        let found = try await workspace.ems("event", "search", "--near", "-33.87,151.21", "-o", "id")
        #expect(found.status == 0, "\(found.errors)")
        let sorted = try await workspace.ems("event", "list", "--sort", "-start_time", "-o", "id")
        #expect(sorted.status == 0, "\(sorted.errors)")
        #expect(sorted.output == created.output)
    }

    @Test("The list is filtered by status and creator")
    func filtered() async throws {
        let workspace = try Workspace()
        let first = try await workspace.makeEvent("First")
        let second = try await workspace.makeEvent("Second")
        try await workspace.output("event", "update", second, "--status", "canceled")
        #expect(try await workspace.output("event", "list", "--status", "scheduled", "-o", "id") == first + "\n")
        #expect(try await workspace.output("event", "list", "--status", "canceled", "-o", "id") == second + "\n")
        try await workspace.makeUser("ada")
        #expect(try await workspace.output("event", "list", "--created-by", "ada", "-o", "id").isEmpty)
        try await workspace.ems("event", "list", "--created-by", "nobody").expectFailure(66, saying: "nobody")
        for option in ["--status", "--sort", "--limit"] {
            try await workspace.ems("event", "list", option, "wrong").expectFailure(64, saying: option, "wrong")
        }
        try await workspace.ems("event", "list", "--limit", "0").expectFailure(64)
    }

    @Test(
        "Events are found by words, tag, place, distance and time",
        arguments: [
            SearchCase(["tech conf"], ["Tech Conference"]), SearchCase(["TECH"], ["Tech Conference"]),
            SearchCase(["annual"], ["Book Fair", "Tech Conference"]),
            SearchCase(["xyzzy"], []), SearchCase(["--tag", "books"], ["Book Fair"]),
            SearchCase(["--location", "vienna"], ["Tech Conference"]),
            SearchCase(["--near", "48.2,16.4", "--radius-km", "20"], ["Tech Conference"]),
            SearchCase(["--near", "48.2,16.4", "--radius-km", "2000"], ["Book Fair", "Tech Conference"]),
            SearchCase(["--start-after", "2091-01-01"], ["Book Fair"]), SearchCase(["--start-before", "2091-01-01"], ["Tech Conference"]),
            SearchCase(["fair", "--status", "canceled"], []), SearchCase(["\"AND OR ( *"], []),
        ])
    func searched(search: SearchCase) async throws {
        let workspace = try Workspace()
        try await workspace.outputEMS(
            ["event", "create", "--title", "Tech Conference", "--description", "Annual", "--location", "Vienna"] + Self.times
                + ["--at", "48.21,16.37"]
        ).expectShown()
        try await workspace.ems(
            "event", "create", "--title", "Book Fair", "--description", "Annual", "--location", "Frankfurt", "--tag", "books",
            "--at", "50.11,8.68", "--start", "2091-10-01", "--end", "2091-10-05"
        ).expectShown()
        let found = try await workspace.outputEMS(["event", "search", "-o", "json"] + search.arguments).jsonDocument()
        #expect(found.strings("title").sorted() == search.titles)
    }

    @Test(
        "A search that makes no sense is 64",
        arguments: [["--near", "nowhere"], ["--start-after", "soon"], ["--radius-km", "far"], ["a", "b"]])
    func badSearch(arguments: [String]) async throws {
        let workspace = try Workspace()
        try await workspace.runEMS(["event", "search"] + arguments).expectFailure(64)
    }

    // MARK: subscribe

    @Test("A subscribed user hears of changes until unsubscribed; doing either twice changes nothing")
    func subscribed() async throws {
        let workspace = try Workspace()
        try await workspace.makeUser("ada")
        let id = try await workspace.makeEvent("One")
        for _ in 1...2 { try await workspace.ems("event", "subscribe", id, "--user", "ada").expectDone() }
        try await workspace.output("event", "update", id, "--title", "Two")
        #expect(try await workspace.inboxIDs(of: "ada").count == 2)
        for _ in 1...2 { try await workspace.ems("event", "unsubscribe", id, "--user", "ada").expectDone() }
        try await workspace.output("event", "update", id, "--title", "Three")
        #expect(try await workspace.inboxIDs(of: "ada").count == 2)
        try await workspace.ems("event", "subscribe", id, "--user", "nobody").expectFailure(66, saying: "nobody")
        try await workspace.ems("event", "unsubscribe", id, "--user", "nobody").expectFailure(66, saying: "nobody")
    }

    // MARK: import and export

    @Test("An export brought in elsewhere is the same; brought in again it is skipped", arguments: ["jsonl", "csv"])
    func roundTrip(format: String) async throws {
        let workspace = try Workspace()
        let options: [String] = [
            "--title", "Quote \" comma , end", "--description", "Line one\nline two", "--location", "Hall, B", "--tag", "a",
            "--tag", "b", "--max-attendees", "7", "--at=-1.5,2.25", "--attachment-url", "https://example.com/?a=1,2",
        ]
        _ = try await workspace.outputEMS(["event", "create"] + Self.times + options)
        try await workspace.makeEvent("🎉 مرحبا")
        let export = try await workspace.ems("event", "export", "--format", format)
        #expect(export.status == 0)
        #expect(export.errors.isEmpty)
        let copy = try Workspace()
        let file = try copy.file("events.\(format)", export.output)
        let first = try await copy.ems("event", "import", file)
        first.expectDone()
        #expect(first.errorLines == ["created 2, updated 0, skipped 0, failed 0"])
        let again = try await copy.ems("event", "import", file)
        again.expectDone()
        #expect(again.errorLines == ["created 0, updated 0, skipped 2, failed 0"])
        let original = try await workspace.ems("event", "export").jsonLines()
        let copied = try await copy.ems("event", "export").jsonLines()
        for name in Self.fields where !["created_at", "updated_at"].contains(name) {
            #expect(original.map { $0[name] } == copied.map { $0[name] }, "\(name) differs")
        }
    }

    @Test("With --update an import changes what differs and skips the rest")
    func updatingImport() async throws {
        let workspace = try Workspace()
        let same = try await workspace.makeEvent("Same")
        let different = try await workspace.makeEvent("Different")
        let export = try await workspace.output("event", "export").replacing("Different", with: "Changed")
        let result = try await workspace.ems("event", "import", "-", "--update", input: export)
        result.expectDone()
        #expect(result.errors.contains("created 0, updated 1, skipped 1, failed 0"))
        let versions = try await workspace.ems("event", "export").jsonLines()
        #expect(versions.compactMap { $0["event_id"]?.string } == [same, different])
        #expect(versions.compactMap { $0["title"]?.string } == ["Same", "Changed"])
        #expect(versions.compactMap { $0["version"]?.integer } == [1, 2])
    }

    @Test("An export in one run of the shell goes straight into the import of another")
    func piped() async throws {
        let workspace = try Workspace()
        for number in 1...3 { try await workspace.makeEvent("E\(number)") }
        let result = try await workspace.bash("set -o pipefail; ems event export | ems event import - --data-dir copy")
        #expect(result.status == 0)
        #expect(result.errorLines == ["created 3, updated 0, skipped 0, failed 0"])
        let ids = try await workspace.output("event", "list", "-o", "id")
        #expect(try await workspace.output("event", "list", "-o", "id", "--data-dir", "copy") == ids)
    }

    @Test("A bad row is told with its line and the others are kept: 3")
    func partlyImported() async throws {
        let workspace = try Workspace()
        let jsonl = Workspace.eventLine("one") + "not json\n\n" + Workspace.eventLine("") + Workspace.eventLine("two").trimmingNewline
        let file = try workspace.file("events.jsonl", jsonl)
        try await workspace.ems("event", "import", file).expectFailure(
            3, saying: "events.jsonl:2:", "events.jsonl:4:", "title", "created 2, updated 0, skipped 0, failed 2")
        #expect(try await workspace.ems("event", "list", "-o", "json").jsonDocument().strings("title") == ["one", "two"])
        let csv = """
            title,start_time,end_time
            "broken
            title",2090-01-01,2090-01-02
            good,2090-01-01,2090-01-02
            short,2090-01-01
            upside down,2090-01-02,2090-01-01
            """
        try await workspace.ems("event", "import", "-", "--format", "csv", input: csv).expectFailure(
            3, saying: "stdin:2:", "stdin:5:", "stdin:6:", "created 1, updated 0, skipped 0, failed 3")
        #expect(try await workspace.ems("event", "list", "-o", "id").outputLines.count == 3)
    }

    @Test(
        "Where all rows are bad, it is 65; an escape in a title is refused and not shown",
        arguments: [
            #"{"title":"red \u001b[31m","start_time":"2090-01-01","end_time":"2090-01-02"}"#,
            #"{"title":"x","start_time":"2090-01-01","end_time":"2090-01-02","event_id":"42"}"#, "{", "[]", "{}",
        ])
    func allBad(row: String) async throws {
        let workspace = try Workspace()
        let result = try await workspace.ems("event", "import", "-", input: row + "\n")
        result.expectFailure(65, saying: "stdin:1:", "created 0, updated 0, skipped 0, failed 1")
        #expect(!result.errors.contains("\u{1B}"))
        #expect(try await workspace.output("event", "list", "-o", "id").isEmpty)
    }

    @Test("A file that is not there is 66, one whose form cannot be told 64, an empty one no error")
    func importFiles() async throws {
        let workspace = try Workspace()
        try await workspace.ems("event", "import", workspace.path("none.jsonl")).expectFailure(66, saying: "none.jsonl")
        try await workspace.ems("event", "import", try workspace.file("events.txt", "{}")).expectFailure(64, saying: "--format")
        try await workspace.ems("event", "import", try workspace.file("empty.jsonl", "")).expectDone()
        try await workspace.ems("event", "import").expectFailure(64)
    }

    // MARK: complete and watch

    @Test("What is over is marked as completed, quietly, and only that")
    func completed() async throws {
        let workspace = try Workspace()
        let later = try await workspace.makeEvent("Later")
        let start = Timestamp.now().adding(seconds: 6)
        let soon = try await workspace.output(
            "event", "create", "--title", "Soon", "--start", start.description, "--end", start.adding(seconds: 1).description, "-o", "id"
        ).trimmingNewline
        try await eventually("the event is over") {
            try await workspace.ems("event", "complete", "--dry-run").errors.contains(soon)
        }
        #expect(try await workspace.output("event", "list", "--status", "completed", "-o", "id").isEmpty)
        for _ in 1...2 {
            let result = try await workspace.ems("event", "complete")
            result.expectDone()
            #expect(result.errors.isEmpty)
        }
        #expect(try await workspace.output("event", "list", "--status", "completed", "-o", "id") == soon + "\n")
        #expect(try await workspace.output("event", "list", "--status", "scheduled", "-o", "id") == later + "\n")
    }

    @Test("A watch shows changes of any process as they come, and ends after --count")
    func watched() async throws {
        let workspace = try Workspace()
        let id = try await workspace.makeEvent("Watched")
        let result = try await workspace.bash(
            """
            ems event watch --event \(id) --count 2 --timeout 20s -o jsonl > seen 2> words & watcher=$!
            until grep -q watching words; do sleep 0.02; done
            ems event create --title Other --start 2090-01-01 --end 2090-01-02 > other || exit 1
            ems event update \(id) --title Renamed > other || exit 1
            ems event delete \(id) --yes || exit 1
            wait $watcher; status=$?; cat seen; exit $status
            """)
        #expect(result.status == 0, "\(result.errors)")
        let seen = try result.jsonLines()
        #expect(seen.compactMap { $0["notification_type"]?.string } == ["event.updated", "event.deleted"])
        #expect(seen.compactMap { $0["event"]?["id"]?.string } == [id, id])
        #expect(seen.first?["event"]?["title"] == .string("Renamed"))
    }

    @Test("A watch that sees nothing ends with --timeout, and Ctrl-C ends it with 130")
    func watchedInVain() async throws {
        let workspace = try Workspace()
        #expect(try await workspace.ems("event", "watch", "--timeout", "1s").status == 0)
        try await workspace.ems("event", "watch", "--timeout", "1s", "--count", "1", "-o", "jsonl").expectFailure(1)
        let interrupted = try await workspace.bash(
            """
            set -m
            ems event watch -o jsonl 2> words & watcher=$!
            until grep -q watching words; do sleep 0.02; done
            kill -INT -- -$watcher; wait $watcher; echo $?
            """)
        #expect(interrupted.outputLines.last == "130")
        for count in ["0", "-1", "x"] { try await workspace.ems("event", "watch", "--timeout", "1s", "--count=\(count)").expectFailure(64) }
    }
}

/// A search, and the titles it finds in alphabetical order.
struct SearchCase: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let titles: [String]

    init(_ arguments: [String], _ titles: [String]) {
        self.arguments = arguments
        self.titles = titles
    }

    var testDescription: String { arguments.joined(separator: " ") }
}

extension Workspace {
    /// One line of an import: a good event, if the title is.
    static func eventLine(_ title: String, id: String? = nil, days: Int64 = 400, more: String = "") -> String {
        let named = id.map { "\"event_id\":\"\($0)\"," } ?? ""
        return
            "{\(named)\"title\":\"\(title)\",\"start_time\":\"\(future(days: days))\",\"end_time\":\"\(future(days: days + 1))\"\(more)}\n"
    }
}

extension CommandResult {
    fileprivate func expectShown(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(status == 0, "\(errors)", sourceLocation: sourceLocation)
    }
}
