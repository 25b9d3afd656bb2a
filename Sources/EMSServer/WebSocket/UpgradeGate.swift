import EMSCore
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

/// Looks at a connection's first request before NIO's upgrade handler does, which has nothing to say to a request that it does not
/// upgrade: only an admitted WebSocket handshake passes as it is. From all others the wish for an upgrade is taken away, and the HTTP
/// routes answer them.
final class UpgradeGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    /// How many parts of a request may wait for the token's verification.
    private static let heldLimit = 64

    private enum State {
        case awaitingHead
        case verifying(HTTPRequestHead, held: [HTTPServerRequestPart])
        case passed
    }

    private let endpoint: WebSocketEndpoint?
    private let admitted: NIOLockedValueBox<WebSocketAdmission?>
    private var state = State.awaitingHead

    /// - Parameters:
    ///   - endpoint: `nil` where this process serves no WebSockets.
    ///   - admitted: gets whom the handshake speaks for.
    init(endpoint: WebSocketEndpoint?, admitted: NIOLockedValueBox<WebSocketAdmission?>) {
        self.endpoint = endpoint
        self.admitted = admitted
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .passed:
            context.fireChannelRead(data)
        case .verifying(let head, var held):
            guard held.count < Self.heldLimit else { return context.close(promise: nil) }
            held.append(unwrapInboundIn(data))
            state = .verifying(head, held: held)
        case .awaitingHead:
            guard case .head(let head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
            if let endpoint, Self.isHandshake(head), endpoint.paths.contains(WebSocketRequest(head).path) {
                state = .verifying(head, held: [])
                verify(head, endpoint, context)
            } else {
                pass(head.withoutUpgrade(), [], context)
            }
        }
    }

    private func verify(_ head: HTTPRequestHead, _ endpoint: WebSocketEndpoint, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let peer = context.channel.remoteAddress
        context.eventLoop.makeFutureWithTask { try? await endpoint.admission(of: head, from: peer) }.whenSuccess { admission in
            let (gate, context) = bound.value
            gate.verified(admission, context)
        }
    }

    private func verified(_ admission: WebSocketAdmission?, _ context: ChannelHandlerContext) {
        guard case .verifying(let head, let held) = state else { return }
        admitted.withLockedValue { $0 = admission }
        // What comes behind the handshake is no HTTP any more.
        if admission != nil { SlowClientHandler.remove(from: context.pipeline) }
        pass(admission == nil ? head.withoutUpgrade() : head, held, context)
    }

    private func pass(_ head: HTTPRequestHead, _ held: [HTTPServerRequestPart], _ context: ChannelHandlerContext) {
        state = .passed
        context.fireChannelRead(wrapInboundOut(.head(head)))
        for part in held { context.fireChannelRead(wrapInboundOut(part)) }
        context.fireChannelReadComplete()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    /// What RFC 6455, section 4.2.1, wants of a handshake. One with a body is none: the bytes behind the head are frames.
    static func isHandshake(_ head: HTTPRequestHead) -> Bool {
        head.method == .GET && head.version == .http1_1 && head.headers.first(name: "Host")?.isEmpty == false
            && head.headers[canonicalForm: "Upgrade"].contains { $0.isToken("websocket") }
            && head.headers[canonicalForm: "Connection"].contains { $0.isToken("upgrade") }
            && head.headers[canonicalForm: "Sec-WebSocket-Version"].map { $0.isToken("13") } == [true]
            && head.headers["Sec-WebSocket-Key"].count == 1 && head.headers["Sec-WebSocket-Key"].allSatisfy(isKey)
            && !head.headers.contains(name: "Transfer-Encoding") && ["", "0"].contains(head.headers.first(name: "Content-Length") ?? "")
            // Path, protocols and origin are compared by whoever admits it.
            && head.headers.allSatisfy { $0.value.isStreamSafe } && head.uri.isStreamSafe
    }

    /// Sixteen bytes in base64.
    private static func isKey(_ text: String) -> Bool {
        text.utf8.count == 24 && text.hasSuffix("==")
            && text.utf8.dropLast(2).allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "+"), UInt8(ascii: "/"):
                    true
                default: false
                }
            }
    }
}
