import NIOCore
import NIOHTTP1

/// Closes connections of clients that take too long, by a ``RequestClock``: one of two handlers sees the bytes, the other the requests
/// that the decoder between them makes of the bytes.
final class SlowClientHandler {
    private var clock = RequestClock()
    private var timer: Scheduled<Void>?

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
            // Nobody has asked for anything: nobody has to be waited for when the server ends.
            if event is ChannelShouldQuiesceEvent, watch.clock.isWaiting { context.close(promise: nil) }
            context.fireUserInboundEventTriggered(event)
        }

        func channelInactive(context: ChannelHandlerContext) {
            watch.timer?.cancel()
            context.fireChannelInactive()
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            watch.timer?.cancel()
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
    static func add(to pipeline: ChannelPipeline) throws {
        let watch = SlowClientHandler()
        try pipeline.syncOperations.addHandler(Bytes(watch), position: .first)
        let decoder = try pipeline.syncOperations.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        try pipeline.syncOperations.addHandler(Requests(watch), position: .after(decoder))
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
        case .none:
            timer?.cancel()
            timer = nil
        case .seconds(let seconds):
            timer?.cancel()
            let channel = context.channel
            timer = context.eventLoop.scheduleTask(in: .seconds(Int64(seconds))) { channel.close(promise: nil) }
        }
    }
}
