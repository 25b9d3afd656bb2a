import EMSCore
import Foundation
import Testing

@Suite("The API's document, and what others make of it", .gated)
struct DocumentTests {
    @Test("The document is served with and without the prefix, and printed by the command, the same each time")
    func sources() async throws {
        let stage = try await Stage()
        let served = try await stage.http.get("/openapi.json").json
        #expect(served["openapi"] == .string("3.1.0"))
        #expect(try await stage.workspace.ems("serve", "--openapi").jsonDocument() == served)
        let prefixed = try await stage.http.get("/api/openapi.json").json
        #expect(prefixed["paths"] == served["paths"])
        #expect(prefixed["servers"]?.elements.first?["url"] == .string("/api"))
        #expect(served["servers"]?.elements.first?["url"] == .string("/"))
    }

    @Test("Printing the document opens no store and makes no file")
    func withoutStore() async throws {
        let workspace = try Workspace(["MONGODB_URL": "mongodb://127.0.0.1:1", "RABBITMQ_URL": "amqp://127.0.0.1:1"])
        #expect(try await workspace.ems("serve", "--openapi").status == 0)
        #expect(!FileManager.default.fileExists(atPath: workspace.dataDirectory))
    }

    @Test("A part of the daemon tells of its own paths only")
    func roles() async throws {
        let workspace = try Workspace()
        let document = try await workspace.ems("serve", "--role", "auth", "--openapi").jsonDocument()
        let paths = document["paths"]?.names ?? []
        #expect(paths.contains("/auth/login") && paths.contains("/healthz"))
        #expect(!paths.contains("/events") && !paths.contains("/notifications"))
    }

    @Test("Every reference of the document leads somewhere, and every operation has a name of its own")
    func references() async throws {
        let workspace = try Workspace()
        let document = try await workspace.ems("serve", "--openapi").jsonDocument()
        func references(in value: JSONValue) -> [String] {
            switch value {
            case .object(let members): members.flatMap { $0.name == "$ref" ? [$0.value.string ?? ""] : references(in: $0.value) }
            case .array(let elements): elements.flatMap(references)
            default: []
            }
        }
        let all = Set(references(in: document))
        #expect(all.count > 20)
        for reference in all {
            let target = reference.split(separator: "/").dropFirst().reduce(JSONValue?.some(document)) { $0?[String($1)] }
            #expect(target != nil, "\(reference)")
        }
        let methods = (document["paths"]?.names ?? []).flatMap { path in
            (document["paths"]?[path]?.names ?? []).compactMap { document["paths"]?[path]?[$0]?["operationId"]?.string }
        }
        #expect(methods.count == Set(methods).count)
    }

