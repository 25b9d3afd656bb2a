import EMSCore
import Foundation
import NIOHTTP1
import Testing

/// Events and subscriptions, over HTTP.
@Suite("Events over HTTP", .gated)
struct EventHTTPTests {
    private static let unknown = "0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"

    private static func titles(_ answer: HTTPClient.Answer) -> [String] {
        (answer.json["events"]?.elements ?? []).compactMap { $0["title"]?.string }
    }

    // MARK: Creating and reading

    @Test("An answer names its request as the client did, if that is a plain word")
    func requestIDs() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        #expect(try await ada.http.get("/events", headers: ["X-Request-Id": "a1.B-2_c"]).header("X-Request-Id") == "a1.B-2_c")
        for given in ["", "two words", "\u{E9}", String(repeating: "a", count: 129), "a\"b"] {
            let answer = try await ada.http.get("/events/unknown", headers: ["X-Request-Id": given])
            expectProblem(answer, 404)
            #expect(answer.header("X-Request-Id") == nil, "\(given)")
        }
    }

    @Test("Creating answers 201 with the event, where it is found and its entity tag", arguments: ["", "/api"])
    func creates(prefix: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let created = try await ada.http.post(prefix + "/events", Workspace.eventBody("Tech Conference"))
        #expect(created.status == 201)
        let id = try #require(created.json["event_id"]?.string)
        #expect(created.json["created_by"] == .string(ada.id))
        #expect(created.json["status"] == .string("scheduled"))
        #expect(created.json["version"] == .integer(1))
        let location = try #require(created.header("Location"))
        #expect(location == prefix + "/events/" + id)
        let found = try await ada.http.get(location)
        #expect(found.status == 200)
        #expect(found.json == created.json)
        #expect(found.header("ETag") == created.header("ETag"))
        #expect(found.header("ETag")?.hasPrefix("\"") == true)
        #expect(found.header("Content-Type")?.hasPrefix("application/json") == true)
    }

    @Test("All fields come back as they were sent")
    func roundTrip() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let created = try await ada.http.post(
            "/events",
            """
            {"title": "Gréât 🎉 שלום", "description": "Two\\nlines", "location": "Paris, Île-de-France",
             "start_time": "2037-03-01T09:00:00+02:00", "end_time": "2037-03-01T17:30:15.250Z", "tags": ["technology", "open air"],
             "max_attendees": 500, "status": "scheduled", "attachment_url": "https://example.com/a.pdf?b=1",
             "coordinates": {"latitude": 48.8566, "longitude": -2.3522}}
            """)
        #expect(created.status == 201, "\(created.text)")
        let id = try #require(created.json["event_id"]?.string)
        let event = try await ada.http.get("/events/\(id)").json
        #expect(event["title"] == .string("Gréât 🎉 שלום"))
        #expect(event["description"] == .string("Two\nlines"))
        #expect(event["location"] == .string("Paris, Île-de-France"))
        #expect(event["start_time"]?.string.flatMap { Timestamp($0) } == Timestamp("2037-03-01T07:00:00Z"))
        #expect(event["end_time"]?.string.flatMap { Timestamp($0) } == Timestamp("2037-03-01T17:30:15.250Z"))
        #expect(event["tags"] == .array([.string("technology"), .string("open air")]))
        #expect(event["max_attendees"] == .integer(500))
        #expect(event["attachment_url"] == .string("https://example.com/a.pdf?b=1"))
        #expect(event["coordinates"]?["latitude"] == .number(48.8566))
        #expect(event["coordinates"]?["longitude"] == .number(-2.3522))
        #expect(
            event.names == [
                "attachment_url", "coordinates", "created_at", "created_by", "description", "end_time", "event_id", "location",
                "max_attendees", "start_time", "status", "tags", "title", "updated_at", "version",
            ])
    }

    struct Route: Sendable, CustomTestStringConvertible {
        let method: HTTPMethod
        let path: String
        var body = ""
        var testDescription: String { "\(method.rawValue) \(path)" }
    }

    @Test(
        "Without a token every path answers 401",
        arguments: [
            Route(method: .GET, path: "/events"), Route(method: .GET, path: "/events/search?q=a"),
            Route(method: .POST, path: "/events", body: "{}"), Route(method: .GET, path: "/events/0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"),
            Route(method: .PUT, path: "/events/0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4", body: "{}"),
            Route(method: .PATCH, path: "/events/0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4", body: "{}"),
            Route(method: .DELETE, path: "/events/0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"),
            Route(method: .POST, path: "/events/subscribe", body: "{}"), Route(method: .GET, path: "/events/subscriptions"),
            Route(method: .DELETE, path: "/events/unsubscribe/0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"),
            Route(method: .GET, path: "/api/events"),
        ])
    func needsToken(_ route: Route) async throws {
        let stage = try await Stage()
        let answer = try await stage.http.send(route.method, route.path, route.body)
        expectProblem(answer, 401)
        #expect(answer.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
    }

    @Test(
        "An unknown and a malformed id are not found",
        arguments: [EventHTTPTests.unknown, "x", "..", "%00", "%ff", "0195C1D2E3F4A5B6C7D8E9F0A1B2C3D4Z", "'%20OR%201=1", "%F0%9F%8E%89"])
    func notFound(id: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        expectProblem(try await ada.http.get("/events/\(id)"), 404)
        expectProblem(try await ada.http.put("/events/\(id)", Workspace.eventBody("A")), 404)
        expectProblem(try await ada.http.patch("/events/\(id)", "{\"title\": \"A\"}"), 404)
        expectProblem(try await ada.http.delete("/events/\(id)"), 404)
        expectProblem(try await ada.http.get("/notifications/\(id)"), 404)
    }

    @Test("A client that has the newest version is answered 304")
    func notModified() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A")
        let first = try await ada.http.get("/events/\(id)")
        let etag = try #require(first.header("ETag"))
        for known in [etag, "\"other\", \(etag)", "W/\(etag)", "*"] {
            let same = try await ada.http.get("/events/\(id)", headers: ["If-None-Match": known])
            #expect(same.status == 304)
            #expect(same.header("ETag") == etag)
            #expect(same.body.isEmpty)
        }
        try await ada.change(id)
        let changed = try await ada.http.get("/events/\(id)", headers: ["If-None-Match": etag])
        #expect(changed.status == 200)
        #expect(changed.header("ETag") != etag)
    }

    // MARK: Changing

    @Test("PUT replaces the whole event: what is not sent falls back")
    func put() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A", more: ", \"attachment_url\": \"https://example.com\"")
        let (start, end) = (Workspace.future(days: 500), Workspace.future(days: 501))
        let body = "{\"title\": \"B\", \"start_time\": \"\(start)\", \"end_time\": \"\(end)\"}"
        let replaced = try await ada.http.put("/events/\(id)", body)
        #expect(replaced.status == 200, "\(replaced.text)")
        #expect(replaced.json["title"] == .string("B"))
        #expect(replaced.json["start_time"] == .string(start))
        #expect(replaced.json["tags"] == .array([]))
        #expect(replaced.json["max_attendees"] == .null)
        #expect(replaced.json["attachment_url"] == .null)
        #expect(replaced.json["created_by"] == .string(ada.id))
        #expect(replaced.json["version"] == .integer(2))
        #expect(try await ada.http.get("/events/\(id)").json == replaced.json)
        expectProblem(try await ada.http.put("/events/\(id)", "{\"title\": \"C\"}"), 422, at: ["body", "start_time"])
    }

    @Test("PATCH changes what is sent, and null takes a field away")
    func patch() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A", more: ", \"coordinates\": {\"latitude\": 1.5, \"longitude\": 2.5}")
        let before = try await ada.http.get("/events/\(id)").json
        let changed = try await ada.http.patch(
            "/events/\(id)", "{\"title\": \"B\", \"max_attendees\": null, \"coordinates\": null}",
            headers: ["Content-Type": "application/merge-patch+json"])
        #expect(changed.status == 200, "\(changed.text)")
        #expect(changed.json["title"] == .string("B"))
        #expect(changed.json["max_attendees"] == .null)
        #expect(changed.json["coordinates"] == .null)
        for same in ["event_id", "description", "location", "start_time", "end_time", "tags", "created_by", "created_at"] {
            #expect(changed.json[same] == before[same])
        }
        #expect(changed.header("ETag") != nil)
        #expect(try await ada.http.get("/events/\(id)").json == changed.json)
    }

    @Test("A merge patch merges what lies within a field, too (RFC 7396)")
    func patchWithin() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A", more: ", \"coordinates\": {\"latitude\": 1.5, \"longitude\": 2.5}")
        let changed = try await ada.http.patch("/events/\(id)", "{\"coordinates\": {\"latitude\": 3.5}}")
        #expect(changed.status == 200, "\(changed.text)")
        #expect(changed.json["coordinates"]?["latitude"] == .number(3.5))
        #expect(changed.json["coordinates"]?["longitude"] == .number(2.5))
    }

    struct BadPatch: Sendable, CustomTestStringConvertible {
        let body: String
        let field: String
        var testDescription: String { body }
    }

    @Test(
        "A patch keeps the rules of an event",
        arguments: [
            BadPatch(body: "{\"title\": null}", field: "title"), BadPatch(body: "{\"title\": \"\"}", field: "title"),
            BadPatch(body: "{\"start_time\": null}", field: "start_time"), BadPatch(body: "{\"end_time\": null}", field: "end_time"),
            BadPatch(body: "{\"end_time\": \"2020-01-01T00:00:00Z\"}", field: "end_time"),
            BadPatch(body: "{\"status\": \"open\"}", field: "status"), BadPatch(body: "{\"max_attendees\": 0}", field: "max_attendees"),
        ])
    func badPatch(_ example: BadPatch) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A")
        expectProblem(try await ada.http.patch("/events/\(id)", example.body), 422, at: ["body", example.field])
        #expect(try await ada.http.get("/events/\(id)").json["version"] == .integer(1))
    }

    @Test("What is the system's own is not changed by a client")
    func systemFields() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A")
        let before = try await ada.http.get("/events/\(id)").json
        _ = try await ada.http.patch(
            "/events/\(id)", "{\"event_id\": \"x\", \"created_by\": \"x\", \"created_at\": \"2020-01-01T00:00:00Z\", \"version\": 9}")
        let after = try await ada.http.get("/events/\(id)").json
        for name in ["event_id", "created_by", "created_at"] { #expect(after[name] == before[name]) }
        #expect(after["version"] != .integer(9))
    }

    @Test("Each change counts the version up, and one made for an older version is refused with 412")
    func versions() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A")
        let path = "/events/\(id)"
        let first = try await ada.http.get(path)
        let stale = try #require(first.header("ETag"))
        var etag = stale
        for version in 2...4 {
            let changed = try await ada.http.patch(path, "{\"title\": \"Version \(version)\"}", headers: ["If-Match": etag])
            #expect(changed.status == 200, "\(changed.text)")
            #expect(changed.json["version"] == .integer(Int64(version)))
            etag = try #require(changed.header("ETag"))
        }
        expectProblem(try await ada.http.patch(path, "{\"title\": \"Late\"}", headers: ["If-Match": stale]), 412)
        expectProblem(try await ada.http.put(path, Workspace.eventBody("Late"), headers: ["If-Match": stale]), 412)
        expectProblem(try await ada.http.delete(path, headers: ["If-Match": stale]), 412)
        let event = try await ada.http.get(path).json
        #expect(event["title"] == .string("Version 4"))
        #expect(event["version"] == .integer(4))
        #expect(try await ada.http.delete(path, headers: ["If-Match": etag]).status == 204)
    }

    @Test("Of changes at once for one version one is made")
    func versionsAtOnce() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A")
        let first = try await ada.http.get("/events/\(id)")
        let etag = try #require(first.header("ETag"))
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<8 {
                group.addTask {
                    try await ada.http.patch("/events/\(id)", "{\"title\": \"T\(number)\"}", headers: ["If-Match": etag]).status
                }
            }
            var statuses: [Int] = []
            for try await status in group { statuses.append(status) }
            return statuses
        }
        #expect(statuses.filter { $0 == 200 }.count == 1)
        #expect(statuses.filter { $0 == 412 }.count == 7)
        #expect(try await ada.http.get("/events/\(id)").json["version"] == .integer(2))
    }

    @Test("Only its creator and admins change or delete an event")
    func permissions() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let root = try await stage.admin("root_user")
        let id = try await ada.create("A")
        expectProblem(try await bob.http.patch("/events/\(id)", "{\"title\": \"B\"}"), 403)
        expectProblem(try await bob.http.put("/events/\(id)", Workspace.eventBody("B")), 403)
        expectProblem(try await bob.http.delete("/events/\(id)"), 403)
        #expect(try await bob.http.get("/events/\(id)").json["title"] == .string("A"))
        #expect(try await ada.http.patch("/events/\(id)", "{\"title\": \"C\"}").status == 200)
        #expect(try await root.http.patch("/events/\(id)", "{\"title\": \"D\"}").status == 200)
        #expect(try await root.http.get("/events/\(id)").json["created_by"] == .string(ada.id))
        #expect(try await root.http.delete("/events/\(id)").status == 204)
    }

    @Test("A deleted event is gone")
    func deletes() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A")
        let answer = try await ada.http.delete("/api/events/\(id)")
        #expect(answer.status == 204)
        #expect(answer.body.isEmpty)
        expectProblem(try await ada.http.get("/events/\(id)"), 404)
        expectProblem(try await ada.http.delete("/events/\(id)"), 404)
        expectProblem(try await ada.http.patch("/events/\(id)", "{\"title\": \"B\"}"), 404)
        #expect(try await ada.http.get("/events").json["total"] == .integer(0))
    }

    // MARK: Idempotency

    @Test("A request repeated under its key answers with the same event and makes no second one")
    func idempotency() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let body = Workspace.eventBody("Once")
        let headers = ["Idempotency-Key": "key-1"]
        let first = try await ada.http.post("/events", body, headers: headers)
        let second = try await ada.http.post("/events", body, headers: headers)
        #expect(first.status == 201)
        #expect(second.status == 201)
        #expect(second.json == first.json)
        #expect(second.header("Location") == first.header("Location"))
        #expect(try await ada.http.get("/events").json["total"] == .integer(1))
        // Another's key is another key.
        let others = try await bob.http.post("/events", body, headers: headers)
        #expect(others.status == 201)
        #expect(others.json["event_id"] != first.json["event_id"])
    }

    @Test("A key used for another request is refused with 422")
    func idempotencyConflict() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let headers = ["Idempotency-Key": "key-1"]
        #expect(try await ada.http.post("/events", Workspace.eventBody("One"), headers: headers).status == 201)
        expectProblem(try await ada.http.post("/events", Workspace.eventBody("Two"), headers: headers), 422)
        #expect(try await ada.http.get("/events").json["total"] == .integer(1))
    }

    @Test("Requests at once under one key make one event")
    func idempotencyAtOnce() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let body = Workspace.eventBody("Once")
        let ids = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<8 {
                group.addTask { try await ada.http.post("/events", body, headers: ["Idempotency-Key": "k"]).json["event_id"]?.string }
            }
            var ids: [String?] = []
            for try await id in group { ids.append(id) }
            return ids
        }
        #expect(ids.count == 8)
        #expect(Set(ids).count == 1)
        #expect(try await ada.http.get("/events").json["total"] == .integer(1))
    }

    @Test("A key is honoured after the event has begun, and an event that has begun can still be changed")
    func idempotencyAfterStart() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let start = Timestamp.now().adding(seconds: 2)
        let body = "{\"title\": \"Soon\", \"start_time\": \"\(start)\", \"end_time\": \"\(Workspace.future(days: 1))\"}"
        let first = try await ada.http.post("/events", body, headers: ["Idempotency-Key": "k"])
        #expect(first.status == 201, "\(first.text)")
        try await eventually("the event has begun") { Timestamp.now() > start }
        let second = try await ada.http.post("/events", body, headers: ["Idempotency-Key": "k"])
        #expect(second.status == 201, "\(second.text)")
        #expect(second.json["event_id"] == first.json["event_id"])
        let id = try #require(first.json["event_id"]?.string)
        #expect(try await ada.http.patch("/events/\(id)", "{\"title\": \"Now\"}").status == 200)
    }

    // MARK: Lists and search

    @Test("Pages are counted, and the cursor visits every event once, though others are created meanwhile")
    func paging() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        for number in 1...7 { _ = try await ada.create("Event \(number)") }
        let first = try await ada.http.get("/events?page=1&page_size=3")
        #expect(first.json["total"] == .integer(7))
        #expect(first.json["page"] == .integer(1))
        #expect(first.json["page_size"] == .integer(3))
        let second = try await ada.http.get("/events?page=2&page_size=3")
        let third = try await ada.http.get("/events?page=3&page_size=3")
        let numbered = Self.titles(first) + Self.titles(second) + Self.titles(third)
        #expect(numbered.count == 7)
        #expect(Set(numbered).count == 7)
        #expect(third.json["next"] == .null)

        var seen = Self.titles(first)
        var next = first.json["next"]?.string
        while let cursor = next, seen.count < 20 {
            let earlier = try await ada.http.post("/events", Self.body(["title": "\"Earlier\""]))
            #expect(earlier.status == 201, "\(earlier.text)")
            let page = try await ada.http.get("/events?after=\(cursor)&page_size=3")
            #expect(page.status == 200, "\(page.text)")
            seen += Self.titles(page)
            next = page.json["next"]?.string
        }
        #expect(seen == numbered)
    }

    struct BadQuery: Sendable, CustomTestStringConvertible {
        let query: String
        let field: String
        var testDescription: String { query }
    }

    @Test(
        "A wrong parameter is refused with 422 and its name",
        arguments: [
            BadQuery(query: "?page_size=0", field: "page_size"), BadQuery(query: "?page_size=101", field: "page_size"),
            BadQuery(query: "?page_size=ten", field: "page_size"), BadQuery(query: "?page=0", field: "page"),
            BadQuery(query: "?page=-1", field: "page"), BadQuery(query: "?page=99999999999999999999", field: "page"),
            BadQuery(query: "?statsu=scheduled", field: "statsu"), BadQuery(query: "?status=open", field: "status"),
            BadQuery(query: "?sort=title", field: "sort"), BadQuery(query: "?after=nonsense", field: "after"),
            BadQuery(query: "/search?near=north", field: "near"), BadQuery(query: "/search?near=91,0", field: "near"),
            BadQuery(query: "/search?near=nan,nan", field: "near"), BadQuery(query: "/search?near=1,1&radius_km=-1", field: "radius_km"),
            BadQuery(query: "/search?near=1,1&radius_km=nan", field: "radius_km"), BadQuery(query: "/search?radius_km=1", field: "near"),
            BadQuery(query: "/search?start_after=tomorrow", field: "start_after"),
            BadQuery(query: "/search?start_before=2026-13-01", field: "start_before"),
        ])
    func badQuery(_ example: BadQuery) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        expectProblem(try await ada.http.get("/events\(example.query)"), 422, at: ["query", example.field])
    }

    /// Four events that differ in everything one can search for.
    private func programme(_ person: Person) async throws {
        func create(_ title: String, _ location: String, days: Int64, _ more: String) async throws {
            let answer = try await person.http.post(
                "/events",
                """
                {"title": "\(title)", "location": "\(location)", "start_time": "\(Workspace.future(days: days))",
                 "end_time": "\(Workspace.future(days: days + 1))", \(more)}
                """)
            #expect(answer.status == 201, "\(answer.text)")
        }
        try await create(
            "Jazz Night", "Paris", days: 40,
            "\"tags\": [\"music\"], \"description\": \"Saxophone\", \"coordinates\": {\"latitude\": 48.8566, \"longitude\": 2.3522}")
        try await create(
            "Swift Conference", "Versailles", days: 10,
            "\"tags\": [\"technology\", \"music\"], \"coordinates\": {\"latitude\": 48.8049, \"longitude\": 2.1204}")
        try await create(
            "Beer Festival", "Munich", days: 30,
            "\"tags\": [\"food\"], \"status\": \"canceled\", \"coordinates\": {\"latitude\": 48.1351, \"longitude\": 11.582}")
        try await create("Book Fair", "Paris, Texas", days: 20, "\"tags\": [\"books\"]")
    }

    struct Search: Sendable, CustomTestStringConvertible {
        let query: String
        let titles: [String]
        var isOrdered = false
        var testDescription: String { query }
    }

    @Test(
        "Events are found by what they are",
        arguments: [
            Search(query: "?tag=music", titles: ["Jazz Night", "Swift Conference"]),
            Search(query: "?tag=MUSIC&status=canceled", titles: []),
            Search(query: "?tag=mus", titles: []), Search(query: "?status=canceled", titles: ["Beer Festival"]),
            Search(query: "?status=scheduled&tag=books", titles: ["Book Fair"]),
            Search(query: "?sort=start_time", titles: ["Swift Conference", "Book Fair", "Beer Festival", "Jazz Night"], isOrdered: true),
            Search(query: "?sort=-start_time", titles: ["Jazz Night", "Beer Festival", "Book Fair", "Swift Conference"], isOrdered: true),
            Search(query: "?sort=created_at", titles: ["Jazz Night", "Swift Conference", "Beer Festival", "Book Fair"], isOrdered: true),
            Search(query: "?sort=-created_at", titles: ["Book Fair", "Beer Festival", "Swift Conference", "Jazz Night"], isOrdered: true),
            Search(query: "/search?q=jazz", titles: ["Jazz Night"]), Search(query: "/search?q=saxophone", titles: ["Jazz Night"]),
            Search(query: "/search?q=night+jazz", titles: ["Jazz Night"]), Search(query: "/search?q=jazz%20beer", titles: []),
            Search(query: "/search?q=technology", titles: ["Swift Conference"]), Search(query: "/search?q=%22%20OR%20*", titles: []),
            Search(query: "/search?q=paris&status=scheduled", titles: ["Jazz Night", "Book Fair"]),
            Search(query: "/search?location=paris", titles: ["Jazz Night", "Book Fair"]),
            Search(query: "/search?location=texas&q=book", titles: ["Book Fair"]), Search(query: "/search?location=jazz", titles: []),
            Search(query: "/search?near=48.8566,2.3522&radius_km=1", titles: ["Jazz Night"]),
            Search(query: "/search?near=48.8566,2.3522&radius_km=50", titles: ["Jazz Night", "Swift Conference"], isOrdered: true),
            Search(query: "/search?near=48.8,2.12&radius_km=50", titles: ["Swift Conference", "Jazz Night"], isOrdered: true),
            Search(query: "/search?near=48.8566,2.3522&radius_km=50&tag=technology", titles: ["Swift Conference"]),
            Search(query: "/search?near=-48,2&radius_km=50", titles: []),
            Search(query: "/search?tag=food&status=canceled", titles: ["Beer Festival"]),
        ])
    func finds(_ example: Search) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        try await programme(ada)
        let answer = try await ada.http.get("/events\(example.query)")
        #expect(answer.status == 200, "\(answer.text)")
        let found = Self.titles(answer)
        #expect(example.isOrdered ? found == example.titles : found.sorted() == example.titles.sorted())
        #expect(answer.json["total"] == .integer(Int64(example.titles.count)))
    }

    @Test("Events are found by their time and by who made them")
    func findsByTimeAndCreator() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        try await programme(ada)
        _ = try await bob.create("Of Bob")
        let (soon, later) = (Workspace.future(days: 15), Workspace.future(days: 35))
        let after = try await ada.http.get("/events/search?start_after=\(later)&created_by=\(ada.id)")
        #expect(Self.titles(after) == ["Jazz Night"])
        let before = try await ada.http.get("/events/search?start_before=\(soon)")
        #expect(Self.titles(before) == ["Swift Conference"])
        let between = try await ada.http.get("/events/search?start_after=\(soon)&start_before=\(later)&q=fair")
        #expect(Self.titles(between) == ["Book Fair"])
        let bobs = try await ada.http.get("/events/search?created_by=\(bob.id)")
        #expect(Self.titles(bobs) == ["Of Bob"])
        let none = try await ada.http.get("/events/search?created_by=nobody")
        #expect(none.status == 200)
        #expect(Self.titles(none).isEmpty)
    }

    @Test("The cursor of a search visits every match once", arguments: ["q=event", "location=francisco", "tag=conference"])
    func searchPaging(query: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        for number in 1...5 { _ = try await ada.create("Event \(number)") }
        var seen: [String] = []
        var cursor = ""
        repeat {
            let page = try await ada.http.get("/events/search?\(query)&page_size=2\(cursor.isEmpty ? "" : "&after=\(cursor)")")
            #expect(page.status == 200, "\(page.text)")
            #expect(page.json["total"] == .integer(5))
            seen += Self.titles(page)
            cursor = page.json["next"]?.string ?? ""
        } while !cursor.isEmpty && seen.count < 20
        #expect(seen.sorted() == (1...5).map { "Event \($0)" })
    }

    // MARK: Subscriptions

    @Test("One subscribes and unsubscribes, each as often as one likes, and sees one's own subscriptions only")
    func subscriptions() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let id = try await ada.create("A")
        try await bob.subscribe(to: id)
        try await bob.subscribe(to: id)
        let list = try await bob.http.get("/api/events/subscriptions")
        #expect(list.status == 200)
        #expect((list.json["subscriptions"]?.elements ?? []).compactMap { $0["event_id"]?.string } == [id])
        #expect(try await ada.http.get("/events/subscriptions").json["subscriptions"] == .array([]))
        for _ in 0..<2 { #expect(try await bob.http.delete("/events/unsubscribe/\(id)").status == 200) }
        #expect(try await bob.http.get("/events/subscriptions").json["subscriptions"] == .array([]))
    }

    @Test("One subscribes to what there is")
    func badSubscriptions() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        expectProblem(try await ada.http.post("/events/subscribe", "{\"event_id\": \"\(Self.unknown)\"}"), 404)
        expectProblem(try await ada.http.post("/events/subscribe", "{\"event_id\": \"x\"}"), 404)
        expectProblem(try await ada.http.post("/events/subscribe", "{}"), 422, at: ["body", "event_id"])
        expectProblem(try await ada.http.post("/events/subscribe", "{\"event_id\": 5}"), 422, at: ["body", "event_id"])
    }

    // MARK: Rules

    struct BadEvent: Sendable, CustomTestStringConvertible {
        let what: String
        /// Members in place of those of a good event, by name, as JSON.
        let changes: [String: String]
        let field: [String]
        var testDescription: String { what }

        init(_ what: String, _ changes: [String: String], at field: String...) {
            self.what = what
            self.changes = changes
            self.field = ["body"] + field
        }
    }

    /// The body of an event, with members in place of those of a good one.
    private static func body(_ changes: [String: String]) -> String {
        let good = [
            "title": "\"Good\"", "start_time": "\"\(Workspace.future(days: 1))\"", "end_time": "\"\(Workspace.future(days: 2))\"",
        ]
        let members = good.merging(changes) { $1 }.map { "\"\($0.key)\": \($0.value)" }
        return "{" + members.joined(separator: ", ") + "}"
    }

    static let badEvents: [BadEvent] = [
        BadEvent("a title of 0 characters", ["title": "\"\""], at: "title"),
        BadEvent("a title of white space", ["title": "\"  \""], at: "title"),
        BadEvent("a title of 101 characters", ["title": "\"\(String(repeating: "a", count: 101))\""], at: "title"),
        BadEvent("a title that is null", ["title": "null"], at: "title"),
        BadEvent("a title that is a number", ["title": "5"], at: "title"),
        BadEvent("a title with a control character", ["title": "\"a\\u0000b\""], at: "title"),
        BadEvent("a start in the past", ["start_time": "\"2020-01-01T00:00:00Z\""], at: "start_time"),
        BadEvent("a start that is no time", ["start_time": "\"tomorrow\""], at: "start_time"),
        BadEvent("a start that is a number", ["start_time": "1767225600"], at: "start_time"),
        BadEvent("a start on February 30", ["start_time": "\"2037-02-30T00:00:00Z\""], at: "start_time"),
        BadEvent("an end before the start", ["end_time": "\"2020-01-01T00:00:00Z\""], at: "end_time"),
        BadEvent(
            "an end at the start", ["start_time": "\"2037-01-01T00:00:00Z\"", "end_time": "\"2037-01-01T01:00:00+01:00\""], at: "end_time"),
        BadEvent("tags that are a string", ["tags": "\"music\""], at: "tags"),
        BadEvent("tags of numbers", ["tags": "[1]"], at: "tags"),
        BadEvent("attendees as a string", ["max_attendees": "\"5\""], at: "max_attendees"),
        BadEvent("attendees as a fraction", ["max_attendees": "1.5"], at: "max_attendees"),
        BadEvent("no attendees", ["max_attendees": "0"], at: "max_attendees"),
        BadEvent("fewer than no attendees", ["max_attendees": "-1"], at: "max_attendees"),
        BadEvent("more attendees than there is a number for", ["max_attendees": "99999999999999999999"], at: "max_attendees"),
        BadEvent("an unknown status", ["status": "\"open\""], at: "status"),
        BadEvent("a status that is a number", ["status": "1"], at: "status"),
        BadEvent("an attachment that is no URL", ["attachment_url": "\"nothing\""], at: "attachment_url"),
        BadEvent("an attachment that is a script", ["attachment_url": "\"javascript:alert(1)\""], at: "attachment_url"),
        BadEvent("coordinates as an array", ["coordinates": "[1, 2]"], at: "coordinates"),
        BadEvent("coordinates without a longitude", ["coordinates": "{\"latitude\": 1}"], at: "coordinates"),
        BadEvent("a latitude of 91", ["coordinates": "{\"latitude\": 91, \"longitude\": 0}"], at: "coordinates", "latitude"),
        BadEvent("a longitude of 181", ["coordinates": "{\"latitude\": 0, \"longitude\": 181}"], at: "coordinates", "longitude"),
        BadEvent("a description that is an object", ["description": "{}"], at: "description"),
        BadEvent("a location that is a list", ["location": "[]"], at: "location"),
    ]

    @Test("An event that breaks a rule is refused with 422 and the place of the fault", arguments: EventHTTPTests.badEvents)
    func rules(_ example: BadEvent) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let answer = try await ada.http.post("/events", Self.body(example.changes))
        expectProblem(answer, 422)
        // A fault may be told of the field or of something within it.
        let isTold = answer.faultLocations.contains { $0.prefix(example.field.count) == example.field[...] }
        #expect(isTold, "\(answer.text)")
        #expect(try await ada.http.get("/events").json["total"] == .integer(0))
    }

    @Test(
        "Titles of 1 and 100 characters, with emoji and from the right, are accepted",
        arguments: ["a", String(repeating: "a", count: 100), String(repeating: "🎉", count: 100), "כנס טכנולוגיה 2037", "مؤتمر", "👩‍👩‍👧‍👦 Picnic"])
    func titles(title: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create(title)
        #expect(try await ada.http.get("/events/\(id)").json["title"] == .string(title))
        let page = try await ada.http.get("/events")
        #expect(Self.titles(page) == [title])
    }

    // MARK: Requests that are no good

    @Test("Broken JSON is refused with 400, and the detail says in which line and column", arguments: ["/events", "/api/auth/login"])
    func brokenJSON(path: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let answer = try await ada.http.post(path, "{\n  \"title\": oops}")
        expectProblem(answer, 400)
        let detail = answer.json["detail"]?.string ?? ""
        #expect(detail.contains("line 2"))
        #expect(detail.contains("column 12"))
    }

    @Test(
        "Bodies that are no JSON are refused with 400",
        arguments: ["{", "{\"a\": 1,}", "{\"title\": \"a\", \"title\": \"b\"}", "{} {}", "nul", String(repeating: "[", count: 5000)])
    func brokenBodies(body: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        expectProblem(try await ada.http.post("/events", body), 400)
    }

    @Test("A body of 10 MB is refused with 413, and the daemon lives on")
    func tooLarge() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        // The length is announced, and refused before the bytes are sent.
        let announced = try await ada.http.post("/events", "{}", headers: ["Content-Length": "10000000"])
        expectProblem(announced, 413)
        #expect(try await ada.http.get("/events").json["total"] == .integer(0))
        #expect(try await stage.http.get("/healthz").status == 200)
    }

    @Test("A body that grows too large without having said so is refused with 413, too")
    func tooLargeInChunks() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let connection = try await RawConnection(port: stage.daemon.port)
        try await connection.send(
            "POST /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(ada.token)\r\nContent-Type: application/json\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n")
        let chunk = "10000\r\n\(String(repeating: " ", count: 0x10000))\r\n"
        for _ in 0..<17 { try? await connection.send(chunk) }
        #expect(try await connection.answer().status == 413)
        #expect(try await stage.http.get("/healthz").status == 200)
    }

    @Test(
        "A method that a path does not know is answered with 405 and those it knows",
        arguments: [
            Route(method: .DELETE, path: "/events"), Route(method: .PUT, path: "/api/events"),
            Route(method: .POST, path: "/events/0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"), Route(method: .GET, path: "/auth/login"),
            Route(method: .GET, path: "/auth/register"), Route(method: .DELETE, path: "/notifications"),
            Route(method: .GET, path: "/notifications/mark-all-read"), Route(method: .TRACE, path: "/events"),
        ])
    func methodNotAllowed(_ route: Route) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let answer = try await ada.http.send(route.method, route.path)
        expectProblem(answer, 405)
        let allowed = (answer.header("Allow") ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
        #expect(!allowed.isEmpty)
        #expect(!allowed.contains(route.method.rawValue))
    }

    @Test("A body of another kind is refused with 415", arguments: ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
    func unsupportedMediaType(type: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let headers = ["Content-Type": type]
        expectProblem(try await ada.http.post("/events", Workspace.eventBody("A"), headers: headers), 415)
        expectProblem(try await stage.http.post("/auth/login", Stage.credentials("ada"), headers: headers), 415)
    }

    @Test(
        "JSON is taken with its parameters and suffixes",
        arguments: ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.ems+json"])
    func mediaTypes(type: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let answer = try await ada.http.post("/events", Workspace.eventBody("A"), headers: ["Content-Type": type])
        #expect(answer.status == 201, "\(answer.text)")
    }

    @Test(
        "A path that there is not is answered with 404 and a problem document",
        arguments: ["/", "/nothing", "/api", "/api/nothing", "/apievents", "/events/"])
    func unknownPath(path: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let answer = try await ada.http.get(path)
        // A slash at the end may also be overlooked.
        if path == "/events/" && answer.status == 200 { return }
        expectProblem(answer, 404)
    }

    @Test("A client that offers HTTP/2 is answered in HTTP/1.1", arguments: ["h2c", "TLS/1.2", "nothing"])
    func otherUpgrades(proposal: String) async throws {
        let stage = try await Stage()
        let connection = try await RawConnection(port: stage.daemon.port)
        try await connection.send(
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: \(proposal)\r\n"
                + "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n")
        let answer = try await connection.answer()
        #expect(answer.status == 200)
    }
}
