import CRabbitMQ
import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where a RabbitMQ is and how to log in: `amqp://user:password@host:5672/vhost`, with the parameters of rabbitmq.com/docs/uri-query-parameters
/// that apply here: `cacertfile`, `certfile`, `keyfile`, `verify`, `heartbeat`, `connection_timeout`.
struct AMQPURL: Sendable {
    let host: String
    let port: Int
    let user: String
    let password: String
    let virtualHost: String
    let usesTLS: Bool
    /// The certificates a server's must be signed by; `nil` for the system's own.
    var authorityFile: String?
    var certificateFile: String?
    var keyFile: String?
    /// `verify=verify_none`: any certificate will do.
    var verifiesPeer = true
    /// In seconds: how long the connection may be silent before it counts as dead.
    var heartbeat: Int32 = 10
    /// In milliseconds: for connecting and logging in.
    var connectionTimeout: Int = 5000

    /// The server without user and password.
    var server: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// - Throws: ``EMSError`` that does not show the URL: it may hold a password.
    init(_ text: String) throws {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var info = amqp_connection_info()
        guard let address = parts.first, let buffer = strdup(String(address)) else { throw Self.malformed("it is empty") }
        defer { free(buffer) }
        guard amqp_parse_url(buffer, &info) == AMQP_STATUS_OK.rawValue else { throw Self.malformed("it cannot be read") }
        host = String(cString: info.host)
        port = Int(info.port)
        user = String(cString: info.user)
        password = String(cString: info.password)
        // No virtual host has an empty name: who ends the URL with a slash means the usual one.
        let path = String(cString: info.vhost)
        virtualHost = path.isEmpty ? "/" : path
        usesTLS = info.ssl != 0
        if parts.count > 1 {
            for pair in parts[1].split(separator: "&") { try setParameter(pair) }
        }
    }

    private mutating func setParameter(_ pair: Substring) throws {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let (name, value) = (parts[0], parts.count > 1 ? parts[1] : "")
        switch name {
        case "cacertfile": authorityFile = value
        case "certfile": certificateFile = value
        case "keyfile": keyFile = value
        case "verify":
            guard ["verify_peer", "verify_none"].contains(value) else { throw Self.malformed("verify is verify_peer or verify_none") }
            verifiesPeer = value == "verify_peer"
        case "heartbeat":
            guard let seconds = Int32(value), (1...3600).contains(seconds) else { throw Self.malformed("heartbeat is 1 to 3600 seconds") }
            heartbeat = seconds
        case "connection_timeout":
            guard let milliseconds = Int(value), (1...600_000).contains(milliseconds) else {
                throw Self.malformed("connection_timeout is 1 to 600000 milliseconds")
            }
            connectionTimeout = milliseconds
        default: throw Self.malformed("it has the unknown parameter \(Printable.quoted(name))")
        }
    }

    private static func malformed(_ reason: String) -> EMSError {
        EMSError(
            .configuration, "rabbitmq_url is no URL of RabbitMQ: \(reason)",
            fix: "it looks like amqp://user:password@host:5672/vhost; special characters are percent-encoded")
    }
}