    @Test("/metrics counts what is answered, for the networks that may see it")
    func metrics() async throws {
        let stage = try await Stage(environment: ["EMS_TRUSTED_PROXIES": "127.0.0.1", "EMS_MONITORING_FROM": "127.0.0.1, 192.0.2.0/24"])
        let ada = try await stage.person("ada")
        for _ in 0..<3 { _ = try await ada.http.get("/events") }
        _ = try await ada.http.get("/events/\(Workspace.unknownID)")
        let connection = try await ada.connected()
        let page = try await stage.http.get("/metrics")
        #expect(page.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        for line in [
            "ems_http_requests_total{operation=\"listEvents\",status=\"200\"} 3",
            "ems_http_requests_total{operation=\"getEvent\",status=\"404\"} 1",
            "ems_http_request_duration_seconds_bucket{operation=\"listEvents\",le=\"+Inf\"} 3", "ems_websocket_sessions 1",
            "ems_store_up 1",
            "ems_broker_up 1", "# TYPE ems_http_request_duration_seconds histogram",
        ] {
            #expect(page.text.contains(line + "\n"), "\(line)")
        }
        #expect(connection.messages.count > 0)
        #expect(try await stage.http.get("/metrics", headers: ["X-Forwarded-For": "192.0.2.200"]).status == 200)
        expectProblem(try await stage.http.get("/metrics", headers: ["X-Forwarded-For": "203.0.113.1"]), 403)
    }

    // MARK: Pages

    @Test("Where Swagger UI and Redoc are not installed a page of our own stands in", arguments: ["/docs", "/redoc", "/api/docs"])
    func explorer(path: String) async throws {
        let stage = try await Stage(environment: ["EMS_DOCS_DIR": "/nothing"])
        let page = try await stage.http.get(path)
        #expect(page.status == 200)
        #expect(page.header("Content-Type") == "text/html; charset=utf-8")
        #expect(page.header("Content-Security-Policy")?.contains("default-src 'none'") == true)
        #expect(page.text.contains("docs/explorer.js"))
        for part in ["/docs/explorer.js", "/docs/explorer.css"] { #expect(try await stage.http.get(part).status == 200) }
        expectProblem(try await stage.http.get("/docs/swagger-ui-bundle.js"), 404)
        let slash = try await stage.http.get(path + "/")
        #expect(slash.status == 308)
        #expect(slash.header("Location") == path)
    }

    // MARK: Programs of others

    @Test("Others' tools find the document valid, and every answer as the document says", .enabled(if: InstalledTool.python != nil))
    func schemathesis() async throws {
        let stage = try await Stage()
        let admin = try await stage.workspace.makeUser("root", role: "admin")
        let python = try #require(InstalledTool.python)
        let cases = ProcessInfo.processInfo.environment["EMS_TEST_API_CASES"] ?? "15"
        let result = try await stage.workspace.run(
            "/usr/bin/env", ["bash", InstalledTool.directory + "/api_document", stage.daemon.url, cases],
            environment: ["PYTHON": python, "API_TOKEN_COMMAND": "'\(EMSBinary.path)' token issue --user \(admin)"])
        #expect(result.status == 0, "\(result.output.suffix(6000)) \(result.errors.suffix(2000))")
        #expect(!stage.daemon.logText.contains(" error "), "\(stage.daemon.logText)")
    }

    @Test("WebSocket clients that others wrote get on with the daemon", .enabled(if: InstalledTool.python != nil))
    func webSocketClients() async throws {
        let stage = try await Stage()
        try await stage.workspace.makeUser("ada")
        let token = try await stage.workspace.token(of: "ada")
        let result = try await stage.workspace.run(
            try #require(InstalledTool.python), [InstalledTool.directory + "/websocket_clients.py", stage.daemon.url],
            environment: ["TOKEN": token])
        let lines = result.output.split(separator: "\n")
        let faults = lines.indices.filter { lines[$0].hasPrefix("not ok") || lines[$0].hasPrefix("Bail") }
        // With the lines that say what was wrong.
        let described = faults.map { lines[$0..<min($0 + 4, lines.count)].joined(separator: " ") }
        #expect(described == [], "\(result.errors)")
        #expect(result.status == 0)
        #expect(lines.count { $0.hasPrefix("ok ") } > 200)
    }

    @Test(
        "In a browser one logs in through the pages, and makes calls", .enabled(if: InstalledTool.python != nil),
        arguments: [[], ["--explorer"]])
    func browser(arguments: [String]) async throws {
        let library = URL(fileURLWithPath: EMSBinary.path).deletingLastPathComponent().appendingPathComponent("../share/ems/api-docs")
            .standardized
        let stage = try await Stage(environment: ["EMS_DOCS_DIR": arguments.isEmpty ? library.path : "/nothing"])
        try await stage.workspace.makeUser("ada")
        let python = try #require(InstalledTool.python)
        let result = try await stage.workspace.run(
            python, [InstalledTool.directory + "/browser.py"] + arguments + [stage.daemon.url, stage.workspace.directory.path],
            environment: ["API_USERNAME": "ada", "API_PASSWORD": Workspace.password])
        #expect(result.status == 0, "\(result.output) \(result.errors)")
    }
}
