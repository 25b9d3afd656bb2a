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

    private let endpoint: WebSocketEndpoint?
    private let watch: SlowClientHandler
    private let answers: AnswerCache?
    /// The answer that comes next, while it is written down to be given again.
    private var recording: AnswerRecording?
    /// Where an answer enters that is bytes already.
    private var encoder: ChannelHandlerContext?
    private var isUnflushed = false
    /// How many requests have begun whose answers have not ended.
    private var unanswered = 0
    private var isFirst = true
    private var switching = Switching.no
    /// Whether the last request is answered, and its body is of no interest.
    private var isDropping = false

    /// On the way from HTTP to a WebSocket, of a connection that has served requests before.
    private enum Switching {
        case no
        /// Until the answers to earlier requests have ended, and the token is verified.
        case waiting(HTTPRequestHead, held: [HTTPServerRequestPart])
        case verifying(HTTPRequestHead, held: [HTTPServerRequestPart])
        case done
    }

    /// - Parameters:
    ///   - endpoint: `nil` where this process serves no WebSockets.
    ///   - watch: is notified of answers.
    ///   - answers: `nil` where none are kept.
    init(endpoint: WebSocketEndpoint?, watch: SlowClientHandler, answers: AnswerCache?) {
        self.endpoint = endpoint
        self.watch = watch
        self.answers = answers
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        encoder = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch switching {
        case .no: break
        case .waiting(let head, var held):
            held.append(part)
            switching = .waiting(head, held: held)
            return
        case .verifying(let head, var held):
            held.append(part)
            switching = .verifying(head, held: held)
            return
        case .done: return
        }
        guard case .head(var head) = part else {
            if !isDropping { context.fireChannelRead(data) }
            return
        }
        isDropping = false
        if head.version == .http1_1, head.headers["Host"].count != 1 { head.headers.replaceOrAdd(name: "Host", value: "") }
        // The first request of a connection is looked at by the upgrade gate, before anything else is in the pipeline.
        if !isFirst {
            if let endpoint, UpgradeGate.isHandshake(head), endpoint.paths.contains(WebSocketRequest(head).path) {
                switching = .waiting(head, held: [])
                return verifyIfReady(context)
            }
            head = head.withoutUpgrade()
            if answerAtOnce(head, context) { return }
        }
        isFirst = false
        unanswered += 1
        if let expectation = head.headers.first(name: "Expect"), head.version == .http1_1 {
            head.headers.remove(name: "Expect")
            guard answer(expectation, of: head, context) else { return }
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// Answers with what is kept, without a way to any route. Not while other answers are on the way, nor to whoever does not read them.
    private func answerAtOnce(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) -> Bool {
        guard let answers, unanswered == 0, context.channel.isWritable else { return false }
        switch answers.reply(to: head) {
        case .none: return false
        case .unknown(let recording):
            self.recording = recording
            return false
        case .known(let bytes):
            if encoder == nil { encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self) }
            guard let encoder else { return false }
            encoder.write(NIOAny(bytes), promise: nil)
            isUnflushed = true
            isDropping = true
            // No request was under way: a daemon that ends has closed the connection.
            _ = watch.answered(context)
            return true
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
        context.fireChannelReadComplete()
    }

    private func flush() {
        guard isUnflushed else { return }
        isUnflushed = false
        encoder?.flush()
    }

    /// RFC 9110, section 10.1.1: whoever waits with a body is told to send it, or at once why not to.
    /// - Returns: whether the request goes on.
    private func answer(_ expectation: String, of head: HTTPRequestHead, _ context: ChannelHandlerContext) -> Bool {
        guard expectation.isToken("100-continue") else {
            refuse(EMSError(.malformed, "the expectation \(Printable.quoted(expectation)) is not known here"), status: 417, context)
            return false
        }
        if let length = head.headers.first(name: "Content-Length").flatMap({ Int($0) }), length > APIRequest.bodyLimit {
            refuse(APIRequest.tooLarge, status: APIRequest.tooLarge.code.httpStatus, context)
            return false
        }
        // Not while another answer is being written: one that comes later is as good as none.
        if unanswered == 1, head.hasBody {
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
        return true
    }

    private func refuse(_ error: EMSError, status: Int, _ context: ChannelHandlerContext) {
        isDropping = true
        answer(error, status: status, context)
        // What is not read of it is waited for no longer than for another request.
        _ = watch.answered(context)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        if recording != nil { record(part) }
        guard case .end = part else { return context.write(data, promise: promise) }
        unanswered -= 1
        if watch.answered(context) {
            context.writeAndFlush(data, promise: promise)
            return context.close(promise: nil)
        }
        context.write(data, promise: promise)
        verifyIfReady(context)
    }

    private func record(_ part: HTTPServerResponsePart) {
        recording?.add(part)
        guard case .end = part, let recording else { return }
        self.recording = nil
        answers?.keep(recording)
    }

    // MARK: WebSockets

    private func verifyIfReady(_ context: ChannelHandlerContext) {
        guard unanswered == 0, case .waiting(let head, let held) = switching, let endpoint else { return }
        switching = .verifying(head, held: held)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let peer = context.channel.remoteAddress
        context.eventLoop.makeFutureWithTask { try? await endpoint.admission(of: head, from: peer) }.whenSuccess { admission in
            let (guardian, context) = bound.value
            guardian.verified(admission, endpoint, context)
        }
    }

    private func verified(_ admission: WebSocketAdmission?, _ endpoint: WebSocketEndpoint, _ context: ChannelHandlerContext) {
        guard case .verifying(let head, let held) = switching else { return }
        // A session that begins now would never hear that the daemon ends.
        if watch.isEnding { return context.close(promise: nil) }
        guard let admission else {
            // The route says why not.
            switching = .no
            unanswered += 1
            context.fireChannelRead(wrapInboundOut(.head(head.withoutUpgrade())))
            for part in held { context.fireChannelRead(wrapInboundOut(part)) }
            return context.fireChannelReadComplete()
        }
        switching = .done
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        WebSocketHandshake.responseHeaders(context.channel, head, [:]).whenComplete { result in
            let (guardian, context) = bound.value
            do {
                try guardian.becomeWebSocket(headers: result.get(), admission, head, endpoint, context)
            } catch {
                context.close(promise: nil)
            }
        }
    }

    /// The session takes its place in front of all that speaks HTTP, which hears of nothing from then on but of the connection's end.
    private func becomeWebSocket(
        headers: HTTPHeaders, _ admission: WebSocketAdmission, _ head: HTTPRequestHead, _ endpoint: WebSocketEndpoint,
        _ context: ChannelHandlerContext
    ) throws {
        var headers = headers
        headers.replaceOrAdd(name: "Upgrade", value: "websocket")
        headers.replaceOrAdd(name: "Connection", value: "upgrade")
        let answer = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        context.write(wrapOutboundOut(.head(answer)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        let pipeline = context.pipeline.syncOperations
        let encoder = try pipeline.handler(type: HTTPResponseEncoder.self)
        try endpoint.addSession(admission, head, to: context.channel, position: .before(encoder))
        SlowClientHandler.remove(from: context.pipeline)
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
        answer(problem, status: problem.code.httpStatus, context)
    }

    private func answer(_ error: EMSError, status: Int, _ context: ChannelHandlerContext) {
        let body = ProblemDocument(error, instance: nil).json()
        let headers: HTTPHeaders = [
            "Content-Type": ProblemDocument.mediaType, "Content-Length": String(body.count), "Connection": "close",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            // Half first: closing at once, with bytes unread, would take the answer from the client.
            bound.value.close(mode: .output, promise: nil)
        }
    }
}

extension StringProtocol {
    /// Whether the text is this word, in any letter case. Text of another length is not compared: it may be of any kind.
    /// - Parameter word: in lower-case ASCII.
    func isToken(_ word: String) -> Bool { utf8.count == word.utf8.count && lowercased() == word }
}

extension HTTPRequestHead {
    /// Whether a body follows.
    fileprivate var hasBody: Bool {
        headers.contains(name: "Transfer-Encoding") || !["", "0"].contains(headers.first(name: "Content-Length") ?? "")
    }

    /// The request without its wish for another protocol.
    func withoutUpgrade() -> HTTPRequestHead {
        guard headers.contains(name: "Upgrade") else { return self }
        var head = self
        head.headers.remove(name: "Upgrade")
        // NIO's decoder has stopped behind a request for an upgrade, and reads no other: the answer is the last of the connection.
        if headers[canonicalForm: "Connection"].contains(where: { $0.isToken("upgrade") }) {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        }
        return head
    }
}
