import EMSCore
import Foundation
import Testing

/// Answers that are given again: the same as ever, and never of another state than the store is in.
@Suite(.gated)
struct KeptAnswerTests {
    private static func given(_ stage: Stage) async throws -> Int {
        let line = try await stage.http.get("/metrics").text.split(separator: "\n").first { $0.hasPrefix("ems_http_kept_answers_total ") }
        return line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
    }

    /// Without what is different each time.
    private static func shape(_ answer: HTTPClient.Answer) -> [String] {
        let changing: Set = ["date", "connection", "ratelimit-remaining", "ratelimit-reset"]
        return ["\(answer.status)"]
            + answer.headers.map { "\($0.name): \($0.value)" }.filter {
                !changing.contains($0.prefix { $0 != ":" }.lowercased())
            }.sorted() + [answer.text]
    }

    @Test("What is given again has the status, the headers and the bytes of the answer that was worked out")
    func same() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        var ids: [String] = []
        for number in 0..<30 { ids.append(try await ada.create("Event \(number) 🎉")) }
        try await eventually("all notifications arrive") { try await ada.inbox().count == 30 }
        let paths = [
            "/events/\(ids[0])", "/api/events/\(ids[0])", "/events", "/events?page_size=20&tag=technology", "/api/events/search?q=event+2",
            "/events?page_size=2&page=3", "/notifications?page_size=20", "/notifications", "/notifications/count",
            "/notifications?unread=true&page_size=3",
        ]
        let connection = try await KeptConnection(port: stage.daemon.port, token: ada.token)
        _ = try await connection.get("/healthz")
        for headers in [[], ["Accept-Encoding: gzip"], ["Accept: application/json"]] {
            for path in paths {
                let fresh = try await ada.http.get(
                    path,
                    headers: Dictionary(
                        uniqueKeysWithValues: headers.map {
                            ($0.split(separator: ":")[0].description, $0.split(separator: ": ")[1].description)
                        }))
                let before = try await Self.given(stage)
                let first = try await connection.get(path, headers: headers)
                let second = try await connection.get(path, headers: headers)
                #expect(Self.shape(first) == Self.shape(fresh), "\(path) \(headers)")
                #expect(Self.shape(second) == Self.shape(fresh), "\(path) \(headers)")
                if !stage.isDistributed { #expect(try await Self.given(stage) > before, "\(path) is given again") }
                let tag = try #require(fresh.header("ETag") ?? (path.hasSuffix("count") ? "none" : nil), "\(path)")
                let known = try await connection.get(path, headers: headers + ["If-None-Match: \(tag)"])
                if tag != "none" { #expect(known.status == 304 && known.body.isEmpty && known.header("ETag") == tag, "\(path)") }
            }
        }
        // Two lines of one header say what neither says alone: they decide nobody else's answer.
        try await ada.change(ids[1])
        for _ in 0..<2 { _ = try await connection.get("/events", headers: ["Accept-Encoding: gzip", "Accept-Encoding: br"]) }
        #expect(try await connection.get("/events").header("Content-Encoding") == nil)
        // What could decide something else goes the usual way.
        expectProblem(try await connection.get("/events", headers: ["Accept: text/html"]), 406)
        #expect(try await connection.get("/events", headers: ["X-Request-Id: abc"]).header("X-Request-Id") == "abc")
        expectProblem(try await connection.get("/events?nothing=1"), 422)
        expectProblem(try await connection.get("/events/\(Workspace.unknownID)"), 404)
        expectProblem(try await connection.get("/events/\(ids[0])?version=9"), 404)
    }

    @Test("After a write by this daemon, by a command or behind everybody's back, the next answer tells of it")
    func afterWrites() async throws {
        let stage = try await Stage()
        let ada = try await stage.admin("ada")
        let id = try await ada.create("First")
        try await eventually("the notification arrives") { try await ada.inbox().count == 1 }
        let connection = try await KeptConnection(port: stage.daemon.port, token: ada.token)
        func title() async throws -> String? {
            // Twice, so that the second is of what was kept.
            _ = try await connection.get("/events/\(id)")
            return try await connection.get("/events/\(id)").json["title"]?.string
        }
        func total() async throws -> Int64? {
            _ = try await connection.get("/events")
            return try await connection.get("/events").json["total"]?.integer
        }
        for round in 0..<5 {
            #expect(try await ada.http.patch("/events/\(id)", "{\"title\": \"HTTP \(round)\"}").status == 200)
            #expect(try await title() == "HTTP \(round)")
            try await stage.workspace.output("event", "update", id, "--title", "Shell \(round)")
            #expect(try await title() == "Shell \(round)")
            if !stage.isDistributed {
                try await stage.workspace.sqlite("UPDATE events SET title = 'Back \(round)' WHERE id = '\(id)'")
                #expect(try await title() == "Back \(round)")
            }
            let before = try #require(try await total())
            let more = try await ada.create("More \(round)")
            #expect(try await total() == before + 1)
            #expect(try await ada.http.delete("/events/\(more)").status == 204)
            #expect(try await total() == before)
            expectProblem(try await connection.get("/events/\(more)"), 404)
        }
        // Inboxes change by reading, too: 6 creations, 10 changes and 5 deletions.
        try await eventually("all notifications arrive") { try await ada.inbox().count == 21 }
        let inbox = try await ada.inbox()
        let note = try #require(inbox.last?["notification_id"]?.string)
        func unread() async throws -> Int64? {
            _ = try await connection.get("/notifications/count")
            return try await connection.get("/notifications/count").json["count"]?.integer
        }
        let before = try #require(try await unread())
        #expect(try await ada.http.post("/notifications/mark-read/\(note)").status == 200)
        #expect(try await unread() == before - 1)
        #expect(try await ada.http.post("/notifications/mark-all-read").status == 200)
        #expect(try await unread() == 0)
    }

    @Test("A token that is revoked, an account that is deactivated or has another role: the next request knows")
    func revocation() async throws {
        let stage = try await Stage()
        _ = try await stage.admin("root")
        for (number, way) in ["logout", "revoke", "deactivate", "delete"].enumerated() {
            let person = try await stage.person("person\(number)")
            let connection = try await KeptConnection(port: stage.daemon.port, token: person.token)
            for _ in 0..<3 { #expect(try await connection.get("/events").status == 200) }
            switch way {
            case "logout": #expect(try await person.http.post("/auth/logout").status == 204)
            case "revoke": try await stage.workspace.output("token", "revoke", "--user", person.name)
            case "deactivate": try await stage.workspace.output("user", "deactivate", person.name)
            default: try await stage.workspace.output("user", "delete", person.name, "--yes")
            }
            expectProblem(try await connection.get("/events"), 401)
        }
        let ada = try await stage.person("ada")
        let connection = try await KeptConnection(port: stage.daemon.port, token: ada.token)
        for _ in 0..<3 { #expect(try await connection.get("/auth/me").json["role"]?.string == "user") }
        try await stage.workspace.output("user", "role", "ada", "organizer")
        #expect(try await connection.get("/auth/me").json["role"]?.string == "organizer")
    }

    @Test("Requests are counted, also those that are answered with what was kept")
    func limits() async throws {
        let stage = try await Stage(environment: ["RATE_LIMIT_ENABLED": "true"])
        let ada = try await stage.person("ada")
        let connection = try await KeptConnection(port: stage.daemon.port, token: ada.token)
        var remaining: [Int] = []
        for _ in 0..<5 {
            let answer = try await connection.get("/events")
            remaining.append(try #require(answer.header("RateLimit-Remaining").flatMap { Int($0) }))
        }
        let steps = zip(remaining, remaining.dropFirst()).map { $0 - $1 }
        // A new window may begin in between.
        #expect(steps.count { $0 == 1 } >= 3, "\(remaining)")
    }

    @Test("Readers beside writers see no event go back, and whoever wrote sees at least that")
    func underLoad() async throws {
        let stage = try await Stage()
        let ada = try await stage.admin("ada")
        let ids = [try await ada.create("A"), try await ada.create("B")]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in ids {
                group.addTask {
                    let own = try await KeptConnection(port: stage.daemon.port, token: ada.token)
                    for round in 0..<100 {
                        let changed = try await ada.http.patch("/events/\(id)", "{\"description\": \"\(round)\"}")
                        let version = try #require(changed.json["version"]?.integer)
                        let seen = try #require(try await own.get("/events/\(id)").json["version"]?.integer)
                        guard seen >= version else { throw TimedOut(description: "version \(seen) after \(version) was written") }
                    }
                }
                group.addTask {
                    let reader = try await KeptConnection(port: stage.daemon.port, token: ada.token)
                    var last: Int64 = 0
                    for _ in 0..<600 {
                        let seen = try #require(try await reader.get("/events/\(id)").json["version"]?.integer)
                        guard seen >= last else { throw TimedOut(description: "version \(seen) after \(last)") }
                        last = seen
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("Connections that rest, or are answered with what was kept, hold up no daemon that ends")
    func ending() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let connections = [
            try await KeptConnection(port: stage.daemon.port, token: ada.token),
            try await KeptConnection(port: stage.daemon.port, token: ada.token),
        ]
        for _ in 0..<3 { #expect(try await connections[0].get("/events").status == 200) }
        #expect(try await connections[1].get("/events").status == 200)
        stage.daemon.signal(SIGTERM)
        try await eventually("the connections are closed", within: .seconds(8)) {
            let first = await connections[0].isEnded
            let second = await connections[1].isEnded
            return first && second
        }
        #expect(try await stage.daemon.ended() == 0)
    }
}
