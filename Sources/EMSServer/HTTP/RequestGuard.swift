import EMSCore
import NIOCore
import NIOHTTP1

/// Stands where requests come out of the decoder, and answers those that are none: they get a problem document like all others.
///
/// A request of HTTP/1.1 without a `Host`, or with several, is known further on by an empty one (RFC 9112, section 3.2).
final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// How many requests have begun whose answers have not ended.
    private var unanswered = 0
    private var isFirst = true

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        unanswered += 1
        if head.version == .http1_1, head.headers["Host"].count != 1 { head.headers.replaceOrAdd(name: "Host", value: "") }
        // The first request of a connection is looked at by the upgrade gate.
        if !isFirst { head = head.withoutUpgrade() }
        isFirst = false
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { unanswered -= 1 }
        context.write(data, promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Where an answer is under way, whoever makes it learns of the error.
        guard let error = error as? HTTPParserError, unanswered == 0 else { return context.fireErrorCaught(error) }
        let problem =
            switch error {
            case .headerOverflow:
                EMSError(
                    .headersTooLarge, "the request's head has more than \(ConnectionChannel.headBytes) bytes", fix: "send a shorter URL")
            default: EMSError(.malformed, "this is no HTTP request: \(error)")
            }
        answer(problem, context)
    }

    private func answer(_ error: EMSError, _ context: ChannelHandlerContext) {
        let body = ProblemDocument(error, instance: nil).json()
        let headers: HTTPHeaders = [
            "Content-Type": ProblemDocument.mediaType, "Content-Length": String(body.count), "Connection": "close",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: error.code.httpStatus), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            // Half first: closing at once, with bytes unread, would take the answer from the client.
            bound.value.close(mode: .output, promise: nil)
        }
    }
}

extension HTTPRequestHead {
    /// The request without its wish for another protocol.
    func withoutUpgrade() -> HTTPRequestHead {
        guard headers.contains(name: "Upgrade") else { return self }
        var head = self
        head.headers.remove(name: "Upgrade")
        // NIO's decoder has stopped behind a request for an upgrade, and reads no other: the answer is the last of the connection.
        if headers[canonicalForm: "Connection"].contains(where: { $0.lowercased() == "upgrade" }) {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        }
        return head
    }
}
