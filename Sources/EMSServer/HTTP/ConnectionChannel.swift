import EMSCore
import HTTPTypes
import HummingbirdCore
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// A client's connection: HTTP/1.1, until a request asks to become a WebSocket and may.
struct ConnectionChannel: ServerChildChannel, HTTPChannelHandler {
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        fileprivate let outcome: EventLoopFuture<Outcome>
    }

    fileprivate enum Outcome: Sendable {
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        case webSocket(any Channel)
    }

    /// The largest head of a request.
    static let headBytes = 32 * 1024

    let responder: HTTPChannelHandler.Responder
    /// `nil` where this process serves no WebSockets.
    let webSockets: WebSocketEndpoint?
    /// `nil` where no answers are kept.
    let answers: AnswerCache?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            // Notifications are small and must not wait for more (Nagle's algorithm).
            try channel.syncOptions?.setOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            let admitted = NIOLockedValueBox<WebSocketAdmission?>(nil)
            let upgraders = webSockets.map { [WebSocketUpgrader(endpoint: $0, admitted: admitted, connection: Outcome.webSocket)] } ?? []
            var configuration = NIOUpgradableHTTPServerPipelineConfiguration(
                upgradeConfiguration: NIOTypedHTTPServerUpgradeConfiguration(
                    upgraders: upgraders, notUpgradingCompletionHandler: { channel in Self.serveHTTP(channel) }))
            // The asynchronous channel reads one request after the other, and answers broken ones itself.
            configuration.enablePipelining = false
            configuration.enableErrorHandling = false
            configuration.enableResponseHeaderValidation = false
            configuration.decoderConfiguration.maxHeaderListSize = Self.headBytes
            let outcome = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(configuration: configuration)
            let upgrade = try channel.pipeline.syncOperations.handler(type: NIOTypedHTTPServerUpgradeHandler<Outcome>.self)
            let watch = try SlowClientHandler.add(to: channel.pipeline)
            try channel.pipeline.syncOperations.addHandler(
                RequestGuard(endpoint: webSockets, watch: watch, answers: answers), position: .before(upgrade))
            try channel.pipeline.syncOperations.addHandler(
                UpgradeGate(endpoint: webSockets, admitted: admitted), position: .before(upgrade))
            return Value(channel: channel, outcome: outcome)
        }
    }

    private static func serveHTTP(_ channel: any Channel) -> EventLoopFuture<Outcome> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            return .http(
                try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)))
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.outcome.get() {
            case .http(let channel): await handleHTTP(asyncChannel: channel, logger: logger)
            case .webSocket(let channel): try await channel.closeFuture.get()
            }
        } catch {
            // The client went away, or spoke no HTTP, before its first request was read.
            logger.debug("a connection ended early: \(error)")
            value.channel.close(promise: nil)
        }
    }
}
