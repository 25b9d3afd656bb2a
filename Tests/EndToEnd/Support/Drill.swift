import EMSCore
import Foundation
import Testing

/// What people do with events all day, while daemons die: events are made, changed, deleted and restored, subscriptions come and go. In the
/// end the inboxes are compared with the journal, and the journal with the store.
struct Drill: Sendable {
    let workspace: Workspace
    private let ports: [Int]
    private let players: [Player]
    private let fan: Player
    /// Sees only what everyone sees.
    private let bystander = "cleo"

    /// - Parameters:
    ///   - ports: where daemons are that may be gone for a moment.
    ///   - clock: the environment of the programs that issue tokens.
    init(_ workspace: Workspace, ports: [Int], clock: [String: String] = [:]) async throws {
        self.workspace = workspace
        self.ports = ports
        for name in ["ada", "bob", "fan", bystander] { try await workspace.makeUser(name) }
        func token(_ name: String) async throws -> String {
            let issued = try await workspace.ems("token", "issue", "--user", name, environment: clock)
            return try #require(issued.status == 0 ? issued.output.trimmingNewline : nil, "\(issued.errors)")
        }
        var players: [Player] = []
        for name in ["ada", "bob"] { players.append(Player(name, token: try await token(name), ports: ports)) }
        self.players = players
        fan = Player("fan", token: try await token("fan"), ports: ports)
    }

    /// Plays so many rounds, and runs `disturb` meanwhile.
    func run(rounds: Int, while disturb: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for player in players {
                group.addTask {
                    for round in 0..<rounds { try await player.play(round) { try await fan.follow($0, round) } }
                }
            }
            group.addTask { try await disturb() }
            try await group.waitForAll()
        }
    }

    /// Waits until all is delivered, and compares.
    func expectAllIsWell() async throws {
        var last: JSONValue = .null
        try await eventually("all is delivered", within: .seconds(90)) {
            last = try await workspace.outputEMS(["broker", "status", "-o", "json"]).jsonDocument()
            let lags = last["journal_consumers"]?.elements.map { $0["lag"]?.integer } ?? []
            return lags == [0] && last["pending_changes"] == 0 && last["expanding_notifications"] == 0
        }
        #expect(last["dead_letters"] == 0)
        let report = try await workspace.ems("audit", "verify", "-o", "json")
        #expect(report.status == 0, "\(report.output) \(report.errors)")

        let entries = try await workspace.outputEMS(["audit", "export"]).jsonLines()
        #expect(entries.compactMap { $0["position"]?.integer } == (1...Int64(entries.count)).map(\.self))
        let changes = entries.filter { $0["subject"]?["type"] == "event" }
        let history = Dictionary(grouping: changes) { $0["subject"]?["id"]?.string ?? "" }
        for (event, changes) in history { Self.expectVersions(of: event, changes) }
        let created = changes.count { $0["action"] == "created" }
        #expect(created > 0 && changes.contains { $0["action"] == "deleted" } && changes.contains { $0["action"] == "updated" })
        try await expectInbox(of: bystander, created)
        for player in players {
            // Of one's own events one hears everything.
            let own = changes.count { $0["action"] != "created" && $0["actor"]?["name"]?.string == player.name }
            try await expectInbox(of: player.name, created + own)
        }
        let heard = try await workspace.inboxIDs(of: fan.name)
        try await expectInbox(of: fan.name, heard.count)
        #expect(heard.count > created && Set(heard).isSubset(of: changes.compactMap { $0["change_id"]?.string }))
        // Nobody subscribes twice, or leaves without having subscribed; a deletion ends subscriptions by itself.
        let subscriptions = Dictionary(
            grouping: entries.filter { $0["subject"]?["type"] == "subscription" }, by: { $0["subject"]?["id"]?.string ?? "" })
        #expect(!subscriptions.isEmpty)
        for (subject, changes) in subscriptions {
            let actions = changes.compactMap { $0["action"]?.string }
            #expect(actions.first == "created", "\(subject)")
            let isDeleted = history[String(subject.prefix(32))]?.contains { $0["action"] == "deleted" } ?? false
            #expect(isDeleted || zip(actions, actions.dropFirst()).allSatisfy { $0 != $1 }, "\(subject): \(actions)")
        }
    }

    /// 1, 2, 3…, and a deletion under the last one.
    private static func expectVersions(of event: String, _ changes: [JSONValue]) {
        var version: Int64 = 0
        for change in changes {
            if change["action"] != "deleted" { version += 1 }
            #expect(change["version"]?.integer == version, "\(event)")
        }
    }

    private func expectInbox(of user: String, _ count: Int) async throws {
        // A message on its way from RabbitMQ to a daemon is counted by neither.
        try? await eventually("all is in the inbox", within: .seconds(60)) { try await workspace.inboxIDs(of: user).count >= count }
        let ids = try await workspace.inboxIDs(of: user)
        #expect(ids.count == count, "\(user)")
        #expect(Set(ids).count == ids.count, "\(user)")
        #expect(try await workspace.output("notify", "count", "--user", user, "-o", "id") == "\(count)\n", "\(user)")
    }
}

