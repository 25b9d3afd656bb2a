import NIOCore
import NIOHTTP1

/// Closes connections of clients that take too long, by a ``RequestClock``: one of two handlers sees the bytes, the other the requests
/// that the decoder between them makes of the bytes.
final class SlowClientHandler {
    private var clock = RequestClock()
    private var deadline: NIODeadline?
    private var timer: Scheduled<Void>?
    /// Whether the daemon ends, and the connection with the answer that is under way.
    private(set) var isEnding = false

    /// For so long a timer runs at most: it looks how things stand and runs on. No deadline is set that comes sooner, so that none needs
    /// a timer of its own: most requests set three and miss none.
    private static let longestTimer = TimeAmount.seconds(Int64(RequestClock.Limit.headSeconds))

    /// Stands before the decoder.
    final class Bytes: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = ByteBuffer

        private let watch: SlowClientHandler

        init(_ watch: SlowClientHandler) {
            self.watch = watch
        }

        func handlerAdded(context: ChannelHandlerContext) {
            watch.set(watch.clock.opened(), context)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            watch.set(watch.clock.receivedBytes(unwrapInboundIn(data).readableBytes), context)
            context.fireChannelRead(data)
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            watch.set(watch.clock.writabilityChanged(isWritable: context.channel.isWritable), context)
            context.fireChannelWritabilityChanged()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is ChannelShouldQuiesceEvent {
                // Whoever has asked for nothing does not have to be waited for when the server ends.
                if watch.clock.isWaiting { return context.close(promise: nil) }
                watch.isEnding = true
            }
            context.fireUserInboundEventTriggered(event)
        }

        func channelInactive(context: ChannelHandlerContext) {
            watch.stop()
            context.fireChannelInactive()
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            watch.stop()
        }
    }

    /// Stands behind the decoder.
    final class Requests: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias InboundOut = HTTPServerRequestPart

        private let watch: SlowClientHandler

        init(_ watch: SlowClientHandler) {
            self.watch = watch
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head: watch.set(watch.clock.receivedHead(), context)
            case .body: break
            case .end: watch.set(watch.clock.receivedEnd(), context)
            }
            context.fireChannelRead(data)
        }
    }

    /// Puts the two handlers in front of and behind the decoder of a pipeline that speaks HTTP/1.1.
    static func add(to pipeline: ChannelPipeline) throws -> SlowClientHandler {
        let watch = SlowClientHandler()
        try pipeline.syncOperations.addHandler(Bytes(watch), position: .first)
        let decoder = try pipeline.syncOperations.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        try pipeline.syncOperations.addHandler(Requests(watch), position: .after(decoder))
        return watch
    }

    /// A request has its answer, or will have it with the next flush.
    /// - Returns: whether the connection is to end now.
    func answered(_ context: ChannelHandlerContext) -> Bool {
        set(clock.answered(), context)
        return isEnding && clock.isWaiting
    }

    /// A connection that is no HTTP any more has deadlines of its own.
    static func remove(from pipeline: ChannelPipeline) {
        if let handler = try? pipeline.syncOperations.handler(type: Bytes.self) {
            pipeline.syncOperations.removeHandler(handler, promise: nil)
        }
        if let handler = try? pipeline.syncOperations.handler(type: Requests.self) {
            pipeline.syncOperations.removeHandler(handler, promise: nil)
        }
        if let handler = try? pipeline.syncOperations.handler(type: RequestGuard.self) {
            pipeline.syncOperations.removeHandler(handler, promise: nil)
        }
    }

    private func set(_ deadline: RequestClock.Deadline, _ context: ChannelHandlerContext) {
        switch deadline {
        case .unchanged: return
        case .now: context.close(promise: nil)
        case .none: self.deadline = nil
        case .seconds(let seconds):
            self.deadline = .now() + .seconds(Int64(seconds))
            if timer == nil { start(context) }
        }
    }

    private func stop() {
        timer?.cancel()
        timer = nil
        deadline = nil
    }

    private func start(_ context: ChannelHandlerContext) {
        guard let deadline else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: min(deadline - .now(), Self.longestTimer)) {
            let (watch, context) = bound.value
            watch.timer = nil
            guard let deadline = watch.deadline else { return }
            if deadline <= .now() { context.close(promise: nil) } else { watch.start(context) }
        }
    }
}
