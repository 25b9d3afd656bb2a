import EMSCore
import NIOCore
import NIOHTTP1
import NIOPosix

/// A small HTTP/1.1 client: one connection a request.
struct HTTPClient: Sendable {
    let port: Int
    var token: String?

    struct Answer: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as JSON; `null` where it is none.
        var json: JSONValue { (try? JSONParser.parse(body)) ?? .null }

        func header(_ name: String) -> String? { headers.first(name: name) }
    }

    func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer { try await send(.GET, path, headers: headers) }
    func delete(_ path: String, headers: [String: String] = [:]) async throws -> Answer { try await send(.DELETE, path, headers: headers) }

    func post(_ path: String, _ body: String = "", headers: [String: String] = [:]) async throws -> Answer {
        try await send(.POST, path, body, headers: headers)
    }

    func put(_ path: String, _ body: String, headers: [String: String] = [:]) async throws -> Answer {
        try await send(.PUT, path, body, headers: headers)
    }

    func patch(_ path: String, _ body: String, headers: [String: String] = [:]) async throws -> Answer {
        try await send(.PATCH, path, body, headers: headers)
    }

    /// Sends one request. A body is JSON unless a header says otherwise.
    func send(_ method: HTTPMethod, _ path: String, _ body: String = "", headers extra: [String: String] = [:]) async throws -> Answer {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(5))
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPPart<HTTPRequestHead, IOData>>(
                        wrappingChannelSynchronously: channel)
                }
            }
        var headers = HTTPHeaders([("Host", "127.0.0.1:\(port)"), ("Connection", "close")])
        if let token { headers.add(name: "Authorization", value: "Bearer \(token)") }
        if !body.isEmpty {
            headers.add(name: "Content-Type", value: "application/json")
            headers.add(name: "Content-Length", value: String(body.utf8.count))
        }
        for (name, value) in extra { headers.replaceOrAdd(name: name, value: value) }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
        return try await channel.executeThenClose { inbound, outbound in
            // In one piece: a server that has answered already may close before a later one is written.
            let content: [HTTPPart<HTTPRequestHead, IOData>] = body.isEmpty ? [] : [.body(.byteBuffer(ByteBuffer(string: body)))]
            try await outbound.write(contentsOf: [.head(head)] + content + [.end(nil)])
            var answered: HTTPResponseHead?
            var bytes: [UInt8] = []
            for try await part in inbound {
                switch part {
                case .head(let head): answered = head
                case .body(let buffer): bytes += Array(buffer.readableBytesView)
                case .end:
                    guard let answered else { break }
                    return Answer(status: Int(answered.status.code), headers: answered.headers, body: bytes)
                }
            }
            throw TimedOut(description: "the connection ended before an answer to \(method) \(path)")
        }
    }
}
