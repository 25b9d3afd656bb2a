import ArgumentParser
import EMSCore
import EMSRuntime
import EMSServer
import Logging

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve HTTP and WebSocket clients until SIGTERM or Ctrl-C; a second one ends at once.",
        discussion: examples(
            "ems serve",
            "ems serve --host 0.0.0.0 --port 8080",
            "ems serve --role auth --role events --port 8001",
            "ems serve --tls-cert chain.pem --tls-key key.pem --port 8443",
            "ems serve --openapi > openapi.json"))

    @Option(help: "The address to listen on.")
    var host: String?

    @Option(help: "The port to listen on; 0 lets the system choose.")
    var port: String?

    @Option(
        name: .customLong("role"),
        help: ArgumentHelp("Run only this part: auth, events or notifications. May be given several times.", valueName: "role"))
    var roles: [ServerRole] = []

    @Option(help: "Serve HTTPS and HTTP/2 with this certificate chain in PEM; SIGHUP reads it anew.", completion: .file())
    var tlsCert: String?

    @Option(help: "The certificate's private key in PEM.", completion: .file())
    var tlsKey: String?

    @Flag(name: .customLong("openapi"), help: "Print the OpenAPI document of what would be served, and end.")
    var printsDocument = false

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        var flags: [SettingKey: String] = [:]
        flags[.host] = host
        flags[.port] = port
        flags[.tlsCert] = tlsCert
        flags[.tlsKey] = tlsKey
        let settings = try global.settings(flags)
        let roles = roles.isEmpty ? Set(ServerRole.allCases) : Set(roles)
        if printsDocument {
            return try StandardOutput.write(OpenAPIDocument(roles: roles, prefix: settings.apiPrefix).json(pretty: true) + [0x0A])
        }
        var logger = Logger(label: "ems", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = global.verbose ? .debug : settings.logLevel
        let runtime = try await Runtime(settings: settings, mode: .daemon, logger: logger)
        let parts = ServerRole.allCases.filter(roles.contains).map(\.rawValue).joined(separator: ", ")
        let scheme = settings.server.certificate == nil ? "http" : "https"
        let daemon = Daemon(runtime: runtime, roles: roles) { host, port in
            let address = host.contains(":") ? "[\(host)]" : host
            StandardError.write("ems: serving \(parts) on \(scheme)://\(address):\(port)")
        }
        try await daemon.run()
        await runtime.close()
    }
}

extension ServerRole: ExpressibleByArgument {}
