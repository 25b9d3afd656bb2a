import EMSCore
import Foundation
import NIOPosix
import Testing

/// `ems event import` and `ems user import`: files as other programs write them (`Tests/Fixtures/cases`).
@Suite(.gated)
struct ImportedFilesTests {
    private static let cases = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/cases").path

    private static func values(_ workspace: Workspace, _ field: String) async throws -> [String] {
        try await workspace.ems("event", "list", "-o", "jsonl").jsonLines().compactMap { $0[field]?.string }
    }

    @Test("A calendar's own zones are used wherever they stand and whatever they are called; an abbreviation is no zone")
    func zones() async throws {
        let workspace = try Workspace()
        let collision = try await workspace.ems("event", "import", "\(Self.cases)/01-ical-zone-name-collision.ics")
        collision.expectFailure(3, saying: "'BST' is not defined", ":48:")
        #expect(try await Self.values(workspace, "start_time") == ["2040-08-07T06:00:00.000Z", "2040-08-07T13:00:00.000Z"])
        for (name, moment) in [("02-ical-zone-name-with-commas", "2040-05-04T09"), ("03-ical-zone-after-event", "2040-07-05T13")] {
            let workspace = try Workspace()
            try await workspace.output("event", "import", "\(Self.cases)/\(name).ics")
            #expect(try await Self.values(workspace, "start_time") == ["\(moment):00:00.000Z"])
        }
    }

    @Test("A cancellation without times cancels the event; of an event that is not here it is told")
    func cancellation() async throws {
        let workspace = try Workspace()
        let unknown = try await workspace.ems("event", "import", "--update", "\(Self.cases)/07b-ical-cancellation.ics")
        unknown.expectFailure(65, saying: "not here")
        try await workspace.output("event", "import", "\(Self.cases)/07a-ical-invitation.ics")
        try await workspace.output("event", "import", "\(Self.cases)/07b-ical-cancellation.ics")
        #expect(try await Self.values(workspace, "status") == ["scheduled"])
        let result = try await workspace.ems("event", "import", "--update", "\(Self.cases)/07b-ical-cancellation.ics")
        #expect(result.errors.contains("updated 1"))
        #expect(try await Self.values(workspace, "status") == ["canceled"])
    }

    @Test("Two events with one UID are told, and the same file twice makes nothing twice")
    func sameUID() async throws {
        let workspace = try Workspace()
        for _ in 0..<2 {
            let result = try await workspace.ems("event", "import", "\(Self.cases)/08-ical-same-uid-twice.ics")
            result.expectFailure(3, saying: "same@example.com", ":11:")
        }
        #expect(try await Self.values(workspace, "title").count == 1)
    }

    @Test("A fold within a character is unfolded first")
    func fold() async throws {
        let workspace = try Workspace()
        try await workspace.output("event", "import", "\(Self.cases)/09-ical-fold-inside-character.ics")
        #expect(try await Self.values(workspace, "title") == ["Grüße 🎉 aus München"])
    }

    @Test("Text that is not UTF-8 is refused with its line, and read with --encoding", arguments: ["event", "user"])
    func encoding(kind: String) async throws {
        let workspace = try Workspace()
        let file = "\(Self.cases)/10-csv-windows-1252\(kind == "user" ? "-users" : "").csv"
        try await workspace.ems(kind, "import", file).expectFailure(65, saying: ":2:", "--encoding")
        #expect(try await workspace.ems(kind, "list", "-o", "jsonl").jsonLines().isEmpty)
        try await workspace.output(kind, "import", file, "--encoding", "windows-1252")
        let text = try await workspace.output(kind, "list", "-o", "jsonl")
        #expect(text.contains(kind == "user" ? "José" : "Café München"))
        try await workspace.ems(kind, "import", file, "--encoding", "klingon").expectFailure(64, saying: "klingon", "iconv -l")
    }

