import NIOCore

/// Closes HTTP/2 connections that take too long, by an ``HTTP2Clock``: it stands where the frames are bytes, between TLS and HTTP/2.
final class HTTP2WatchHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// `PRI * HTTP/2.0…` (RFC 9113, section 3.4).
    private static let prefaceBytes = 24

    private var clock = HTTP2Clock(now: HTTP2WatchHandler.now)
    private var inbound = HTTP2FrameCutter(preface: prefaceBytes)
    private var outbound = HTTP2FrameCutter(preface: 0)
    private var timer: RepeatedTask?

    private static var now: Int { Int(NIODeadline.now().uptimeNanoseconds / 1_000_000_000) }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            let (handler, context) = bound.value
            if handler.clock.isOverdue(at: Self.now) { context.close(promise: nil) }
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for frame in inbound.read(unwrapInboundIn(data).readableBytesView) { clock.received(frame, at: Self.now) }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let frames = outbound.read(unwrapOutboundIn(data).readableBytesView)
        // What was written counts when the socket has taken it.
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let written = promise ?? context.eventLoop.makePromise()
        if !frames.isEmpty {
            written.futureResult.whenSuccess { for frame in frames { bound.value.clock.sent(frame, at: Self.now) } }
        }
        context.write(data, promise: written)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Nothing is under way: nobody has to be waited for when the server ends.
        if event is ChannelShouldQuiesceEvent, clock.isIdle { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}
