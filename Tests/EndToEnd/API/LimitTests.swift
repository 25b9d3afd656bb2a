import EMSCore
import Foundation
import Testing

@Suite("Limits", .gated)
struct LimitTests {
    private static let limited = ["RATE_LIMIT_ENABLED": "true"]
    private static func forwarded(_ address: String) -> [String: String] { ["X-Forwarded-For": address] }

    // MARK: Log-ins

    @Test("An account has five log-ins a minute from wherever they come, by whichever of its names", arguments: ["ada", "nobody"])
    func account(name: String) async throws {
        let stage = try await Stage(environment: Self.limited.merging(["EMS_TRUSTED_PROXIES": "127.0.0.1"]) { $1 })
        try await stage.workspace.makeUser("ada")
        func attempt(_ index: Int, _ name: String) async throws -> HTTPClient.Answer {
            try await stage.http.post(
                "/auth/login", Stage.credentials(name, "Wrong123!"), headers: Self.forwarded("192.0.2.\(index)"))
        }
        for index in 0..<5 {
            let other = name == "ada" && index.isMultiple(of: 2) ? "ADA@example.com" : name.uppercased()
            expectProblem(try await attempt(index, other), 401)
        }
        let answer = try await attempt(6, name)
        expectProblem(answer, 429)
        #expect(answer.json["detail"]?.string?.contains("account") == true)
        #expect(answer.header("RateLimit-Limit") == "5")
        #expect(answer.header("RateLimit-Remaining") == "0")
        #expect(answer.header("RateLimit-Reset") == answer.header("Retry-After"))
        // Another account, from the same address, has its own count.
        expectProblem(try await attempt(6, "another"), 401)
    }

    @Test("A log-in tells how many are left")
    func remaining() async throws {
        let stage = try await Stage(environment: Self.limited)
        try await stage.workspace.makeUser("ada")
        for expected in ["4", "3"] {
            let answer = try await stage.login("ada")
            #expect(answer.status == 200)
            #expect(answer.header("RateLimit-Remaining") == expected)
        }
    }

    @Test("A stolen token does not serve to find out the password")
    func passwordGuessing() async throws {
        let stage = try await Stage(environment: Self.limited)
        try await stage.workspace.makeUser("ada")
        let http = HTTPClient(port: stage.daemon.port, token: try await stage.workspace.token(of: "ada"))
        for index in 0..<6 {
            let answer = try await http.post(
                "/auth/password", "{\"current_password\": \"Guess\(index)00!\", \"new_password\": \"Other456#\"}")
            expectProblem(answer, index < 5 ? 401 : 429)
        }
    }

    // MARK: Addresses

    @Test("X-Forwarded-For counts for nothing unless a trusted proxy sends it")
    func untrusted() async throws {
        let stage = try await Stage(environment: Self.limited)
        for index in 0..<6 {
            let answer = try await stage.http.post(
                "/auth/login", Stage.credentials("user\(index)", "Wrong123!"), headers: Self.forwarded("192.0.2.\(index)"))
            expectProblem(answer, index < 5 ? 401 : 429)
        }
    }

