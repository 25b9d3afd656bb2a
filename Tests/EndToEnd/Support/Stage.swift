import EMSCore
import Foundation
import Testing

/// A daemon on a data directory of its own, for people who come over HTTP.
struct Stage: Sendable {
    let workspace: Workspace
    let daemon: TestDaemon

    /// Whether the daemon is on MongoDB and RabbitMQ.
    let isDistributed: Bool

    /// With `EMS_TEST_STAGE=distributed` in the environment of the tests, the daemon is on MongoDB and RabbitMQ.
    init(_ arguments: [String] = [], environment: [String: String] = [:]) async throws {
        isDistributed = ProcessInfo.processInfo.environment["EMS_TEST_STAGE"] == "distributed"
        workspace = isDistributed ? try await Cluster.reusingDatabases(environment: environment) : try Workspace(environment)
        daemon = try await TestDaemon(workspace, arguments)
    }

    /// A client without a token.
    var http: HTTPClient { HTTPClient(port: daemon.port) }

    /// Registers somebody and logs in.
    func person(_ name: String) async throws -> Person {
        let registered = try await http.post("/auth/register", Self.registration(name))
        let id = try #require(registered.json["user_id"]?.string, "\(registered.text)")
        let grant = try await login(name)
        return Person(
            name: name, id: id, token: try #require(grant.json["access_token"]?.string, "\(grant.text)"),
            refreshToken: try #require(grant.json["refresh_token"]?.string), daemon: daemon)
    }

    /// Registers somebody, logs in, and makes an admin of them.
    func admin(_ name: String) async throws -> Person {
        let person = try await person(name)
        try await workspace.output("user", "role", name, "admin")
        return person
    }

    /// Makes it so that refresh tokens were used a minute ago: beyond the time in which their use may be repeated.
    /// - Returns: `false` where the stage has no file to change.
    func letRefreshTokensAge() async throws -> Bool {
        guard !isDistributed else { return false }
        try await workspace.sqlite("UPDATE refresh_tokens SET used_at = used_at - 60000")
        return true
    }

    func login(_ name: String, _ password: String = Workspace.password) async throws -> HTTPClient.Answer {
        try await http.post("/auth/login", Self.credentials(name, password))
    }

    /// The body of a registration. The texts go in as they are.
    static func registration(_ username: String, email: String? = nil, password: String = Workspace.password, more: String = "") -> String {
        """
        {"username": "\(username)", "email": "\(email ?? username + "@example.com")", "password": "\(password)"\(more)}
        """
    }

    /// The body of a log-in. The texts go in as they are.
    static func credentials(_ name: String, _ password: String = Workspace.password) -> String {
        """
        {"username_or_email": "\(name)", "password": "\(password)"}
        """
    }
}

/// Somebody who is logged in.
struct Person: Sendable {
    let name: String
    let id: String
    let token: String
    let refreshToken: String
    /// Held, so that it runs as long as somebody may speak to it.
    let daemon: TestDaemon

    var http: HTTPClient { HTTPClient(port: daemon.port, token: token) }

    /// Creates an event over HTTP.
    /// - Parameter more: further members of the body, after a comma.
    /// - Returns: the event's id.
    func create(_ title: String, more: String = "") async throws -> String {
        let answer = try await http.post("/events", Workspace.eventBody(title, more: more))
        return try #require(answer.json["event_id"]?.string, "\(answer.text)")
    }

    func subscribe(to event: String) async throws {
        let answer = try await http.post("/events/subscribe", "{\"event_id\": \"\(event)\"}")
        #expect(answer.status == 200, "\(answer.text)")
    }

    /// Changes an event's description.
    func change(_ event: String, to description: String = "Changed") async throws {
        let answer = try await http.patch("/events/\(event)", "{\"description\": \"\(description)\"}")
        #expect(answer.status == 200, "\(answer.text)")
    }

    /// Connects, and waits until the server has said who one is and has replayed what it had to.
    func connected(since: String? = nil) async throws -> WebSocketClient {
        let client = try await WebSocketClient(port: daemon.port, token: token, since: since)
        let status = try await client.next()
        #expect(status["type"] == .string("connection_status"))
        try await client.settle()
        return client
    }

    /// The inbox, the newest first.
    func inbox(_ query: String = "page_size=100") async throws -> [JSONValue] {
        try await http.get("/notifications?\(query)").json.elements
    }

    func unreadCount() async throws -> Int64? {
        try await http.get("/notifications/count").json["count"]?.integer
    }
}

extension WebSocketClient {
    /// Waits for the answer to a question asked now: whatever the server said before has been heard then.
    func settle() async throws {
        let pongs = pongCount
        try await send("{\"action\": \"ping\"}")
        try await eventually("the server answers", within: .seconds(10)) { pongCount > pongs }
    }

    private var pongCount: Int { messages.filter { $0["type"] == .string("pong") }.count }

    /// The notifications heard so far, each as its kind and the title of its event.
    var notices: [String] {
        messages.filter { $0["type"] == .string("notification") }.map(\.notice)
    }
}

extension JSONValue {
    /// The elements of an array; none of anything else.
    var elements: [JSONValue] {
        if case .array(let elements) = self { elements } else { [] }
    }

    /// The names of an object's members, in alphabetical order; none of anything else.
    var names: [String] {
        if case .object(let members) = self { members.map(\.name).sorted() } else { [] }
    }

    /// A notification as its kind and the title of its event, or as an operator's message.
    var notice: String {
        if let message = self["message"]?.string { return "message \(message)" }
        return "\(self["notification_type"]?.string ?? "?") \(self["event"]?["title"]?.string ?? "?")"
    }
}

extension HTTPClient.Answer {
    /// The places of what is wrong, from a problem document.
    var faultLocations: [[String]] {
        (json["errors"]?.elements ?? []).map { fault in (fault["loc"]?.elements ?? []).compactMap { $0.string } }
    }
}

/// Expects the problem document that every error is.
/// - Parameter location: the `loc` of one of the faults.
func expectProblem(
    _ answer: HTTPClient.Answer, _ status: Int, at location: [String]? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
    #expect(answer.header("Content-Type") == "application/problem+json", "\(answer.text)", sourceLocation: sourceLocation)
    let detail = answer.json["detail"]?.string ?? ""
    #expect(!detail.isEmpty, "detail is a string: \(answer.text)", sourceLocation: sourceLocation)
    if status == 422 {
        let faults = answer.json["errors"]?.elements ?? []
        #expect(!faults.isEmpty, "422 lists what is wrong: \(answer.text)", sourceLocation: sourceLocation)
        for fault in faults {
            #expect(fault.names == ["loc", "msg", "type"], sourceLocation: sourceLocation)
        }
    }
    if let location {
        #expect(answer.faultLocations.contains(location), "\(answer.text)", sourceLocation: sourceLocation)
    }
}
