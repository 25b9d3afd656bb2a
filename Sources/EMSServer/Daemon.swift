import EMSCore
import EMSRuntime
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What `ems serve` runs: the services of its roles, in a stated order.
public struct Daemon: Sendable {
    /// How long requests in flight may take after the first signal.
    public static let shutdownSeconds = 10

    private let runtime: Runtime
    private let roles: Set<ServerRole>
    private let onListening: @Sendable (_ host: String, _ port: Int) -> Void

    /// - Parameters:
    ///   - roles: which parts to run.
    ///   - onListening: called when connections are accepted, with where.
    public init(runtime: Runtime, roles: Set<ServerRole>, onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void) {
        self.runtime = runtime
        self.roles = roles
        self.onListening = onListening
    }

    /// Runs until SIGTERM or SIGINT, then ends what it does; a second signal ends it at once.
    public func run() async throws {
        let authentication = try await runtime.authentication()
        let group = MultiThreadedEventLoopGroup.singleton
        let logger = runtime.logger
        let openFiles = Descriptors.raiseLimit()
        let health = HealthMonitor(runtime: runtime)
        await health.prepare()
        let clients = ClientAddresses(runtime.settings.server.proxies, logger: logger)
        let limiter = runtime.settings.requestLimit.map { RequestLimiter(limit: $0.limit, windowSeconds: $0.windowSeconds) }

        // Started in this order, stopped in the reverse: first no more requests come in, then what they wrote is carried on.
        var services: [any Service] = [Housekeeping(runtime: runtime), health]
        if let relay = runtime.relay, !roles.isDisjoint(with: [.events, .notifications]) { services.append(relay) }
        var endpoint: WebSocketEndpoint?
        if roles.contains(.notifications) {
            services += runtime.consumers + [runtime.expander] as [any Service]
            let hub = try await WebSocketHub(
                notifications: runtime.notifications, authentication: authentication, eventLoopGroup: group, logger: logger)
            services.append(hub)
            endpoint = makeEndpoint(hub, authentication, limiter, clients)
        }
        let certificates = try runtime.settings.server.certificate.map { try CertificateStore(chain: $0.chain, key: $0.key) }
        let routes = RouteServices(
            runtime: runtime, authentication: authentication, problems: ProblemReporter(logger: logger), limiter: limiter,
            metrics: ServerMetrics(), webSockets: endpoint, roles: roles, health: health, clients: clients)
        services.append(makeServer(routes, certificates, group, openFiles: openFiles))
        services.append(Reloading(authentication: authentication, certificates: certificates, logger: logger))

        var configuration = ServiceGroupConfiguration(services: services, logger: Logger(label: "ems.services", factory: Self.quiet))
        configuration.maximumGracefulShutdownDuration = .seconds(Self.shutdownSeconds)
        let serviceGroup = ServiceGroup(configuration: configuration)
        try await endingOnSignals(serviceGroup)
    }