    @Test("Behind a trusted proxy the last address that is not a proxy's counts, whatever a client wrote before it")
    func trusted() async throws {
        let stage = try await Stage(environment: Self.limited.merging(["EMS_TRUSTED_PROXIES": "127.0.0.0/8, 10.0.0.0/8"]) { $1 })
        func attempt(_ index: Int, _ addresses: String) async throws -> Int {
            try await stage.http.post(
                "/auth/login", Stage.credentials("user\(index)", "Wrong123!"), headers: Self.forwarded(addresses)
            ).status
        }
        for index in 0..<5 { #expect(try await attempt(index, "203.0.113.\(index), 192.0.2.7, 10.0.0.1") == 401) }
        #expect(try await attempt(5, "203.0.113.99, 192.0.2.7, 10.1.2.3") == 429)
        #expect(try await attempt(6, "192.0.2.7, 203.0.113.99") == 401)
        // One customer of IPv6 has a whole network.
        for index in 10..<15 { #expect(try await attempt(index, "2001:db8:1:2::\(index)") == 401) }
        #expect(try await attempt(15, "2001:db8:1:2:ffff::1") == 429)
        #expect(try await attempt(16, "2001:db8:1:3::1") == 401)
    }

    // MARK: Requests

    @Test("A user has so many requests a minute, and is told; another user has as many; health is never limited")
    func requests() async throws {
        let stage = try await Stage(
            environment: Self.limited.merging(["EMS_API_RATE_LIMIT": "10/hour", "LOGIN_RATE_LIMIT": "100/minute"]) { $1 })
        try await stage.workspace.makeUser("ada")
        try await stage.workspace.makeUser("bob")
        let ada = HTTPClient(port: stage.daemon.port, token: try await stage.workspace.token(of: "ada"))
        let bob = HTTPClient(port: stage.daemon.port, token: try await stage.workspace.token(of: "bob"))
        for index in 0..<10 {
            let answer = try await ada.get("/auth/me")
            #expect(answer.status == 200)
            #expect(answer.header("RateLimit-Limit") == "10")
            #expect(answer.header("RateLimit-Remaining") == String(9 - index))
            #expect(answer.header("RateLimit-Reset").flatMap { Int($0) }.map { (1...3600).contains($0) } == true)
        }
        let refused = try await ada.get("/events")
        expectProblem(refused, 429)
        #expect(refused.header("RateLimit-Remaining") == "0")
        #expect(refused.header("Retry-After") == refused.header("RateLimit-Reset"))
        #expect(try await bob.get("/auth/me").status == 200)
        for _ in 0..<20 { #expect(try await stage.http.get("/healthz").status == 200) }
        // Tokens are not guessed without end either.
        let guesser = HTTPClient(port: stage.daemon.port, token: "a.b.c")
        for index in 0..<12 { expectProblem(try await guesser.get("/auth/me"), index < 10 ? 401 : 429) }
    }

    // MARK: Connections

    @Test("Beyond the limit connections wait until another one ends")
    func connections() async throws {
        let stage = try await Stage(environment: ["EMS_MAX_CONNECTIONS": "2"])
        let request = Array("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        var open: [RawConnection] = []
        for _ in 0..<2 {
            let connection = try await RawConnection(port: stage.daemon.port)
            try await connection.send(request)
            _ = try await connection.answer()
            open.append(connection)
        }
        let third = try await RawConnection(port: stage.daemon.port)
        try await third.send(request)
        #expect(third.text.isEmpty)
        try await open.removeFirst().close()
        #expect(try await third.answer().status == 200)
    }

    @Test("Who begins a request and does not end it is cut off")
    func slowLoris() async throws {
        let stage = try await Stage()
        let starts = [
            "GET /hea",
            "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
        ]
        var connections: [RawConnection] = []
        for start in starts {
            let connection = try await RawConnection(port: stage.daemon.port)
            try await connection.send(start)
            connections.append(connection)
        }
        // Its own kind of patience: a byte now and then.
        let drip = try await RawConnection(port: stage.daemon.port)
        try await eventually("the slow ones are cut off", within: .seconds(90)) {
            if !drip.isEnded { try? await drip.send([UInt8(ascii: "G")]) }
            try await Task.sleep(for: .milliseconds(200))
            return drip.isEnded && connections.allSatisfy { $0.isEnded }
        }
        #expect(try await stage.http.get("/healthz").status == 200)
    }

    @Test("A head that is too long is answered 431, and ends the connection", arguments: ["/healthz?q=", "/"])
    func longHead(path: String) async throws {
        let stage = try await Stage()
        let connection = try await RawConnection(port: stage.daemon.port)
        let filler = String(repeating: "x", count: 40_000)
        let head = path == "/" ? "GET / HTTP/1.1\r\nX-Long: \(filler)\r\n\r\n" : "GET \(path)\(filler) HTTP/1.1\r\nHost: a\r\n\r\n"
        try await connection.send(Array(head.utf8))
        let answer = try await connection.answer()
        #expect(answer.status == 431)
        #expect(answer.header("Content-Type") == "application/problem+json")
        #expect(answer.header("Connection") == "close")
    }

    @Test(
        "What is no request of HTTP is answered 400 with a problem",
        arguments: [
            "NONSENSE\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        ])
    func noRequest(text: String) async throws {
        let stage = try await Stage()
        let connection = try await RawConnection(port: stage.daemon.port)
        try await connection.send(Array(text.utf8))
        let answer = try await connection.answer()
        #expect(answer.status == 400, "\(answer.lines)")
        #expect(answer.header("Content-Type") == "application/problem+json")
        #expect(try await stage.http.get("/healthz").status == 200)
    }
}
