import EMSCore
import Foundation
import Testing

/// What comes from outside to stop the program, to make it compute without end, or to be taken for something else.
@Suite(.gated)
struct HostileInputTests {
    /// A letter with so many combining marks that comparing two such texts takes minutes.
    private static let marks = "a" + String(repeating: "\u{0301}\u{0316}", count: 7000)

    // MARK: Over HTTP

    @Test("Text with more combining marks than any language writes is refused before it is compared")
    func combiningMarks() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let long = String(repeating: Self.marks, count: 20)
        for body in ["{\"\(long)\": 1}", Stage.credentials("ada", long), Stage.credentials(long)] {
            expectProblem(try await stage.http.post("/auth/login", body), 400)
        }
        for more in [", \"status\": \"\(long)\"", ", \"tags\": [\"\(long)\"]", ", \"attachment_url\": \"\(long)\""] {
            expectProblem(try await ada.http.post("/events", Workspace.eventBody("x", more: more)), 400)
        }
        for header in ["Accept", "Accept-Encoding", "Authorization", "Origin"] {
            expectProblem(try await stage.http.get("/healthz", headers: [header: Self.marks]), 400)
        }
        let upgrade = ["Upgrade": "h2c", "Connection": Self.marks]
        expectProblem(try await stage.http.get("/healthz", headers: upgrade), 400)
        let escaped = String(repeating: "%CC%81", count: 40)
        expectProblem(try await ada.http.get("/events?tag=a\(escaped)"), 400)
        let socket = try await WebSocketClient(port: stage.daemon.port, token: ada.token)
        try await socket.send("{\"action\": \"a\(String(repeating: "\u{0301}", count: 40))\"}")
        #expect(try await socket.next("error")["code"] == .string("malformed"))
        // Thirty are enough for every language.
        let zalgo = "Z" + String(repeating: "\u{0301}", count: 30)
        #expect(try await ada.http.post("/events", Workspace.eventBody(zalgo)).status == 201)
    }

    @Test("A parameter's name may be percent-encoded, as its value may")
    func encodedNames() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        #expect(try await ada.http.get("/events?page%5Fsize=7").json["page_size"] == .integer(7))
        expectProblem(try await ada.http.get("/events?page%5Fsise=7"), 422)
        let socket = try await WebSocketClient(port: stage.daemon.port, path: "/ws?tok%65n=\(ada.token)")
        _ = try await socket.next("connection_status")
    }

    @Test("Numbers are decimal", arguments: ["near=0x10,3", "near=nan,3", "near=1,2&radius_km=0x10", "near=1,2&radius_km=inf"])
    func decimalNumbers(query: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        expectProblem(try await ada.http.get("/events/search?\(query)"), 422)
    }

    @Test("A message over the WebSocket with a misspelt member is answered with the closest name")
    func webSocketMembers() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let socket = try await WebSocketClient(port: stage.daemon.port, token: ada.token)
        try await socket.send("{\"action\": \"subscribe\", \"evnt_id\": \"\(Workspace.unknownID)\"}")
        let error = try await socket.next("error")
        #expect(error["code"] == .string("invalid"), "\(error)")
        #expect(error["detail"]?.string?.contains("event_id") == true, "\(error)")
        try await socket.send("{\"action\": \"ping\", \"id\": 7}")
        _ = try await socket.next("pong")
    }

    @Test("Whoever is removed while requests are under way is not logged in any more; the daemon lives on")
    func removedUser() async throws {
        let stage = try await Stage()
        for number in 0..<4 {
            let person = try await stage.person("person\(number)")
            async let removed: Void = {
                _ = try await stage.workspace.output("user", "delete", person.id, "--yes")
            }()
            var status = 200
            while status == 200 {
                for path in ["/notifications/count", "/notifications", "/auth/me"] {
                    status = try await person.http.get(path).status
                    #expect([200, 401].contains(status), "\(path): \(status)")
                    if status != 200 { break }
                }
            }
            try await removed
        }
        #expect(try await stage.http.get("/healthz").status == 200)
        #expect(!stage.daemon.logText.contains(" error "), "\(stage.daemon.logText)")
    }

    // MARK: In files

    @Test("A calendar with numbers beyond all bounds, or rules that never come true, is read or refused like any other")
    func calendarNumbers() async throws {
        let workspace = try Workspace()
        let rules = [
            "FREQ=YEARLY;BYDAY=-9223372036854775808SU", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31", "FREQ=YEARLY;INTERVAL=9223372036854775807",
            "FREQ=DAILY;BYHOUR=0,1,2;BYMINUTE=0,1,2;BYSECOND=0,1,2", "FREQ=YEARLY;COUNT=9223372036854775807",
        ]
        let zone = """
            BEGIN:VTIMEZONE
            TZID:Odd
            BEGIN:STANDARD
            DTSTART:00010101T000000
            TZOFFSETFROM:+0100
            TZOFFSETTO:+0100
            \(rules.map { "RRULE:" + $0 }.joined(separator: "\n"))
            END:STANDARD
            END:VTIMEZONE
            """
        let event = "BEGIN:VEVENT\nUID:u\nSUMMARY:Odd\nDTSTART;TZID=Odd:20400101T120000\nGEO:0x10;3\nEND:VEVENT"
        let file = try workspace.file("odd.ics", "BEGIN:VCALENDAR\n\(zone)\n\(event)\nEND:VCALENDAR\n")
        let result = try await workspace.ems("event", "import", file)
        #expect(result.status == 0 && result.errors.contains("GEO"), "\(result.errors)")
        #expect(try await workspace.output("event", "list", "-o", "jsonl").contains("2040-01-01T11:00:00"))
    }

    @Test("What an event keeps of another calendar cannot end the event, or begin another")
    func keptProperties() async throws {
        let workspace = try Workspace()
        func record(_ id: String, _ properties: String) -> String {
            """
            {"title": "\(id)", "start_time": "2040-03-01T09:00:00Z", "end_time": "2040-03-01T10:00:00Z", "external_id": "\(id)", "external_properties": "\(properties)"}
            """
        }
        for (id, properties) in [
            ("open", "BEGIN:VALARM"), ("closed", "END:VALARM"), ("end", "END:VEVENT"), ("event", "X-A:1\\nEND:VEVENT\\nBEGIN:VEVENT"),
            ("crossed", "BEGIN:A\\nBEGIN:B\\nEND:A\\nEND:B"), ("escape", "X-A:\\u001b[2J"), ("text", "no content line"),
        ] {
            let refused = try await workspace.ems("event", "import", "-", input: record(id, properties) + "\n")
            refused.expectFailure(65, saying: "external_properties")
        }
        try await workspace.output(
            "event", "import", "-",
            input: record("good", "BEGIN:VALARM\\r\\nACTION:DISPLAY\\r\\nTRIGGER:-PT15M\\r\\nEND:VALARM\\nX-A:1") + "\n")
        // What an earlier version has let in is left out.
        try await workspace.sqlite(
            "UPDATE events SET origin = json_set(origin, '$.external_properties', 'X-B:1' || char(10) || 'BEGIN:VALARM' || char(10) || 'X-C:2')"
        )
        let calendar = try await workspace.output("event", "export", "--format", "ics")
        #expect(calendar.contains("X-B:1") && !calendar.contains("VALARM") && !calendar.contains("X-C"), "\(calendar)")
        let copy = try Workspace()
        try await copy.output("event", "import", try copy.file("copy.ics", calendar))
    }

    @Test(
        "Two records that claim one name and differ are reported, in a dry run as in the real one", arguments: ["event_id", "external_id"])
    func contradictions(name: String) async throws {
        let id = name == "event_id" ? "0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4" : "x"
        func record(_ title: String, _ more: String = "") -> String {
            """
            {"title": "\(title)", "start_time": "2040-03-01T09:00:00Z", "end_time": "2040-03-01T10:00:00Z", "\(name)": "\(id)"\(more)}
            """
        }
        let between = (0..<6100).map {
            "{\"title\": \"Event \($0)\", \"start_time\": \"2040-03-01T09:00:00Z\", \"end_time\": \"2040-03-01T10:00:00Z\"}"
        }
        for lines in [[record("One"), record("Two")], [record("One")] + between + [record("Two")]] {
            let workspace = try Workspace()
            let file = try workspace.file("twice.jsonl", lines.joined(separator: "\n") + "\n")
            for arguments in [["--dry-run"], []] {
                let result = try await workspace.run(EMSBinary.path, ["event", "import", file] + arguments)
                result.expectFailure(3, saying: name, ":\(lines.count):")
            }
            let again = try await workspace.ems("event", "import", try workspace.file("once.jsonl", record("One") + "\n"))
            #expect(again.status == 0 && again.errors.contains("skipped 1"), "\(again.errors)")
        }
    }

    @Test("A name elsewhere belongs to one event only, whatever ids records give")
    func externalNames() async throws {
        let workspace = try Workspace()
        func record(_ id: String, _ title: String) -> String {
            """
            {"event_id": "\(id)", "title": "\(title)", "start_time": "2040-03-01T09:00:00Z", "end_time": "2040-03-01T10:00:00Z", "external_id": "x"}
            """
        }
        let lines = [record("0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4", "One"), record("0195c1d2e3f4a5b6c7d8e9f0a1b2c3d5", "Two")]
        let file = try workspace.file("names.jsonl", lines.joined(separator: "\n") + "\n")
        for arguments in [["--dry-run"], [], []] {
            let result = try await workspace.run(EMSBinary.path, ["event", "import", file] + arguments)
            result.expectFailure(3, saying: "external_id", ":2:")
        }
        #expect(try await workspace.output("event", "list", "-o", "id").split(separator: "\n").count == 1)
    }

    @Test("Rows before a quote that does not end are stored, and the status says that it was not all")
    func openQuote() async throws {
        let workspace = try Workspace()
        let row = "Talk,2040-03-01T09:00:00Z,2040-03-01T10:00:00Z\n"
        let file = try workspace.file(
            "open.csv", "title,start_time,end_time\n" + row + row.replacing("Talk", with: "Lunch") + "\"Open,2040,2040\n")
        for (arguments, count) in [(["--dry-run"], 0), (["--atomic"], 0), ([], 2)] {
            let result = try await workspace.run(EMSBinary.path, ["event", "import", file] + arguments)
            result.expectFailure(arguments == ["--atomic"] ? 65 : 3, saying: "line 4: a quoted field does not end")
            #expect(try await workspace.output("event", "list", "-o", "id").split(separator: "\n").count == count)
        }
    }

    @Test("Rejected rows that are no text come out as they were, and are rejected again")
    func rejectedBytes() async throws {
        let workspace = try Workspace()
        let bytes = Array("title,start_time,end_time\nCaf".utf8) + [0xE9] + Array(",2040-03-01T09:00:00Z,2040-03-01T10:00:00Z\n".utf8)
        let path = workspace.path("latin.csv")
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try await workspace.ems("event", "import", path, "--rejects", "rejects.csv").expectFailure(65, saying: "UTF-8")
        #expect(try Data(contentsOf: URL(fileURLWithPath: workspace.path("rejects.csv"))).contains(0xE9))
        try await workspace.ems("event", "import", "rejects.csv").expectFailure(65, saying: "UTF-8")
        try await workspace.output("event", "import", "rejects.csv", "--encoding", "latin1")
        #expect(try await workspace.output("event", "list", "-o", "jsonl").contains("Café"))
    }

    @Test("Rejected events share one calendar, however many there are")
    func rejectedEvents() async throws {
        let workspace = try Workspace()
        let head = (0..<200).map { "X-WR-TIMEZONE:Europe/Vienna\nMETHOD:PUBLISH\nX-\($0):1" }.joined(separator: "\n")
        let events = String(repeating: "BEGIN:VEVENT\nEND:VEVENT\n", count: 200)
        let file = try workspace.file("empty.ics", "BEGIN:VCALENDAR\n\(head)\n\(events)END:VCALENDAR\n")
        try await workspace.ems("event", "import", file, "--rejects", "rejects.ics").expectFailure(65, saying: "DTSTART")
        let rejects = try String(contentsOfFile: workspace.path("rejects.ics"), encoding: .utf8)
        #expect(rejects.components(separatedBy: "BEGIN:VCALENDAR").count == 2 && rejects.utf8.count < 40_000, "\(rejects.utf8.count)")
        try await workspace.ems("event", "import", "rejects.ics").expectFailure(65, saying: "DTSTART")
    }

    @Test("Emails that differ in how an accent was typed are one, at every door")
    func canonicalEmails() async throws {
        let (composed, decomposed) = ("caf\u{E9}@example.com", "cafe\u{301}@example.com")
        let stage = try await Stage()
        _ = try await stage.person("ada")
        let first = try await stage.http.post("/auth/register", Stage.registration("bob", email: decomposed))
        #expect(first.json["email"]?.string.map { Array($0.utf8) } == Array(composed.utf8), "\(first.text)")
        #expect(try await stage.http.post("/auth/register", Stage.registration("eve", email: composed)).status == 409)
        #expect(try await stage.login(decomposed).status == 200)
        let file = try stage.workspace.file(
            "people.jsonl", "{\"username\": \"eve\", \"email\": \"\(decomposed)\", \"password\": \"Example123!\"}\n")
        for arguments in [["--dry-run"], []] {
            let result = try await stage.workspace.run(EMSBinary.path, ["user", "import", file] + arguments)
            result.expectFailure(65, saying: "is registered already")
        }
    }

    // MARK: Limits of the machine

    @Test("Without threads or descriptors a command says so, and ends", arguments: ["ulimit -u 1", "ulimit -n 12"])
    func exhausted(limit: String) async throws {
        let workspace = try Workspace(["RABBITMQ_URL": "amqp://guest:guest@127.0.0.1:1/"])
        let result = try await workspace.shell("\(limit); exec ems broker status")
        #expect(!result.wasKilled && result.status < 128 && result.status != 0, "\(result.status) \(result.errors)")
    }

    @Test("A configuration in a directory where everyone can replace it is refused")
    func openDirectory() async throws {
        let workspace = try Workspace()
        let directory = workspace.path("open")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let file = try workspace.file("open/config.yaml", "port: 8001\n")
        try await workspace.output("config", "show", "port", "--config", file)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: directory)
        try await workspace.ems("config", "show", "port", "--config", file).expectFailure(78, saying: "chmod o-w")
        let bomb = (0..<25).map { "b\($0): &a\($0) [*a\(max(0, $0 - 1)), *a\(max(0, $0 - 1))]" }.joined(separator: "\n")
        try await workspace.ems("config", "show", "port", "--config", try workspace.file("bomb.yaml", bomb)).expectFailure(
            78, saying: "aliases")
    }
}
