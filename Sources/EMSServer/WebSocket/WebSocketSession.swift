import EMSCore
import EMSRuntime
import Logging
import NIOCore
import NIOWebSocket

/// One WebSocket connection: confined to its event loop, the last handler of its pipeline.
///
/// Work that waits for the store runs in tasks, one at a time and in the order the client asked, and comes back to the loop.
final class WebSocketSession: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = ByteBuffer

    enum Limit {
        /// The largest message a client may send.
        static let messageBytes = 16 * 1024
        /// How many requests of one client may wait for their turn.
        static let waitingRequests = 64
        /// How much may wait to be written before the client counts as too slow.
        static let outboundBytes = 1 << 20
        /// How many live notifications are held back while the session catches up.
        static let heldNotifications = 10_000
        /// How many missed notifications are replayed; more than that is not recovered.
        static let replayed = 10_000
        static let pingInterval: TimeAmount = .seconds(25)
        /// After so many pings without an answer the connection is dead.
        static let missedPongs = 2
        /// How long the peer has to answer a close frame.
        static let closeTimeout: TimeAmount = .seconds(2)
        /// How long a peer whose frame was broken may be silent before it is cut off, and how long it may go on sending.
        static let lingerSilence: TimeAmount = .seconds(5)
        static let lingerTotal: TimeAmount = .seconds(30)
    }

    let identity: AuthenticationService.Identity
    private let source: ChangeSource
    private let place: WebSocketLimits.Place
    private let limiter: RequestLimiter?
    private let since: String?
    private let hub: WebSocketHub
    private let services: Services
    private let logger: Logger
    private var state = SessionState<ByteBuffer>(holdLimit: Limit.heldNotifications)
    private var assembler = MessageAssembler(sizeLimit: Limit.messageBytes)
    private var context: ChannelHandlerContext?
    private var waiting: [String] = []
    private var isBusy = true
    private var unansweredPings = 0
    private var pingAt = NIODeadline.distantFuture
    private var expiresAt = NIODeadline.distantFuture
    private var isUnflushed = false
    /// Where it stands among those of its event loop; the hub's own.
    var seat: Int?
    /// Until when what comes behind a broken frame is passed over; `nil` while no frame was broken.
    private var lingersUntil: NIODeadline?
    /// Until the connection is cut, once it is to end.
    private var disconnection: Scheduled<Void>?

    /// What a session calls.
    struct Services: Sendable {
        let subscriptions: SubscriptionService
        let notifications: NotificationService
        let authentication: AuthenticationService
    }

    /// - Parameter since: the id of the last notification the client has seen, where it says one.
    init(
        admission: WebSocketAdmission, since: String?, hub: WebSocketHub, services: Services, limiter: RequestLimiter?, logger: Logger
    ) {
        identity = admission.identity
        source = admission.source
        place = admission.place
        self.limiter = limiter
        self.since = since
        self.hub = hub
        self.services = services
        self.logger = logger
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        hub.add(self, on: context.eventLoop)
        pingAt = .now() + Limit.pingInterval
        expiresAt = .now() + .milliseconds(max(0, identity.tokenExpiresAt.milliseconds - Timestamp.now().milliseconds))
        start(context) { [since, services, identity] writer in
            try await Self.catchUp(since: since, for: identity.user.id, services, writer)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        state.disconnected()
        disconnection?.cancel()
        disconnection = nil
        waiting = []
        self.context = nil
        hub.remove(self, from: context.eventLoop)
    }

    func channelInactive(context: ChannelHandlerContext) {
        state.disconnected()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            if lingersUntil != nil { return context.close(promise: nil) }
            close(EMSError(.goingAway, "the server is shutting down"))
        case ChannelEvent.inputClosed:
            // The peer will never speak again, not even to say goodbye.
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? NIOWebSocketError {
            fail(code: error == .invalidFrameLength ? 1009 : 1002, reason: "the frame breaks the protocol")
            // The decoder reads no more, not even the peer's goodbye: all that can be waited for is that the peer closes.
            context.close(mode: .output, promise: nil)
            lingersUntil = .now() + Limit.lingerTotal
            linger(context)
        } else if error is ByteToMessageDecoderError, lingersUntil != nil {
            linger(context)
        } else if !(error is ByteToMessageDecoderError) || state.isOpen {
            context.close(promise: nil)
        }
    }

    /// Passes over what comes behind a broken frame while it comes: closing with unread bytes resets the connection, and a peer
    /// that is still sending would never see the goodbye.
    private func linger(_ context: ChannelHandlerContext) {
        guard let lingersUntil else { return }
        let silence = min(Limit.lingerSilence, lingersUntil - .now())
        disconnect(in: max(.zero, silence), context)
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch assembler.receive(unwrapInboundIn(data)) {
        case .nothing: break
        case .message(let text): received(text, context)
        case .ping(let payload):
            guard state.isOpen else { return }
            guard context.channel.isWritable else { return close(Self.tooSlow) }
            context.writeAndFlush(wrapOutboundOut(ServerFrame.pong(payload)), promise: nil)
        case .pong: unansweredPings = 0
        case .close(let code): perform(state.receivedClose(code: code), context)
        case .fail(let code, let reason): fail(code: code, reason: reason)
        }
    }

    private func received(_ text: String, _ context: ChannelHandlerContext) {
        guard state.isOpen else { return }
        guard waiting.count < Limit.waitingRequests else {
            return fail(code: 1008, reason: "more than \(Limit.waitingRequests) requests at once")
        }
        // A message counts like a request.
        if let allowance = limiter?.count(identity.user.id.description), !allowance.isGranted {
            guard context.channel.isWritable else { return close(Self.tooSlow) }
            let refusal = ServerMessage.error(EMSError.rateLimited("too many requests", allowance), at: .now())
            return context.writeAndFlush(wrapOutboundOut(ServerFrame.text(refusal.json())), promise: nil)
        }
        waiting.append(text)
        startNext(context)
    }

    private func startNext(_ context: ChannelHandlerContext) {
        guard !isBusy, !waiting.isEmpty, state.isOpen else { return }
        let text = waiting.removeFirst()
        isBusy = true
        start(context) { [services, identity, source, logger] writer in
            let answer = try await Self.answer(to: text, from: identity, via: source, services, logger)
            try await writer.send(answer)
            return nil
        }
    }

    /// - Throws: ``EMSError`` where the session has ended: then so does the connection.
    private static func answer(
        to text: String, from identity: AuthenticationService.Identity, via source: ChangeSource, _ services: Services, _ logger: Logger
    ) async throws -> ServerMessage {
        do {
            // As the user is by now: a connection outlives what was true when it began.
            let person = try await services.authentication.refreshed(identity).user
            let (user, author) = (person.id, Author(person, via: source))
            switch try ClientCommand(text) {
            case .subscribe(let event):
                _ = try await services.subscriptions.subscribe(user, to: event, by: author)
                return .subscriptionUpdate(event, status: "subscribed", at: .now())
            case .unsubscribe(let event):
                _ = try await services.subscriptions.unsubscribe(user, from: event, by: author)
                return .subscriptionUpdate(event, status: "unsubscribed", at: .now())
            case .markRead(let notification):
                try await services.notifications.markRead(notification, of: user)
                return .notificationRead(notification, at: .now())
            case .ping:
                return .pong(at: .now())
            }
        } catch {
            let described = EMSError(error)
            if described.code == .tokenRevoked || described.code == .unauthenticated { throw described }
            if described.code == .internal { logger.error("WebSocket request: \(described)") }
            return .error(described, at: .now())
        }
    }

    // MARK: Catching up

    /// Says who is connected, and replays what was missed, in steps no larger than the socket takes.
    /// - Returns: up to which position everything is told.
    private static func catchUp(since: String?, for user: UserID, _ services: Services, _ writer: Writer) async throws -> Int64? {
        let end = try await services.notifications.latestPosition()
        guard let start = try await recoverablePosition(since, for: user, end: end, services.notifications) else {
            try await writer.send(.connectionStatus(user, recovered: false, at: .now()))
            return end
        }
        try await writer.send(.connectionStatus(user, recovered: true, at: .now()))
        var position = start
        while position < end {
            let page = try await services.notifications.missed(by: user, after: position, through: end, limit: 200)
            guard let last = page.last else { break }
            for missed in page { try await writer.send(ServerFrame.text(missed.notification.json())) }
            position = last.position
        }
        return end
    }

    /// Where a replay begins; `nil` where none was asked for, or the gap is not known or too long to be closed.
    private static func recoverablePosition(
        _ since: String?, for user: UserID, end: Int64, _ notifications: NotificationService
    ) async throws -> Int64? {
        guard let since, let id = NotificationID(since), let position = try await notifications.position(of: id) else { return nil }
        let missed = try await notifications.missedCount(by: user, after: position, through: end, limit: Limit.replayed + 1)
        return missed <= Limit.replayed ? position : nil
    }

    // MARK: Out

    /// Writes to the session from a task.
    struct Writer: Sendable {
        fileprivate let session: NIOLoopBound<WebSocketSession>
        fileprivate let eventLoop: any EventLoop

        func send(_ message: ServerMessage) async throws {
            try await send(ServerFrame.text(message.json()))
        }

        /// Returns when the socket has taken it: a slow reader slows the writing task, and nothing piles up.
        func send(_ frame: ByteBuffer) async throws {
            let promise = eventLoop.makePromise(of: Void.self)
            eventLoop.execute {
                let session = session.value
                guard let context = session.context, session.state.isOpen else { return promise.fail(ChannelError.ioOnClosedChannel) }
                context.writeAndFlush(session.wrapOutboundOut(frame), promise: promise)
            }
            try await promise.futureResult.get()
        }
    }

    /// Runs one piece of work; the next request waits for it.
    private func start(_ context: ChannelHandlerContext, _ work: @escaping @Sendable (Writer) async throws -> Int64?) {
        let eventLoop = context.eventLoop
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let writer = Writer(session: bound, eventLoop: eventLoop)
        Task {
            do {
                let position = try await work(writer)
                eventLoop.execute { bound.value.finished(position) }
            } catch {
                eventLoop.execute { bound.value.failed(error) }
            }
        }
    }

    private func finished(_ position: Int64?) {
        guard let context else { return }
        if let position {
            for frame in state.caughtUp(to: position) { context.write(wrapOutboundOut(frame), promise: nil) }
            context.flush()
        }
        isBusy = false
        startNext(context)
    }

    private func failed(_ error: any Error) {
        guard state.isOpen else { return }
        let described = EMSError(error)
        if described.code.webSocketCloseCode == 1011 { logger.error("a WebSocket session ends: \(described)") }
        close(described)
    }

    private static let tooSlow = EMSError(.slowConsumer, "too slow: reconnect with since")

    /// A notification for this session, at its place in the stream.
    func notify(_ frame: ByteBuffer, at position: Int64) {
        guard let context else { return }
        switch state.received(frame, at: position) {
        case .hold, .drop: break
        case .overflow: close(Self.tooSlow)
        case .send(let frame): write(frame, context)
        }
    }

    /// Several notifications at once, the first of which stands at a position.
    /// - Returns: `false` where it is not sure that all of them are to be sent: each must be sent by itself.
    func notify(_ frames: ByteBuffer, from position: Int64) -> Bool {
        guard let context, state.isLive(from: position) else { return false }
        write(frames, context)
        return true
    }

    private func write(_ frames: ByteBuffer, _ context: ChannelHandlerContext) {
        // Much may come at once: it counts only if the socket does not take it.
        if !context.channel.isWritable { flush() }
        guard context.channel.isWritable else { return close(Self.tooSlow) }
        context.write(wrapOutboundOut(frames), promise: nil)
        isUnflushed = true
    }

    /// Sends what it was notified of.
    func flush() {
        guard isUnflushed else { return }
        isUnflushed = false
        context?.flush()
    }

    /// Ends the connection with the code of an error.
    func close(_ error: EMSError) {
        fail(code: error.code.webSocketCloseCode, reason: error.code.publicDetail ?? error.message)
    }

    private func fail(code: UInt16, reason: String) {
        guard let context else { return }
        perform([state.close(code: code)], context, reason: reason)
    }

    private func perform(_ actions: [SessionState<ByteBuffer>.CloseAction], _ context: ChannelHandlerContext, reason: String = "") {
        for action in actions {
            switch action {
            case .nothing: break
            case .sendClose(let code):
                context.writeAndFlush(wrapOutboundOut(ServerFrame.close(code, reason: reason)), promise: nil)
                disconnect(in: Limit.closeTimeout, context)
            case .disconnect:
                // What was written before goes out first.
                context.close(mode: .output, promise: nil)
                disconnect(in: .milliseconds(200), context)
            }
        }
    }

    // MARK: Time

    /// Looks whether its time has come: to be pinged, or to end with its token.
    func look(_ now: NIODeadline) {
        guard let context, state.isOpen else { return }
        if now >= expiresAt { return close(EMSError(.tokenExpired, "the token expired")) }
        guard now >= pingAt else { return }
        guard unansweredPings < Limit.missedPongs else { return context.close(promise: nil) }
        unansweredPings += 1
        pingAt = now + Limit.pingInterval
        context.writeAndFlush(wrapOutboundOut(ServerFrame.ping()), promise: nil)
    }

    /// Cuts the connection in a while, in place of an earlier such setting.
    private func disconnect(in delay: TimeAmount, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        disconnection?.cancel()
        disconnection = context.eventLoop.scheduleTask(in: delay) { bound.value.context?.close(promise: nil) }
    }
}
