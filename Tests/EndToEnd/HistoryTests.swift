import EMSCore
import Foundation
import Testing

/// What happened: the history of events, what they were, and the trail of everything; over HTTP and at the command line.
@Suite(.gated)
struct HistoryTests {
    /// Three versions of an event that ada made.
    private static func event(_ ada: Person) async throws -> (id: String, path: String) {
        let id = try await ada.create("v1")
        for (field, value) in [("title", "v2"), ("location", "Graz")] {
            #expect(try await ada.http.patch("/events/\(id)", "{\"\(field)\": \"\(value)\"}").status == 200)
        }
        return (id, "/events/\(id)")
    }

    // MARK: An event

    @Test("A deleted event that is imported under its id goes on counting its versions")
    func importedAgain() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let (id, path) = try await Self.event(ada)
        let backup = try await stage.workspace.outputEMS(["event", "export", "--format", "jsonl"]).output
        #expect(try await ada.http.delete(path).status == 204)
        let imported = try await stage.workspace.outputEMS(["event", "import", "-"], input: backup)
        #expect(imported.status == 0)
        #expect(try await ada.http.get(path).json["version"] == 4)
        let history = try await ada.http.get("\(path)/history").json["entries"]?.elements ?? []
        #expect(history.map { $0["version"] } == [4, 3, 3, 2, 1])
        #expect(try await ada.http.get("\(path)?version=2").json["title"] == "v2")
        #expect(try await stage.workspace.outputEMS(["event", "history", id, "-o", "id"]).status == 0)
        #expect(try await stage.workspace.outputEMS(["audit", "verify"]).status == 0)
    }

    @Test("A history shows who changed which fields, the newest first, page by page; where from, admins only see", arguments: ["", "/api"])
    func history(prefix: String) async throws {
        let stage = try await Stage()
        let (ada, bob, root) = (try await stage.person("ada"), try await stage.person("bob"), try await stage.admin("root1"))
        let (id, path) = try await Self.event(ada)
        let answer = try await bob.http.get("\(prefix)\(path)/history")
        #expect(answer.status == 200)
        #expect(answer.json["next"] == .null)
        let entries = answer.json["entries"]?.elements ?? []
        #expect(entries.map { $0["action"] } == ["updated", "updated", "created"])
        #expect(entries.map { $0["version"] } == [3, 2, 1])
        #expect(entries[0]["changes"] == [["field": "location", "from": "San Francisco", "to": "Graz"]])
        #expect(entries[1]["changes"] == [["field": "title", "from": "v1", "to": "v2"]])
        #expect(entries[2]["changes"]?.elements.contains(["field": "title", "from": .null, "to": "v1"]) == true)
        for entry in entries {
            #expect(entry["subject"] == ["type": "event", "id": .string(id)])
            #expect(entry["actor"] == ["type": "user", "id": .string(ada.id), "name": "ada"])
            #expect(entry["source"] == ["kind": "http"])
            #expect(entry["hash"]?.string?.count == 64)
        }
        let forAdmins = try await root.http.get("\(path)/history").json["entries"]?.elements ?? []
        #expect(forAdmins.allSatisfy { $0["source"]?["address"] == "127.0.0.1" })
        var (pages, after): ([JSONValue], String?) = ([], nil)
        repeat {
            let page = try await bob.http.get("\(path)/history?page_size=1" + (after.map { "&after=\($0)" } ?? ""))
            pages += page.json["entries"]?.elements ?? []
            after = page.json["next"]?.string
        } while after != nil
        #expect(pages == entries)
    }

    @Test("An event is shown as it was at a time and in a version, with the entity tag of that version")
    func earlierStates() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let (_, path) = try await Self.event(ada)
        let entries = try await ada.http.get("\(path)/history").json["entries"]?.elements ?? []
        let moments = entries.reversed().compactMap { $0["timestamp"]?.string }
        for (version, title) in [(1, "v1"), (2, "v2"), (3, "v2")] {
            let answer = try await ada.http.get("\(path)?version=\(version)")
            #expect(answer.status == 200 && answer.json["title"] == .string(title), "\(answer.text)")
            #expect(answer.header("ETag") == "\"\(version)\"")
            #expect(try await ada.http.get("\(path)?version=\(version)", headers: ["If-None-Match": "\"\(version)\""]).status == 304)
            #expect(try await ada.http.get("\(path)?at=\(moments[version - 1])").json["version"] == .integer(Int64(version)))
        }
        #expect(try await ada.http.get("\(path)?at=2099-01-01T00:00:00Z").json == ada.http.get(path).json)
        for query in ["version=4", "at=2001-01-01T00:00:00Z"] { expectProblem(try await ada.http.get("\(path)?\(query)"), 404) }
        for query in ["version=0", "version=-1", "version=9223372036854775808", "version=x", "at=x", "version=1&at=\(moments[0])"] {
            expectProblem(try await ada.http.get("\(path)?\(query)"), 422)
        }
    }

    @Test("Restoring makes a new version that says what an earlier one said, and notifies the subscribers")
    func restoring() async throws {
        let stage = try await Stage()
        let (ada, bob) = (try await stage.person("ada"), try await stage.person("bob"))
        let (id, path) = try await Self.event(ada)
        try await bob.subscribe(to: id)
        expectProblem(try await bob.http.post("\(path)/restore", "{\"version\": 1}"), 403)
        expectProblem(try await ada.http.post("\(path)/restore", "{\"version\": 9}"), 404)
        for body in ["{}", "{\"version\": 0}", "{\"version\": \"1\"}", "{\"version\": 1, \"titel\": 2}", "{\"version\": 1e99}"] {
            expectProblem(try await ada.http.post("\(path)/restore", body), 422)
        }
        expectProblem(try await ada.http.post("\(path)/restore", "{\"version\": 1}", headers: ["If-Match": "\"2\""]), 412)
        let restored = try await ada.http.post("\(path)/restore", "{\"version\": 1}", headers: ["If-Match": "\"3\""])
        #expect(restored.status == 200, "\(restored.text)")
        #expect(restored.json["title"] == "v1" && restored.json["location"] == "San Francisco" && restored.json["version"] == 4)
        #expect(restored.header("ETag") == "\"4\"")
        #expect(try await ada.http.get(path).json == restored.json)
        try await eventually("the subscriber is notified") {
            try await bob.inbox().contains { $0["changes"] == ["title", "location"] }
        }
        // What says the same already stays as it is.
        #expect(try await ada.http.post("\(path)/restore", "{\"version\": 1}").json["version"] == 4)
    }

    @Test("A deleted event keeps its history for those who might change it, and comes back under its id")
    func deleted() async throws {
        let stage = try await Stage()
        let (ada, bob) = (try await stage.person("ada"), try await stage.person("bob"))
        let (id, path) = try await Self.event(ada)
        let made = try await ada.http.get(path).json
        #expect(try await ada.http.delete(path).status == 204)
        expectProblem(try await ada.http.get(path), 404)
        for other in ["/history", "?version=1", "?at=2099-01-01T00:00:00Z"] { expectProblem(try await bob.http.get(path + other), 404) }
        expectProblem(try await bob.http.post("\(path)/restore", "{\"version\": 1}"), 404)
        let entries = try await ada.http.get("\(path)/history").json["entries"]?.elements ?? []
        #expect(entries.map { $0["action"] } == ["deleted", "updated", "updated", "created"])
        #expect(try await ada.http.get("\(path)?version=2").json["title"] == "v2")
        expectProblem(try await ada.http.get("\(path)?at=2099-01-01T00:00:00Z"), 404)
        let restored = try await ada.http.post("\(path)/restore", "{\"version\": 2}")
        #expect(restored.status == 200, "\(restored.text)")
        #expect(restored.json["event_id"] == .string(id) && restored.json["version"] == 4 && restored.json["title"] == "v2")
        #expect(restored.json["created_at"] == made["created_at"] && restored.json["created_by"] == made["created_by"])
        #expect(try await bob.http.get(path).json == restored.json)
        #expect(try await bob.http.get("/events/search?q=v2").json["total"] == 1)
        #expect(try await ada.http.patch(path, "{\"title\": \"v5\"}").json["version"] == 5)
        let verified = try await stage.workspace.ems("audit", "verify", "-o", "json")
        #expect(verified.status == 0, "\(verified.errors)")
        #expect(try verified.jsonDocument()["is_valid"] == true)
    }

    @Test("At the command line there are history, versions, differences and the last editor, also of a deleted event")
    func commands() async throws {
        let workspace = try Workspace()
        let id = try await workspace.makeEvent("Gala")
        try await workspace.output("event", "update", id, "--location", "Wien", "--tag", "music")
        try await workspace.output("event", "update", id, "--title", "Ball", "--max-attendees", "50")
        let login = "operator:" + (try await workspace.shell("id -un").output.trimmingNewline)
        #expect(try await workspace.output("event", "show", id).contains(login))
        let history = try await workspace.outputEMS(["event", "history", id, "-o", "json"]).jsonDocument()
        #expect(
            history.elements.map { $0["changes"]?.strings("field") }.dropLast() == [["title", "max_attendees"], ["location", "tags"]])
        #expect(try await workspace.output("event", "history", id, "--limit", "1").contains("title,max_attendees"))
        let last = try await workspace.outputEMS(["event", "diff", id, "-o", "json"]).jsonDocument()
        #expect(
            last == [["field": "title", "from": "Gala", "to": "Ball"], ["field": "max_attendees", "from": .null, "to": 50]])
        let all = try await workspace.outputEMS(["event", "diff", id, "--versions", "1..", "-o", "json"]).jsonDocument()
        #expect(all.strings("field") == ["title", "location", "tags", "max_attendees"])
        #expect(try await workspace.output("event", "diff", id, "--versions", "2..1", "--no-header").contains("Wien"))
        for versions in ["", "1", "0..1", "1..0", "x..2", "1..2..3"] {
            try await workspace.ems("event", "diff", id, "--versions", versions).expectFailure(64, saying: "--versions")
        }
        try await workspace.ems("event", "diff", id, "--versions", "1..9").expectFailure(66, saying: "no version 9")
        #expect(try await workspace.outputEMS(["event", "show", id, "--version", "2", "-o", "json"]).jsonDocument()["title"] == "Gala")
        try await workspace.ems("event", "show", id, "--at", "2001-01-01").expectFailure(66, saying: "there was no event")
        try await workspace.ems("event", "show", id, "--version", "1", "--at", "1d").expectFailure(64, saying: "Either")

        try await workspace.ems("event", "delete", id, "--yes").expectDone()
        #expect(try await workspace.outputEMS(["event", "show", id, "--version", "2", "-o", "json"]).jsonDocument()["location"] == "Wien")
        let dryRun = try await workspace.ems("event", "restore", id, "--version", "2", "--dry-run")
        #expect(dryRun.status == 0 && dryRun.errors.contains("would restore"))
        try await workspace.ems("event", "show", id).expectFailure(66, saying: id)
        try await workspace.ems("event", "restore", id, "--version", "9").expectFailure(66, saying: "no version 9")
        let restored = try await workspace.outputEMS(["event", "restore", id, "--version", "2", "-o", "json"]).jsonDocument()
        #expect(restored["title"] == "Gala" && restored["version"] == 4)
    }

    // MARK: The trail

    @Test("The trail is for admins, and found by subject, actor, action and time")
    func trail() async throws {
        let stage = try await Stage()
        let (ada, root) = (try await stage.person("ada"), try await stage.admin("root1"))
        let (id, path) = try await Self.event(ada)
        let other = try await stage.workspace.makeEvent("By an operator")
        #expect(try await ada.http.delete(path, headers: ["X-Request-Id": "r-1"]).status == 204)
        expectProblem(try await ada.http.get("/audit"), 403)
        func found(_ query: String) async throws -> [JSONValue] {
            let answer = try await root.http.get("/audit?page_size=100&subject=event" + query)
            #expect(answer.status == 200, "\(answer.text)")
            return answer.json["entries"]?.elements ?? []
        }
        let all = try await found("")
        #expect(all.count == 5)
        #expect(all.compactMap { $0["position"]?.integer } == all.compactMap { $0["position"]?.integer }.sorted(by: >))
        #expect(all[0]["action"] == "deleted" && all[0]["source"]?["request_id"] == "r-1" && all[0]["before"]?["title"] == "v2")
        #expect(all[1]["actor"]?["type"] == "operator" && all[1]["after"]?["event_id"] == .string(other))
        #expect(try await found("&actor=\(ada.id)").count == 4)
        #expect(try await found("&action=created").count == 2)
        #expect(try await root.http.get("/audit?subject=\(id)").json["entries"]?.elements.count == 4)
        #expect(try await root.http.get("/audit?subject=event:\(other)").json["entries"]?.elements == [all[1]])
        let moment = try #require(all[1]["timestamp"]?.string)
        #expect(try await found("&since=\(moment)").count == 2)
        #expect(try await found("&until=\(moment)") == Array(all[2...]))
        var (pages, next): ([JSONValue], String?) = ([], nil)
        repeat {
            let page = try await root.http.get(
                "/audit?subject=event&page_size=2&until=2099-01-01T00:00:00Z" + (next.map { "&after=\($0)" } ?? ""))
            pages += page.json["entries"]?.elements ?? []
            next = page.json["next"]?.string
        } while next != nil
        #expect(pages == all)
        for query in ["subject=x:y", "action=burnt", "since=x", "after=x", "page_size=0", "limit=1", "since=\(moment)&until=\(moment)"] {
            expectProblem(try await root.http.get("/audit?\(query)"), 422)
        }
        let listed = try await stage.workspace.outputEMS(["audit", "list", "--subject", "event", "--actor", "ada", "-o", "json"])
        #expect(try listed.jsonDocument().elements.count == 4)
        let position = try #require(all[1]["position"]?.integer)
        #expect(try await stage.workspace.outputEMS(["audit", "show", "\(position)", "-o", "json"]).jsonDocument() == all[1])
        try await stage.workspace.ems("audit", "show", "999999").expectFailure(66, saying: "999999")
        let exported = try await stage.workspace.outputEMS(["audit", "export", "--subject", "event"]).jsonLines()
        #expect(exported == all.reversed())
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let statement: String
        /// The first position that differs; `nil` if what differs has no entry.
        let position: Int64?
        var testDescription: String { statement }

        init(_ statement: String, _ position: Int64?) {
            self.statement = statement
            self.position = position
        }
    }

    private static let faults = [
        Fault("UPDATE journal SET entry = replace(entry, 'Third', 'Fourth') WHERE position = 3", 3),
        Fault("UPDATE journal SET entry = CAST(replace(CAST(entry AS TEXT), 'operator', 'operators') AS BLOB) WHERE position = 2", 2),
        Fault("UPDATE journal SET hash = zeroblob(32) WHERE position = 4", 4),
        Fault("UPDATE journal SET hash = x'00' WHERE position = 4", 4),
        Fault("DELETE FROM journal WHERE position = 1", 1),
        Fault("DELETE FROM journal WHERE position = 3", 3),
        Fault(
            """
            INSERT INTO journal SELECT 6, 'x', subject_type, subject_id, action, version, actor_id, timestamp, entry, hash FROM journal
            WHERE position = 5
            """, 6),
        Fault("UPDATE journal SET actor_id = 'operator:mallory' WHERE position = 2", 2),
        Fault("UPDATE journal SET timestamp = timestamp - 1 WHERE position = 5", 5),
        Fault("UPDATE events SET title = 'By hand' WHERE title = 'Second'", 5),
        Fault("DELETE FROM events WHERE title = 'Third'", 3),
        Fault("DELETE FROM journal WHERE position = 5", 2),
        Fault(
            """
            INSERT INTO events (id, title, description, location, tags, start_time, end_time, created_by, status, created_at, updated_at, version)
            SELECT '0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4', title, description, location, tags, start_time, end_time, created_by, status,
                created_at, updated_at, version FROM events WHERE title = 'Third'
            """, nil),
    ]

    @Test("What was altered behind our back is found, with the first position that differs", arguments: HistoryTests.faults)
    func verifying(_ fault: Fault) async throws {
        let workspace = try Workspace()
        for title in ["First", "Before", "Third"] { try await workspace.makeEvent(title) }
        let ids = try await workspace.output("event", "list", "--sort", "created_at", "-o", "id").split(separator: "\n").map(String.init)
        try await workspace.ems("event", "delete", ids[0], "--yes").expectDone()
        try await workspace.output("event", "update", ids[1], "--title", "Second")
        let sound = try await workspace.ems("audit", "verify", "-o", "json")
        #expect(sound.status == 0)
        #expect(try sound.jsonDocument()["entries"] == 5)
        try await workspace.sqlite(fault.statement)
        let found = try await workspace.ems("audit", "verify", "-o", "json")
        #expect(found.status == 1)
        let report = try found.jsonDocument()
        #expect(report["is_valid"] == false)
        #expect(report["position"]?.integer == fault.position, "\(found.output) \(found.errors)")
        if let position = fault.position { #expect(found.errors.contains("at position \(position)"), "\(found.errors)") }
    }
}
