import NIOHTTP1
import Testing

@testable import EMSServer

@Suite("Requests for a WebSocket")
struct WebSocketRequestTests {
    private func request(_ uri: String = "/ws", authorization: String? = nil, protocols: [String] = []) -> WebSocketRequest {
        WebSocketRequest(uri: uri, authorization: authorization, protocols: protocols)
    }

    @Test(
        "The path ends at the question mark",
        arguments: [("/ws", "/ws"), ("/ws?token=a", "/ws"), ("/ws/ws?a?b", "/ws/ws"), ("/ws?", "/ws")])
    func path(uri: String, path: String) {
        #expect(request(uri).path == path)
    }

    @Test("Without a token there is none")
    func noToken() {
        #expect(request().token == nil)
        #expect(request("/ws?since=x").token == nil)
        #expect(request(authorization: "Basic abc").token == nil)
        #expect(request(authorization: "Bearer").token == nil)
        #expect(request(protocols: ["bearer"]).token == nil)
        #expect(request(protocols: ["chat, superchat"]).token == nil)
    }

    @Test(
        "The token in Authorization is read, the scheme in any letter case",
        arguments: ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c"])
    func authorization(header: String) {
        #expect(request(authorization: header).token == "a.b.c")
    }

    @Test(
        "The token among the protocols is read, in one header or in two",
        arguments: [["bearer, a.b.c"], ["bearer,a.b.c"], ["bearer", "a.b.c"]])
    func protocols(headers: [String]) {
        let request = request(protocols: headers)
        #expect(request.token == "a.b.c")
        #expect(request.offersBearerProtocol)
    }

    @Test("The token in the query is read, wherever it stands", arguments: ["/ws?token=a.b.c", "/ws?since=x&token=a.b.c&y=z"])
    func query(uri: String) {
        #expect(request(uri).token == "a.b.c")
        #expect(!request(uri).offersBearerProtocol)
    }

    @Test("A parameter whose name only ends or begins the same is another one")
    func otherParameters() {
        #expect(request("/ws?mytoken=a").token == nil)
        #expect(request("/ws?tokens=a").token == nil)
    }

    @Test("Authorization counts before the protocols, and these before the query")
    func precedence() {
        #expect(request("/ws?token=c", authorization: "Bearer a", protocols: ["bearer, b"]).token == "a")
        #expect(request("/ws?token=c", protocols: ["bearer, b"]).token == "b")
        #expect(request("/ws?token=c", authorization: "Basic a").token == "c")
    }

    @Test("Parameters are read by name")
    func parameters() {
        let request = request("/ws?token=a&since=0195d0a0&empty=")
        #expect(request.parameter("since") == "0195d0a0")
        #expect(request.parameter("empty") == "")
        #expect(request.parameter("none") == nil)
    }

    @Test("The head of an HTTP request is read")
    func head() {
        var headers = HTTPHeaders()
        headers.add(name: "sec-websocket-protocol", value: "bearer, a.b.c")
        let request = WebSocketRequest(HTTPRequestHead(version: .http1_1, method: .GET, uri: "/api/ws?since=x", headers: headers))
        #expect(request.path == "/api/ws")
        #expect(request.token == "a.b.c")
        #expect(request.parameter("since") == "x")
    }
}
