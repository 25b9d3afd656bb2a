import EMSCore
import NIOHTTP1
import Testing

/// Role × path × own or foreign, every operation of the document.
@Suite("Who may do what over HTTP", .gated)
struct PermissionMatrixTests {
    /// What is asked for belongs to whoever asks, to somebody else, or to nobody.
    enum Owner: Sendable {
        case own, foreign, nobody
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let operation: String
        let owner: Owner
        /// The status for one without a token, a user, an organizer, an admin.
        let statuses: [Int]
        var body: String?

        init(_ operation: String, _ statuses: [Int], body: String? = nil) {
            self.init(operation, .nobody, statuses, body: body)
        }

        init(_ operation: String, _ owner: Owner, _ statuses: [Int], body: String? = nil) {
            self.operation = operation
            self.owner = owner
            self.statuses = statuses
            self.body = body
        }

        var testDescription: String { "\(operation) \(owner)" }
    }

    private static let anyone = [200, 200, 200, 200]
    private static let loggedIn = [401, 200, 200, 200]

    static let rows: [Row] = [
        Row("GET /healthz", anyone), Row("GET /readyz", anyone), Row("GET /metrics", anyone), Row("GET /openapi.json", anyone),
        Row("GET /.well-known/jwks.json", anyone),
        Row("POST /auth/register", [422, 422, 422, 422], body: "{}"), Row("POST /auth/login", [422, 422, 422, 422], body: "{}"),
        Row("POST /auth/refresh", [401, 401, 401, 401], body: "{\"refresh_token\": \"x\"}"),
        Row("GET /auth/me", loggedIn), Row("PATCH /auth/me", loggedIn, body: "{\"full_name\": \"X\"}"),
        Row("GET /auth/sessions", loggedIn), Row("DELETE /auth/sessions/{id}", .foreign, [401, 404, 404, 404]),
        Row("DELETE /auth/sessions/{id}", .own, [401, 204, 204, 204]),
        Row("POST /auth/password", [401, 401, 401, 401], body: "{\"current_password\": \"Wrong123!\", \"new_password\": \"Other456#\"}"),
        Row("POST /auth/logout", [401, 204, 204, 204]),
        Row("GET /users", [401, 403, 403, 200]), Row("GET /users/{id}", .own, loggedIn), Row("GET /users/{id}", .foreign, loggedIn),
        Row("GET /events", loggedIn), Row("GET /events/search", loggedIn), Row("GET /events/{id}", .own, loggedIn),
        Row("GET /events/{id}", .foreign, loggedIn), Row("POST /events", [401, 201, 201, 201], body: Workspace.eventBody("New")),
        Row("PUT /events/{id}", .own, loggedIn, body: Workspace.eventBody("Replaced")),
        Row("PUT /events/{id}", .foreign, [401, 403, 403, 200], body: Workspace.eventBody("Replaced")),
        Row("PATCH /events/{id}", .own, loggedIn, body: "{\"title\": \"Changed\"}"),
        Row("PATCH /events/{id}", .foreign, [401, 403, 403, 200], body: "{\"title\": \"Changed\"}"),
        Row("DELETE /events/{id}", .own, [401, 204, 204, 204]), Row("DELETE /events/{id}", .foreign, [401, 403, 403, 204]),
        Row("GET /events/{id}/history", .own, loggedIn), Row("GET /events/{id}/history", .foreign, loggedIn),
        Row("POST /events/{id}/restore", .own, loggedIn, body: "{\"version\": 1}"),
        Row("POST /events/{id}/restore", .foreign, [401, 403, 403, 200], body: "{\"version\": 1}"),
        Row("GET /audit", [401, 403, 403, 200]),
        Row("POST /events/subscribe", .foreign, loggedIn, body: "{\"event_id\": \"{id}\"}"),
        Row("DELETE /events/unsubscribe/{event_id}", .foreign, loggedIn), Row("GET /events/subscriptions", loggedIn),
        Row("GET /notifications", loggedIn), Row("GET /notifications/count", loggedIn),
        Row("GET /notifications/{id}", .own, loggedIn), Row("GET /notifications/{id}", .foreign, [401, 404, 404, 404]),
        Row("POST /notifications/mark-read/{id}", .own, loggedIn),
        Row("POST /notifications/mark-read/{id}", .foreign, [401, 404, 404, 404]), Row("POST /notifications/mark-all-read", loggedIn),
        Row("GET /ws", [401, 426, 426, 426]),
    ]