    private func endingOnSignals(_ group: ServiceGroup) async throws {
        // Trapped before anything runs, so that no signal finds the default action.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let watch = Task {
            var isEnding = false
            for await signal in signals {
                if isEnding { _exit(128 + signal.rawValue) }
                isEnding = true
                Self.endAfterGracePeriod()
                runtime.logger.info("\(signal) received: finishing what is under way; once more ends at once")
                await group.triggerGracefulShutdown()
            }
        }
        defer { watch.cancel() }
        do {
            try await group.run()
        } catch {
            throw described(error)
        }
    }

    /// Ends the process when its time is over, whatever the clients, the store or the reader of the log do: a thread of its own waits for
    /// nothing else.
    private static func endAfterGracePeriod() {
        var thread = pthread_t()
        // Without a thread the services end by themselves, as far as they can.
        _ = pthread_create(
            &thread, nil,
            { _ in
                sleep(UInt32(Daemon.shutdownSeconds))
                _exit(0)
            }, nil)
    }

    private func makeEndpoint(
        _ hub: WebSocketHub, _ authentication: AuthenticationService, _ limiter: RequestLimiter?, _ clients: ClientAddresses
    ) -> WebSocketEndpoint {
        let server = runtime.settings.server
        let prefixes = Set(["", runtime.settings.apiPrefix])
        return WebSocketEndpoint(
            authentication: authentication, hub: hub,
            services: .init(
                subscriptions: runtime.subscriptions, notifications: runtime.notifications, authentication: authentication),
            paths: Set(prefixes.flatMap { prefix in WebSocketEndpoint.paths.map { prefix + $0 } }),
            origins: server.origins, logger: runtime.logger, limiter: limiter,
            limits: WebSocketLimits(perUser: server.webSocketsPerUser, perAddress: server.webSocketsPerAddress), clients: clients)
    }

    private func makeServer(
        _ services: RouteServices, _ certificates: CertificateStore?, _ group: any EventLoopGroup, openFiles: Int
    ) -> any Service {
        let settings = runtime.settings
        let logger = runtime.logger
        // Descriptors for the store, the broker and the log are kept free: a connection that cannot be accepted would be tried for ever.
        let connections = max(1, min(settings.server.connectionLimit, openFiles - Descriptors.reserved))
        let groups = RouteGroups.all(for: roles)
        let answers = AnswerCache(services, groups)
        return Application(
            responder: RouteTable(groups, services).makeResponder(),
            server: HTTPServerBuilder { responder in
                let plain = ConnectionChannel(responder: responder, webSockets: services.webSockets, answers: answers)
                guard let certificates else { return plain }
                return SecureChannel(certificates: certificates, http1: plain)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), serverName: nil, backlog: 1024, reuseAddress: true,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    connections, logger: Logger(label: "ems.connections", factory: Self.quiet))),
            onServerRunning: { channel in
                try? await channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoff(logger: logger), position: .first)
                }.get()
                onListening(settings.host, channel.localAddress?.port ?? settings.port)
            },
            eventLoopGroupProvider: .shared(group),
            logger: Logger(label: "ems.http", factory: Self.quiet))
    }

    /// The frameworks' own narration is not for the operator; their errors come back as errors.
    private static func quiet(_ label: String) -> any LogHandler { SwiftLogNoOpLogHandler() }

    private func described(_ error: any Error) -> any Error {
        let place = "\(runtime.settings.host):\(runtime.settings.port)"
        if let error = error as? IOError {
            switch error.errnoCode {
            case EADDRINUSE:
                return EMSError(
                    .addressInUse, "\(place) is in use by another process",
                    fix: "stop it, or choose another with --port (0 lets the system)")
            case EACCES, EPERM:
                return EMSError(.permission, "listening on \(place) is not allowed", fix: "use a port above 1023")
            case EADDRNOTAVAIL:
                return EMSError(.configuration, "this machine has no address \(runtime.settings.host)", fix: "choose another with --host")
            default: break
            }
        }
        if error is SocketAddressError || error is SocketAddressError.UnknownHost || error is NIOConnectionError {
            return EMSError(.configuration, "the host \(runtime.settings.host) is not known", fix: "choose another with --host")
        }
        return error
    }
}

/// What has to be tidied up now and then.
private struct Housekeeping: Service {
    let runtime: Runtime

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await runtime.housekeeping()
                } catch  where Task.isCancelled {
                    return
                } catch {
                    runtime.logger.warning("housekeeping is put off: \(EMSError(error))")
                }
                try? await Task.sleep(for: .seconds(600))
            }
        }
    }
}

/// Reads on SIGHUP what may change while the daemon runs: the certificate and the keys that sign tokens. Keys are looked at now and then
/// as well, so that a new one signs everywhere soon.
private struct Reloading: Service {
    let authentication: AuthenticationService
    let certificates: CertificateStore?
    let logger: Logger

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await _ in signals { await reload() }
                }
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: .seconds(60))
                        if !Task.isCancelled { await reloadKeys() }
                    }
                }
                await group.waitForAll()
            }
        }
    }

    private func reload() async {
        await reloadKeys()
        do {
            try certificates?.reload()
            logger.info("SIGHUP received: keys and certificate are read anew")
        } catch {
            logger.error("the certificate stays as it was: \(EMSError(error))")
        }
    }

    private func reloadKeys() async {
        do {
            try await authentication.reloadKeys()
        } catch {
            logger.error("the signing keys stay as they were: \(EMSError(error))")
        }
    }
}
