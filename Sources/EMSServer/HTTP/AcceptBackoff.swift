import Logging
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Stops accepting connections for a while when the system has no descriptor left: trying again at once would only keep a core busy. A
/// descriptor kept in reserve is given up, so that the log can say so.
final class AcceptBackoff: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = any Channel

    private static let pause: TimeAmount = .seconds(1)
    /// Not more often than this is it said.
    private static let silence: TimeAmount = .seconds(60)

    private let logger: Logger
    private var reserve = open("/dev/null", O_RDONLY | O_CLOEXEC)
    private var lastWarning: NIODeadline?

    init(logger: Logger) {
        self.logger = logger
    }

    deinit {
        if reserve >= 0 { close(reserve) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        if reserve >= 0 {
            close(reserve)
            reserve = -1
        }
        let now = NIODeadline.now()
        if lastWarning.map({ now - $0 > Self.silence }) ?? true {
            lastWarning = now
            logger.error("no further client can be accepted: \(String(cString: strerror(error.errnoCode))); raise LimitNOFILE (ulimit -n)")
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.channel.setOption(.autoRead, value: false).whenComplete { _ in
            let (_, context) = bound.value
            context.eventLoop.scheduleTask(in: Self.pause) {
                let (handler, context) = bound.value
                if handler.reserve < 0 { handler.reserve = open("/dev/null", O_RDONLY | O_CLOEXEC) }
                context.channel.setOption(.autoRead, value: true).whenFailure { _ in }
            }
        }
    }
}