    @Test("Carriage returns end lines, semicolons separate cells, and a byte order mark tells UTF-16")
    func dialects() async throws {
        let workspace = try Workspace()
        try await workspace.output("event", "import", "\(Self.cases)/11-csv-cr-line-ends.csv")
        try await workspace.output("event", "import", "\(Self.cases)/13-csv-semicolons.csv")
        #expect(try await Self.values(workspace, "title").count == 3)
        let text = "title\tstart_time\tend_time\r\nÜbung\t2040-03-01T09:00:00Z\t2040-03-01T10:00:00Z\r\n"
        try (Data([0xFF, 0xFE]) + text.data(using: .utf16LittleEndian)!).write(to: URL(fileURLWithPath: workspace.path("wide.csv")))
        try await workspace.output("event", "import", workspace.path("wide.csv"))
        #expect(try await Self.values(workspace, "title").contains("Übung"))
    }

    @Test("No spreadsheet executes a cell, import restores it, and --raw leaves it")
    func formulas() async throws {
        let workspace = try Workspace()
        try await workspace.output("event", "import", "\(Self.cases)/14-csv-formula.csv")
        let titles = try await Self.values(workspace, "title")
        #expect(titles.first?.hasPrefix("=HYPERLINK") == true)
        let exported = try await workspace.output("event", "export", "--format", "csv")
        #expect(exported.contains("\"'=HYPERLINK"))
        #expect(try await workspace.output("event", "list", "-o", "csv").contains("\"'=HYPERLINK"))
        #expect(try await workspace.output("event", "list", "-o", "csv", "--raw").contains("\"=HYPERLINK"))
        #expect(try await workspace.output("event", "export", "--format", "csv", "--raw").contains("\"=HYPERLINK"))
        let copy = try Workspace()
        try await copy.output("event", "import", try copy.file("copy.csv", exported))
        #expect(try await Self.values(copy, "title") == titles)
    }

