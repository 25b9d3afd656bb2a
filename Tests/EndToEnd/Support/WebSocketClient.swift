import EMSCore
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// A WebSocket client that keeps everything it hears.
final class WebSocketClient: Sendable {
    /// What the server answered instead of becoming a WebSocket.
    struct Refused: Error {
        let status: Int
        let body: String
    }

    private let channel: NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
    private let state = NIOLockedValueBox(State())
    private let reader = NIOLockedValueBox<Task<Void, Never>?>(nil)

    private struct State {
        var messages: [JSONValue] = []
        var taken = 0
        var closeCode: UInt16?
        var isClosed = false
    }

    /// Connects.
    /// - Throws: ``Refused`` with the HTTP answer, where there is one.
    init(port: Int, path: String = "/ws/ws", token: String? = nil, since: String? = nil, headers: [(String, String)] = []) async throws {
        var query: [String] = []
        if let token { query.append("token=\(token)") }
        if let since { query.append("since=\(since)") }
        let uri = query.isEmpty ? path : path + "?" + query.joined(separator: "&")
        channel = try await Self.connect(port: port, uri: uri, headers: headers)
        let (channel, state) = (channel, state)
        let task = Task {
            do {
                try await channel.executeThenClose { inbound, outbound in
                    for try await frame in inbound { try await Self.take(frame, outbound, state) }
                }
            } catch {
                // A connection that breaks is closed, too.
            }
            state.withLockedValue { $0.isClosed = true }
        }
        reader.withLockedValue { $0 = task }
    }

    deinit {
        channel.channel.close(promise: nil)
    }

    /// Everything heard so far.
    var messages: [JSONValue] { state.withLockedValue { $0.messages } }
    var isClosed: Bool { state.withLockedValue { $0.isClosed } }
    var closeCode: UInt16? { state.withLockedValue { $0.closeCode } }

    /// The ids of the notifications heard so far, in their order.
    var notificationIDs: [String] {
        messages.filter { $0["type"]?.string == "notification" }.compactMap { $0["notification_id"]?.string }
    }

    /// The next message that was not taken yet.
    func next(within limit: Duration = .seconds(60)) async throws -> JSONValue {
        var message: JSONValue?
        try await eventually("a WebSocket message", within: limit) {
            message = state.withLockedValue { state in
                guard state.taken < state.messages.count else { return nil }
                defer { state.taken += 1 }
                return state.messages[state.taken]
            }
            if message == nil, isClosed {
                throw TimedOut(description: "the WebSocket closed with \(closeCode.map(String.init) ?? "no code")")
            }
            return message != nil
        }
        return message ?? .null
    }

    /// The next message of a type; others before it are passed over.
    func next(_ type: String, within limit: Duration = .seconds(60)) async throws -> JSONValue {
        while true {
            let message = try await next(within: limit)
            if message["type"]?.string == type { return message }
        }
    }

    /// Waits for the server's close frame.
    /// - Returns: its code.
    func closed(within limit: Duration = .seconds(60)) async throws -> UInt16? {
        try await eventually("the server closes the WebSocket", within: limit) { isClosed || closeCode != nil }
        return closeCode
    }

    func send(_ text: String) async throws {
        try await send(WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: text)))
    }

    /// Sends any frame, right or wrong.
    func send(_ frame: WebSocketFrame) async throws {
        try await channel.channel.writeAndFlush(frame)
    }

    /// Ends the connection without a word.
    func disconnect() async throws {
        try await channel.channel.close()
        try await eventually("the WebSocket is closed") { isClosed }
    }

    private static func take(
        _ frame: WebSocketFrame, _ outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>, _ state: NIOLockedValueBox<State>
    ) async throws {
        var data = frame.unmaskedData
        switch frame.opcode {
        case .text:
            let message = try JSONParser.parse(Array(data.readableBytesView))
            state.withLockedValue { $0.messages.append(message) }
        case .ping:
            try await outbound.write(WebSocketFrame(fin: true, opcode: .pong, maskKey: .random(), data: data))
        case .connectionClose:
            let code: UInt16? = data.readInteger()
            let isFirst = state.withLockedValue { state in
                defer { state.closeCode = code ?? 1005 }
                return state.closeCode == nil
            }
            if isFirst {
                try await outbound.write(WebSocketFrame(fin: true, opcode: .connectionClose, maskKey: .random(), data: frame.unmaskedData))
            }
        default: break
        }
    }

    private enum Upgrade: Sendable {
        case webSocket(NIOAsyncChannel<WebSocketFrame, WebSocketFrame>)
        case refused(NIOAsyncChannel<HTTPClientResponsePart, Never>)
    }

    private static func connect(port: Int, uri: String, headers: [(String, String)]) async throws -> NIOAsyncChannel<
        WebSocketFrame, WebSocketFrame
    > {
        let upgrade = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(5))
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let upgrader = NIOTypedWebSocketClientUpgrader<Upgrade>(
                        maxFrameSize: 1 << 20,
                        upgradePipelineHandler: { channel, _ in
                            channel.eventLoop.makeCompletedFuture { .webSocket(try NIOAsyncChannel(wrappingChannelSynchronously: channel)) }
                        })
                    var fields = HTTPHeaders([("Host", "127.0.0.1:\(port)"), ("Content-Length", "0")])
                    for (name, value) in headers { fields.add(name: name, value: value) }
                    let configuration = NIOTypedHTTPClientUpgradeConfiguration(
                        upgradeRequestHead: HTTPRequestHead(version: .http1_1, method: .GET, uri: uri, headers: fields),
                        upgraders: [upgrader],
                        notUpgradingCompletionHandler: { channel in
                            channel.eventLoop.makeCompletedFuture { .refused(try NIOAsyncChannel(wrappingChannelSynchronously: channel)) }
                        })
                    var pipeline = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: configuration)
                    // The first frames may come with the answer to the handshake.
                    pipeline.leftOverBytesStrategy = .forwardBytes
                    return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(configuration: pipeline)
                }
            }
        switch try await upgrade.get() {
        case .webSocket(let channel): return channel
        case .refused(let channel):
            return try await channel.executeThenClose { inbound, _ -> NIOAsyncChannel<WebSocketFrame, WebSocketFrame> in
                var status = 0
                var body: [UInt8] = []
                for try await part in inbound {
                    switch part {
                    case .head(let head): status = Int(head.status.code)
                    case .body(let buffer): body += Array(buffer.readableBytesView)
                    case .end: throw Refused(status: status, body: String(decoding: body, as: UTF8.self))
                    }
                }
                throw Refused(status: status, body: "")
            }
        }
    }
}
