import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTP2
import NIOSSL
import NIOTLS

/// A client's connection over TLS: HTTP/2 where the client speaks it, otherwise HTTP/1.1 with WebSockets, as without TLS.
struct SecureChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        fileprivate let negotiated: EventLoopFuture<Negotiated>
    }

    fileprivate enum Negotiated: Sendable {
        case http1(ConnectionChannel.Value)
        case http2(HTTP2Channel.Value)
    }

    private let certificates: CertificateStore
    private let http1: ConnectionChannel
    private let http2: HTTP2Channel

    init(certificates: CertificateStore, http1: ConnectionChannel) {
        self.certificates = certificates
        self.http1 = http1
        http2 = HTTP2Channel(
            responder: http1.responder,
            configuration: .init(
                idleTimeout: .seconds(RequestClock.Limit.idleSeconds), gracefulCloseTimeout: .seconds(Daemon.shutdownSeconds),
                streamConfiguration: .init(idleTimeout: .seconds(Int64(RequestClock.Limit.bodySeconds)))))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            // A client that never ends its handshake is as slow as one that never ends its request.
            let patience = HandshakeTimeout()
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Negotiated> { result, channel in
                switch result {
                case .negotiated("h2"):
                    channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(HTTP2WatchHandler()) }
                        .flatMap { http2.setup(channel: channel, logger: logger) }.map { .http2($0) }
                default: http1.setup(channel: channel, logger: logger).map { .http1($0) }
                }
            }
            try channel.pipeline.syncOperations.addHandlers([
                NIOSSLServerHandler(context: certificates.context), patience, negotiation,
            ])
            return Value(channel: channel, negotiated: negotiation.protocolNegotiationResult)
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.negotiated.get() {
            case .http1(let connection): await http1.handle(value: connection, logger: logger)
            case .http2(let connection): await http2.handle(value: connection, logger: logger)
            }
        } catch {
            // No TLS, or an end before it was agreed on.
            logger.debug("a connection ended early: \(error)")
            value.channel.close(promise: nil)
        }
    }
}

/// Closes a connection whose TLS handshake does not come to its end.
private final class HandshakeTimeout: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private var timer: Scheduled<Void>?

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .seconds(Int64(RequestClock.Limit.headSeconds))) { bound.value.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    private var isShaking = true

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            isShaking = false
            timer?.cancel()
        }
        if event is ChannelShouldQuiesceEvent, isShaking { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}