    @Test("Rejected records are written with their reasons, for their owner only, and imported when they are corrected")
    func rejects() async throws {
        let workspace = try Workspace()
        let good = #"{"title":"A","start_time":"2040-01-01T00:00:00Z","end_time":"2040-01-01T01:00:00Z"}"#
        let bad = good.replacing("01:00:00Z", with: "never")
        let file = try workspace.file("some.jsonl", "\(good)\n\(bad)\nno json\n")
        let rejects = workspace.path("rejects.jsonl")
        try await workspace.ems("event", "import", file, "--rejects", rejects).expectFailure(3, saying: "2 records")
        let lines = try String(contentsOfFile: rejects, encoding: .utf8).split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
        #expect(lines.map { $0["reject_reason"]?.string?.isEmpty } == [false, false])
        #expect(lines.last?["reject_line"] == .string("no json"))
        let mode = try FileManager.default.attributesOfItem(atPath: rejects)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let first = try #require(try String(contentsOfFile: rejects, encoding: .utf8).split(separator: "\n").first)
        let corrected = String(first).replacing("never", with: "02:00:00Z")
        try await workspace.output("event", "import", try workspace.file("corrected.jsonl", corrected))
        #expect(try await Self.values(workspace, "title").count == 2)
        try await workspace.ems("event", "import", file, "--rejects", file).expectFailure(64, saying: "--rejects")
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("no json"))
    }

    @Test("Rejected rows of csv and events of a calendar can be corrected where they are")
    func rejectedForms() async throws {
        let workspace = try Workspace()
        let csv = try workspace.file("a.csv", "title;start_time;end_time\nA;2040-01-01T00:00:00Z;soon\n")
        try await workspace.ems("event", "import", csv, "--rejects", workspace.path("r.csv")).expectFailure(65, saying: ":2:")
        let row = try String(contentsOfFile: workspace.path("r.csv"), encoding: .utf8)
        #expect(row.hasPrefix("title,start_time,end_time,reject_reason\nA,2040-01-01T00:00:00Z,soon,"))
        try await workspace.output(
            "event", "import", try workspace.file("b.csv", row.replacing(",soon,", with: ",2040-01-01T01:00:00Z,")))
        let calendar = "\(Self.cases)/01-ical-zone-name-collision.ics"
        try await workspace.ems("event", "import", calendar, "--rejects", workspace.path("r.ics")).expectFailure(3, saying: "BST")
        let event = try String(contentsOfFile: workspace.path("r.ics"), encoding: .utf8)
        #expect(event.contains("X-EMS-REJECT-REASON:"))
        try await workspace.output(
            "event", "import", try workspace.file("b.ics", event.replacing("TZID=BST", with: "TZID=Europe/London")))
        #expect(try await Self.values(workspace, "title").count == 4)
    }

    @Test("All or nothing: what a dry run accepts is stored, and where one record fails nothing is")
    func atomic() async throws {
        let workspace = try Workspace()
        let lines = (0..<20).map {
            #"{"title":"A \#($0)","start_time":"2040-01-01T00:00:00Z","end_time":"2040-01-01T01:00:00Z"}"#
        }
        let file = try workspace.file("all.jsonl", lines.joined(separator: "\n"))
        let bad = try workspace.file("bad.jsonl", (lines + ["{}"]).joined(separator: "\n"))
        try await workspace.ems("event", "import", "--atomic", bad).expectFailure(65, saying: "nothing was")
        #expect(try await Self.values(workspace, "title").isEmpty)
        try await workspace.output("event", "import", "--atomic", file)
        #expect(try await Self.values(workspace, "title").count == 20)
    }

    @Test("After an import, a signal ends the command as if there had been none", arguments: [SIGTERM, SIGINT])
    func signalAfterwards(signal: Int32) async throws {
        // A broker that takes the connection and never answers: the command waits for it once the import is stored.
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(silent.localAddress?.port)
        let workspace = try Workspace()
        let line = #"{"title":"One","start_time":"2040-01-01T00:00:00Z","end_time":"2040-01-01T01:00:00Z"}"#
        let errors = try workspace.file("import.err", "")
        let process = try ChildProcess(
            EMSBinary.path, ["event", "import", "--atomic", try workspace.file("one.jsonl", line)],
            environment: workspace.environment.merging(["RABBITMQ_URL": "amqp://127.0.0.1:\(port)/"]) { $1 },
            directory: workspace.directory.path, errors: errors)
        try await eventually("the import is stored") {
            try String(contentsOfFile: errors, encoding: .utf8).contains("created 1") || !process.running()
        }
        process.signal(signal)
        let ending = try await process.wait()
        let said = try String(contentsOfFile: errors, encoding: .utf8)
        #expect(ending == .killed(signal), "\(said)")
        try await silent.close()
    }

    @Test("A dry run of accounts says what the real one does of one email or one username twice", arguments: [true, false])
    func people(isDryRun: Bool) async throws {
        let workspace = try Workspace()
        let lines = [
            #"{"username":"anna","email":"anna@example.com","password":"Passw0rd!"}"#,
            #"{"username":"Anna","email":"other@example.com","password":"Passw0rd!"}"#,
            #"{"username":"bert","email":"ANNA@example.com","password":"Passw0rd!"}"#,
            #"{"username":"carl","email":"carl@example.com","password":"Passw0rd!"}"#,
        ]
        let file = try workspace.file("people.jsonl", lines.joined(separator: "\n"))
        let result = try await workspace.runEMS(["user", "import", file] + (isDryRun ? ["--dry-run"] : []))
        result.expectFailure(3, saying: ":2:", ":3:", "created 2")
    }

    @Test("Text that is not UTF-8 is refused among arguments and variables, not repaired")
    func undecodable() async throws {
        let workspace = try Workspace()
        let title = try await workspace.shell(
            "ems event create --title \"$(printf 'M\\374nchen')\" --start 2040-01-01 --end 2040-01-02")
        title.expectFailure(64, saying: "argument 4 is not valid UTF-8: M\\xFCnchen")
        let profile = try await workspace.shell("EMS_PROFILE=\"$(printf 'M\\374')\" ems event list")
        profile.expectFailure(78, saying: "EMS_PROFILE")
        #expect(try await Self.values(workspace, "title").isEmpty)
    }

    @Test("Names of files and directories are bytes: what is not UTF-8 is found, made and shown as it is")
    func namesInBytes() async throws {
        let workspace = try Workspace()
        let line = #"{"title":"One","start_time":"2040-01-01T00:00:00Z","end_time":"2040-01-01T01:00:00Z"}"#
        let begin = """
            set -e; u=$(printf 'M\\374nchen'); mkdir "$u"; printf '%s\\n{}\\n' '\(line)' > "$u.jsonl"; cp "$u.jsonl" "$u/a.jsonl"; set +e
            """
        try await workspace.shell(begin).expectDone()
        let imported = try await workspace.shell(
            "u=$(printf 'M\\374nchen'); ems event import \"$u.jsonl\" --rejects \"$u/rejects.jsonl\"; echo $?; cat \"$u/rejects.jsonl\"")
        #expect(imported.errors.contains("M\\xFCnchen.jsonl:2: "), "\(imported.errors)")
        #expect(imported.output.hasPrefix("3\n{") && imported.output.contains("reject_reason"), "\(imported.output)")
        #expect(try await Self.values(workspace, "title") == ["One"])

        // A store of its own for each way to name one; a second command finds what the first made.
        let ways = [
            #"--data-dir "$u""#, #"--data-dir="$u/below""#, #"--data-dir "new$u""#,
        ]
        for way in ways {
            let stored = try await workspace.shell(
                "u=$(printf 'M\\374nchen'); ems event import \"$u/a.jsonl\" \(way) 2>&1; ems event list \(way) -o csv --columns title; ems store status \(way)"
            )
            #expect(stored.output.contains("title\nOne\n"), "\(way): \(stored.output)\(stored.errors)")
            #expect(stored.output.contains("M\\xFCnchen") && !stored.output.contains("/proc/"), "\(way): \(stored.output)")
        }
        let variable = try await workspace.shell("u=$(printf 'M\\374nchen'); EMS_DATA_DIR=\"$u\" ems event list -o csv --columns title")
        #expect(variable.output == "title\nOne\n", "\(variable.output)\(variable.errors)")
        let names = try await workspace.shell("LC_ALL=C ls -bd *nchen*; cd M*nchen; ls")
        #expect(
            names.output.split(separator: "\n") == [
                #"M\374nchen"#, #"M\374nchen.jsonl"#, #"newM\374nchen"#, "a.jsonl", "below", "ems.db", "rejects.jsonl",
            ], "\(names.output)")

        // Whoever can rename the file is seen in such a directory as in any other.
        let replaced = try await workspace.shell(
            "u=$(printf 'M\\374nchen'); chmod 777 \"$u\"; echo 'bcrypt_salt_rounds: 5' > \"$u/c.yaml\"; ems config show bcrypt_salt_rounds --config \"$u/c.yaml\""
        )
        replaced.expectFailure(78, saying: "where everyone can replace it")
        let missing = try await workspace.shell("ems event import \"$(printf 'K\\366ln.csv')\"")
        missing.expectFailure(64, saying: "K\\xF6ln.csv")
    }

    @Test("A script whose quote does not end is refused, however long it is, and nothing of it is run")
    func openQuote() async throws {
        let workspace = try Workspace()
        let lines = "event list '\n" + String(repeating: "event list\n", count: 80_000)
        let result = try await workspace.ems("shell", input: lines)
        result.expectFailure(65, saying: "line 1", "65536")
    }

    @Test("A calendar comes in through a pipe as well", arguments: [[], ["--atomic"]])
    func pipe(options: [String]) async throws {
        let workspace = try Workspace()
        let text = try String(contentsOfFile: "\(Self.cases)/03-ical-zone-after-event.ics", encoding: .utf8)
        let result = try await workspace.runEMS(["event", "import", "-", "--format", "ics"] + options, input: text)
        #expect(result.status == 0 && result.errors.contains("created 1"), "\(result.errors)")
        #expect(try await Self.values(workspace, "start_time") == ["2040-07-05T13:00:00.000Z"])
    }
}