/// A user whose requests are repeated until they are answered. The result of an interrupted request is checked first.
private struct Player: Sendable {
    let name: String
    private let token: String
    private let ports: [Int]

    init(_ name: String, token: String, ports: [Int]) {
        self.name = name
        self.token = token
        self.ports = ports
    }

    /// Makes an event, changes it twice, and deletes and restores some.
    /// - Parameter made: called when there is the event, with its id.
    func play(_ round: Int, made follow: (String) async throws -> Void) async throws {
        // The same one each time: its times go by when it was made.
        let body = Workspace.eventBody("\(name) \(round)")
        let made = try await answered([201]) {
            try await $0.post("/events", body, headers: ["Idempotency-Key": "\(name)-\(round)"])
        }
        let event = try #require(made.json["event_id"]?.string, "\(made.text)")
        try await follow(event)
        for version in 1...2 { try await update(event, from: version) }
        guard round.isMultiple(of: 3) else { return }
        _ = try await answered([204, 404]) { try await $0.delete("/events/\(event)") }
        guard round.isMultiple(of: 6) else { return }
        _ = try await answered([200, 409]) { client in
            let current = try await client.get("/events/\(event)")
            return current.status == 200 ? current : try await client.post("/events/\(event)/restore", #"{"version": 1}"#)
        }
    }

    private func update(_ event: String, from version: Int) async throws {
        _ = try await answered([200]) { client in
            let current = try await client.get("/events/\(event)")
            guard let etag = current.header("ETag"), current.json["version"] == .integer(Int64(version)) else { return current }
            return try await client.patch("/events/\(event)", #"{"title": "\#(name) changed \#(version)"}"#, headers: ["If-Match": etag])
        }
    }

    /// Subscribes, and leaves again now and then. An event that is gone by now is none to follow.
    func follow(_ event: String, _ round: Int) async throws {
        for _ in 0...(round % 2) {
            _ = try await answered([200, 404]) { try await $0.post("/events/subscribe", "{\"event_id\": \"\(event)\"}") }
            if round % 4 < 3 { _ = try await answered([200, 404]) { try await $0.delete("/events/unsubscribe/\(event)") } }
        }
    }

    private func answered(
        _ good: Set<Int>, _ request: (HTTPClient) async throws -> HTTPClient.Answer
    ) async throws -> HTTPClient.Answer {
        let deadline = ContinuousClock.now + .seconds(180)
        var attempt = 0
        var last = "nobody listens"
        while ContinuousClock.now < deadline {
            let client = HTTPClient(port: ports[attempt % ports.count], token: token)
            attempt += 1
            if let answer = try? await request(client) {
                if good.contains(answer.status) { return answer }
                last = "\(answer.status): \(answer.text)"
                guard [503, 412].contains(answer.status) else { break }
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw TimedOut(description: "\(name): \(last)")
    }
}
