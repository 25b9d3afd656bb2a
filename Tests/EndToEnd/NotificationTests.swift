import EMSCore
import Foundation
import Testing

/// Inboxes, over HTTP.
@Suite("Notifications over HTTP", .gated)
struct NotificationTests {
    private static let unknown = "0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"

    private static func notices(_ person: Person) async throws -> [String] {
        try await person.inbox().map(\.notice)
    }

    /// Waits until so many notifications are in an inbox.
    private static func waiting(for count: Int, in person: Person) async throws {
        try await eventually("\(person.name) has \(count) notifications") { try await person.inbox().count >= count }
    }

    // MARK: Who hears of what

    @Test("A new event reaches everyone who is registered, its creator too")
    func created() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let id = try await ada.create("Tech Conference 🎉")
        for person in [ada, bob] {
            try await Self.waiting(for: 1, in: person)
            let inbox = try await person.inbox()
            #expect(inbox.count == 1)
            let notification = try #require(inbox.first)
            #expect(notification["type"] == .string("notification"))
            #expect(notification["notification_type"] == .string("event.created"))
            #expect(notification["event"]?["id"] == .string(id))
            #expect(notification["event"]?["title"] == .string("Tech Conference 🎉"))
            #expect(notification["event"]?["action"] == .string("created"))
            #expect(notification["user"] == .string("ada"))
            #expect(notification["timestamp"]?.string.flatMap { Timestamp($0) } != nil)
        }
    }

    @Test("Who registers later does not find what came before")
    func registeredLater() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        _ = try await ada.create("Before")
        try await Self.waiting(for: 1, in: ada)
        let inbox = try await ada.inbox()
        let earlier = try #require(inbox.first?["notification_id"]?.string)
        let bob = try await stage.person("bob")
        #expect(try await bob.unreadCount() == 0)
        #expect(try await bob.inbox().isEmpty)
        expectProblem(try await bob.http.get("/notifications/\(earlier)"), 404)
        expectProblem(try await bob.http.post("/notifications/mark-read/\(earlier)"), 404)
        _ = try await ada.create("After")
        try await Self.waiting(for: 1, in: bob)
        #expect(try await Self.notices(bob) == ["event.created After"])
        #expect(try await bob.unreadCount() == 1)
    }

    @Test("Updates and deletions reach the subscribers and the creator, whoever made them, and nobody else")
    func updatedAndDeleted() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let eve = try await stage.person("eve")
        let root = try await stage.admin("root_user")
        let id = try await ada.create("A")
        try await bob.subscribe(to: id)
        try await ada.change(id, to: "By its creator")
        try await root.change(id, to: "By an admin")
        #expect(try await root.http.delete("/events/\(id)").status == 204)
        // What comes last reaches all: before it lies everything else.
        _ = try await ada.create("Z")
        let told = ["event.created Z", "event.deleted A", "event.updated A", "event.updated A", "event.created A"]
        for person in [ada, bob] {
            try await Self.waiting(for: 5, in: person)
            #expect(try await Self.notices(person) == told)
        }
        let actors = try await bob.inbox().compactMap { $0["user"]?.string }
        #expect(actors == ["ada", "root_user", "root_user", "ada", "ada"])
        for person in [eve, root] {
            try await Self.waiting(for: 2, in: person)
            #expect(try await Self.notices(person) == ["event.created Z", "event.created A"])
        }
        // With the event its subscriptions have ended.
        #expect(try await bob.http.get("/events/subscriptions").json["subscriptions"] == .array([]))
    }

    @Test("A notification of an update says which fields changed, and its type what matters most of that")
    func changes() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let id = try await ada.create("A")
        let updates: [(patch: String, type: String, fields: [String])] = [
            (#"{"title": "B", "tags": ["new"]}"#, "event.updated", ["title", "tags"]),
            (#"{"location": "Graz"}"#, "event.moved", ["location"]),
            (#"{"coordinates": {"latitude": 47.07, "longitude": 15.44}}"#, "event.moved", ["coordinates"]),
            (#"{"end_time": "2098-01-01T00:00:00Z", "location": "Linz"}"#, "event.rescheduled", ["location", "end_time"]),
            (#"{"status": "canceled", "max_attendees": 7}"#, "event.canceled", ["max_attendees", "status"]),
            (#"{"max_attendees": null}"#, "event.updated", ["max_attendees"]),
        ]
        for update in updates {
            let answer = try await ada.http.patch("/events/\(id)", update.patch)
            #expect(answer.status == 200, "\(answer.text)")
        }
        try await Self.waiting(for: 1 + updates.count, in: ada)
        let told = try await ada.inbox().reversed().dropFirst()
        #expect(told.map { $0["notification_type"]?.string } == updates.map(\.type))
        #expect(told.map { $0["changes"] } == updates.map { .array($0.fields.map { .string($0) }) })
        #expect(told.allSatisfy { $0["event"]?["action"] == "updated" })
    }

    @Test("Who has unsubscribed hears of no more updates")
    func unsubscribed() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let id = try await ada.create("A")
        try await bob.subscribe(to: id)
        try await ada.change(id, to: "One")
        try await Self.waiting(for: 2, in: bob)
        #expect(try await bob.http.delete("/events/unsubscribe/\(id)").status == 200)
        try await ada.change(id, to: "Two")
        _ = try await ada.create("Z")
        try await Self.waiting(for: 3, in: bob)
        #expect(try await Self.notices(bob) == ["event.created Z", "event.updated A", "event.created A"])
    }

    @Test("Nobody hears of a change that was refused")
    func refusedChanges() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let id = try await ada.create("A")
        expectProblem(try await bob.http.patch("/events/\(id)", "{\"title\": \"B\"}"), 403)
        expectProblem(try await ada.http.patch("/events/\(id)", "{\"title\": \"\"}"), 422)
        expectProblem(try await ada.http.post("/events", "{}"), 422)
        _ = try await ada.create("Z")
        try await Self.waiting(for: 2, in: ada)
        #expect(try await Self.notices(ada) == ["event.created Z", "event.created A"])
    }

    // MARK: Reading

    @Test("What is read is counted once, however often it is read")
    func markRead() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        for title in ["A", "B", "C"] { _ = try await ada.create(title) }
        try await Self.waiting(for: 3, in: ada)
        #expect(try await ada.unreadCount() == 3)
        let inbox = try await ada.inbox()
        let id = try #require(inbox.first?["notification_id"]?.string)
        for _ in 0..<2 {
            let answer = try await ada.http.post("/api/notifications/mark-read/\(id)")
            #expect(answer.status == 200)
            #expect(answer.json.names == ["message", "status"])
            #expect(answer.json["message"]?.string?.isEmpty == false)
            #expect(try await ada.unreadCount() == 2)
        }
        // What one has read others have not.
        #expect(try await bob.unreadCount() == 3)
    }

    @Test("One reads only what is one's own")
    func markReadOfAnother() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let id = try await ada.create("A")
        try await ada.change(id)
        try await Self.waiting(for: 2, in: ada)
        let inbox = try await ada.inbox()
        let update = try #require(inbox.first?["notification_id"]?.string)
        expectProblem(try await bob.http.get("/notifications/\(update)"), 404)
        expectProblem(try await bob.http.post("/notifications/mark-read/\(update)"), 404)
        expectProblem(try await bob.http.post("/notifications/mark-read/\(Self.unknown)"), 404)
        expectProblem(try await bob.http.post("/notifications/mark-read/nonsense"), 404)
        #expect(try await ada.unreadCount() == 2)
        #expect(try await bob.unreadCount() == 1)
    }

    @Test("All is read at once, and what comes later is unread again")
    func markAllRead() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        for title in ["A", "B"] { _ = try await ada.create(title) }
        try await Self.waiting(for: 2, in: ada)
        for _ in 0..<2 {
            let answer = try await ada.http.post("/notifications/mark-all-read")
            #expect(answer.status == 200)
            #expect(answer.json.names == ["message", "status"])
            #expect(try await ada.unreadCount() == 0)
        }
        #expect(try await ada.inbox("unread=true").isEmpty)
        #expect(try await ada.inbox().count == 2)
        #expect(try await bob.unreadCount() == 2)
        _ = try await bob.create("C")
        try await Self.waiting(for: 3, in: ada)
        #expect(try await ada.unreadCount() == 1)
        #expect(try await ada.inbox("unread=true").map(\.notice) == ["event.created C"])
    }

    @Test("The list can be kept to what is unread")
    func unread() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        for title in ["A", "B", "C"] { _ = try await ada.create(title) }
        try await Self.waiting(for: 3, in: ada)
        let ids = try await ada.inbox().compactMap { $0["notification_id"]?.string }
        #expect(try await ada.http.post("/notifications/mark-read/\(ids[1])").status == 200)
        let unread = try await ada.inbox("unread=true").compactMap { $0["notification_id"]?.string }
        #expect(unread == [ids[0], ids[2]])
        #expect(try await ada.inbox("unread=false").count == 3)
    }

    @Test("One notification is shown as it stands in the list")
    func showOne() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        _ = try await ada.create("A")
        try await Self.waiting(for: 1, in: ada)
        let inbox = try await ada.inbox()
        let listed = try #require(inbox.first)
        let id = try #require(listed["notification_id"]?.string)
        let shown = try await ada.http.get("/api/notifications/\(id)")
        #expect(shown.status == 200)
        #expect(shown.json == listed)
        expectProblem(try await ada.http.get("/notifications/\(Self.unknown)"), 404)
    }

    // MARK: Pages

    @Test("The list is an array, empty where there is nothing")
    func array() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let empty = try await ada.http.get("/notifications")
        #expect(empty.status == 200)
        #expect(empty.json == .array([]))
        #expect(empty.header("Link") == nil)
    }

    @Test(
        "Following the Link header visits every notification once, the newest first, though others come meanwhile",
        arguments: ["", "/api"])
    func links(prefix: String) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        for number in 1...7 { _ = try await ada.create("Event \(number)") }
        try await Self.waiting(for: 7, in: ada)
        let all = try await ada.inbox().compactMap { $0["notification_id"]?.string }
        #expect(all.count == 7)

        var seen: [String] = []
        var path: String? = prefix + "/notifications?page_size=3"
        while let current = path, seen.count < 30 {
            let page = try await ada.http.get(current)
            #expect(page.status == 200, "\(page.text)")
            seen += page.json.elements.compactMap { $0["notification_id"]?.string }
            path = Self.next(page)
            _ = try await ada.create("Meanwhile")
        }
        #expect(seen == all)
    }

    @Test("The Link header keeps to what is unread")
    func linksOfUnread() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        for number in 1...4 { _ = try await ada.create("Event \(number)") }
        try await Self.waiting(for: 4, in: ada)
        let all = try await ada.inbox().compactMap { $0["notification_id"]?.string }
        #expect(try await ada.http.post("/notifications/mark-read/\(all[2])").status == 200)
        let first = try await ada.http.get("/notifications?page_size=2&unread=true")
        let path = try #require(Self.next(first))
        let second = try await ada.http.get(path)
        let seen = (first.json.elements + second.json.elements).compactMap { $0["notification_id"]?.string }
        #expect(seen == [all[0], all[1], all[3]])
    }

    @Test("Pages are counted, too")
    func pages() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        for number in 1...5 { _ = try await ada.create("Event \(number)") }
        try await Self.waiting(for: 5, in: ada)
        let all = try await ada.inbox().map(\.notice)
        #expect(try await ada.inbox("page=1&page_size=2").map(\.notice) == Array(all[0..<2]))
        #expect(try await ada.inbox("page=2&page_size=2").map(\.notice) == Array(all[2..<4]))
        #expect(try await ada.inbox("page=3&page_size=2").map(\.notice) == Array(all[4...]))
        #expect(try await ada.inbox("page=4&page_size=2").isEmpty)
    }

    /// What the `Link` header names as the next page.
    private static func next(_ answer: HTTPClient.Answer) -> String? {
        guard let link = answer.header("Link"), link.contains("rel=\"next\""), let start = link.firstIndex(of: "<"),
            let end = link.firstIndex(of: ">")
        else { return nil }
        return String(link[link.index(after: start)..<end])
    }

    struct BadQuery: Sendable, CustomTestStringConvertible {
        let query: String
        let field: String
        var testDescription: String { query }
    }

    @Test(
        "A wrong parameter is refused with 422 and its name",
        arguments: [
            BadQuery(query: "page_size=0", field: "page_size"), BadQuery(query: "page_size=101", field: "page_size"),
            BadQuery(query: "page=0", field: "page"), BadQuery(query: "page=x", field: "page"),
            BadQuery(query: "unread=perhaps", field: "unread"), BadQuery(query: "after=nonsense", field: "after"),
        ])
    func badQuery(_ example: BadQuery) async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        expectProblem(try await ada.http.get("/notifications?\(example.query)"), 422, at: ["query", example.field])
    }

    @Test("Without a token no inbox is shown", arguments: ["", "/count", "/0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"])
    func needsToken(path: String) async throws {
        let stage = try await Stage()
        expectProblem(try await stage.http.get("/notifications\(path)"), 401)
        expectProblem(try await stage.http.post("/notifications/mark-all-read"), 401)
    }

    // MARK: Operators

    @Test("An operator's message reaches those it is for")
    func operatorMessages() async throws {
        let stage = try await Stage()
        let ada = try await stage.person("ada")
        let bob = try await stage.person("bob")
        let eve = try await stage.person("eve")
        let id = try await ada.create("A")
        try await Self.waiting(for: 1, in: eve)
        try await eve.subscribe(to: id)
        try await stage.workspace.output("notify", "send", "To all 🎉", "--everyone")
        try await stage.workspace.output("notify", "send", "To Bob", "--to", "bob")
        try await stage.workspace.output("notify", "send", "To subscribers", "--subscribers-of", id)
        func messages(_ person: Person) async throws -> [String] {
            try await person.inbox().compactMap { $0["message"]?.string }
        }
        #expect(try await messages(ada) == ["To all 🎉"])
        #expect(try await messages(bob) == ["To Bob", "To all 🎉"])
        #expect(try await messages(eve) == ["To subscribers", "To all 🎉"])
        #expect(try await bob.unreadCount() == 3)
    }

    @Test("An operator's message to nobody, or of nothing, is refused")
    func badOperatorMessages() async throws {
        let workspace = try Workspace()
        #expect(try await workspace.ems("notify", "send", "Hello", "--to", "nobody").status == 66)
        #expect(try await workspace.ems("notify", "send", "Hello").status == 64)
        #expect(try await workspace.ems("notify", "send", "", "--everyone").status == 65)
    }
}