    /// Who walks the matrix, and the victim whose things are foreign to all of them.
    private struct Cast {
        let stage: Stage
        let people: [Person?]
        let victim: Person

        init(environment: [String: String] = [:]) async throws {
            stage = try await Stage(environment: environment)
            victim = try await stage.person("victim")
            var people: [Person?] = [nil]
            for role in Role.allCases {
                let person = try await stage.person("some_\(role.rawValue)")
                try await stage.workspace.output("user", "role", person.name, role.rawValue)
                people.append(person)
            }
            self.people = people
        }

        /// A thing of the kind the path asks for, made for this one request.
        /// - Parameter token: the token of the person.
        func thing(for row: Row, _ person: Person?, _ token: String?) async throws -> String {
            guard row.operation.contains("{") || row.body?.contains("{id}") == true else { return "" }
            let owner = row.owner == .own ? person ?? victim : victim
            if row.operation.contains("/users/") { return owner.id }
            if row.operation.contains("/sessions/") {
                let grant = try await stage.login(owner.name)
                let token = try #require(grant.json["access_token"]?.string)
                let claims = try AccessTokens.inspect(token).claims
                return try #require(claims["sid"]?.string)
            }
            if row.operation.contains("/notifications/") {
                return try await stage.workspace.output("notify", "send", "Hello", "--to", owner.name, "-o", "id").trimmingNewline
            }
            let creator = HTTPClient(port: stage.daemon.port, token: row.owner == .own ? token ?? victim.token : victim.token)
            let answer = try await creator.post("/events", Workspace.eventBody("A thing"))
            return try #require(answer.json["event_id"]?.string)
        }
    }

    @Test("Every row of the matrix is answered as it says")
    func matrix() async throws {
        let cast = try await Cast()
        for row in Self.rows {
            let parts = row.operation.split(separator: " ").map(String.init)
            for (person, status) in zip(cast.people, row.statuses) {
                // A session that ends is one of their own.
                var token: String?
                if let person { token = try await cast.stage.login(person.name).json["access_token"]?.string }
                let id = try await cast.thing(for: row, person, token)
                let path = parts[1].replacing("{id}", with: id).replacing("{event_id}", with: id)
                let http = HTTPClient(port: cast.stage.daemon.port, token: token)
                let answer = try await http.send(HTTPMethod(rawValue: parts[0]), path, row.body?.replacing("{id}", with: id) ?? "")
                #expect(answer.status == status, "\(row.operation) \(row.owner) as \(person?.name ?? "nobody"): \(answer.text)")
            }
        }
    }

    @Test("The matrix has every operation of the document")
    func completeness() async throws {
        let stage = try await Stage()
        let document = try await stage.http.get("/openapi.json").json
        var operations: Set<String> = []
        for path in document["paths"]?.names ?? [] {
            for method in document["paths"]?[path]?.names ?? [] { operations.insert("\(method.uppercased()) \(path)") }
        }
        #expect(operations.count > 25)
        #expect(operations == Set(Self.rows.map(\.operation)))
    }

    @Test("Where only organizers create events, users do not, at the command line's word or over HTTP")
    func eventCreators() async throws {
        let cast = try await Cast(environment: ["EMS_EVENT_CREATORS": "organizers"])
        for (person, status) in zip(cast.people.dropFirst(), [403, 201, 201]) {
            let answer = try await #require(person).http.post("/events", Workspace.eventBody("New"))
            #expect(answer.status == status, "\(person?.name ?? ""): \(answer.text)")
        }
        try await cast.stage.workspace.makeEvent("The operator's")
    }
}
