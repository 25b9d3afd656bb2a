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
            "ems serve --role auth --role events --port 8001"))

    @Option(help: "The address to listen on.")
    var host: String?

    @Option(help: "The port to listen on; 0 lets the system choose.")
    var port: String?

    @Option(
        name: .customLong("role"),
        help: ArgumentHelp("Run only this part: auth, events or notifications. May be given several times.", valueName: "role"))
    var roles: [ServerRole] = []

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        var flags: [SettingKey: String] = [:]
        flags[.host] = host
        flags[.port] = port
        let settings = try global.settings(flags)
        var logger = Logger(label: "ems", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = global.verbose ? .debug : settings.logLevel
        let runtime = try await Runtime(settings: settings, mode: .daemon, logger: logger)
        let roles = roles.isEmpty ? Set(ServerRole.allCases) : Set(roles)
        let parts = ServerRole.allCases.filter(roles.contains).map(\.rawValue).joined(separator: ", ")
        let daemon = Daemon(runtime: runtime, roles: roles) { host, port in
            let address = host.contains(":") ? "[\(host)]" : host
            StandardError.write("ems: serving \(parts) on http://\(address):\(port)")
        }
        try await daemon.run()
        await runtime.close()
    }
}

extension ServerRole: ExpressibleByArgument {}
