/// Everything that can be configured: the key of the file, the names in the environment, the default, and what it means.
public enum SettingKey: String, CaseIterable, Sendable {
    case dataDir = "data_dir"
    case host
    case port
    case apiPrefix = "api_prefix"
    case frontendURL = "frontend_url"
    case logLevel = "log_level"
    case secretKey = "secret_key"
    case secretKeyPrevious = "secret_key_previous"
    case algorithm
    case keyDir = "key_dir"
    case accessTokenExpireMinutes = "access_token_expire_minutes"
    case refreshTokenExpireDays = "refresh_token_expire_days"
    case bcryptSaltRounds = "bcrypt_salt_rounds"
    case rateLimitEnabled = "rate_limit_enabled"
    case loginRateLimit = "login_rate_limit"
    case loginNetworks = "login_networks"
    case loginNetworkRateLimit = "login_network_rate_limit"
    case registrationRateLimit = "registration_rate_limit"
    case apiRateLimit = "api_rate_limit"
    case eventCreators = "event_creators"
    case journalKeep = "journal_keep"
    case tlsCert = "tls_cert"
    case tlsKey = "tls_key"
    case trustedProxies = "trusted_proxies"
    case monitoringFrom = "monitoring_from"
    case maxConnections = "max_connections"
    case requestTimeoutSeconds = "request_timeout_seconds"
    case webSocketsPerUser = "websockets_per_user"
    case webSocketsPerAddress = "websockets_per_address"
    case docsDir = "docs_dir"
    case mongodbURL = "mongodb_url"
    case dbName = "db_name"
    case rabbitmqURL = "rabbitmq_url"
    case exchangeName = "exchange_name"
    case queueName = "queue_name"
    case secretKeyFile = "secret_key_file"
    case secretKeyCommand = "secret_key_command"
    case passwordFile = "password_file"
    case passwordCommand = "password_command"
    case mongodbPasswordFile = "mongodb_password_file"
    case mongodbPasswordCommand = "mongodb_password_command"
    case rabbitmqPasswordFile = "rabbitmq_password_file"
    case rabbitmqPasswordCommand = "rabbitmq_password_command"
    case profile
    case production

    /// The variables that set it, the first found counting.
    public var environmentNames: [String] {
        switch self {
        case .dataDir, .host, .port, .logLevel, .keyDir, .apiRateLimit, .eventCreators, .journalKeep, .tlsCert, .tlsKey, .trustedProxies,
            .monitoringFrom,
            .maxConnections, .requestTimeoutSeconds, .webSocketsPerUser, .webSocketsPerAddress, .docsDir, .passwordFile, .passwordCommand,
            .profile, .production:
            ["EMS_" + rawValue.uppercased()]
        case .rabbitmqURL: ["RABBITMQ_URL", "BROKER_URL"]
        default: [rawValue.uppercased()]
        }
    }

    /// What is used where nothing is said; `nil` where that is something made or worked out.
    public var defaultValue: String? {
        switch self {
        case .dataDir, .secretKey, .secretKeyPrevious, .keyDir, .frontendURL, .tlsCert, .tlsKey, .trustedProxies, .docsDir, .mongodbURL,
            .rabbitmqURL, .secretKeyFile, .secretKeyCommand, .passwordFile, .passwordCommand, .mongodbPasswordFile, .mongodbPasswordCommand,
            .rabbitmqPasswordFile, .rabbitmqPasswordCommand, .profile, .loginNetworks:
            nil
        case .host: "127.0.0.1"
        case .port: "8000"
        case .apiPrefix: "/api"
        case .logLevel: "info"
        case .algorithm: "HS256"
        case .accessTokenExpireMinutes: "30"
        case .refreshTokenExpireDays: "30"
        case .bcryptSaltRounds: "12"
        case .rateLimitEnabled: "true"
        case .loginRateLimit: "5/minute"
        case .loginNetworkRateLimit: "100/minute"
        case .registrationRateLimit: "60/minute"
        case .apiRateLimit: "1200/minute"
        case .eventCreators: "everyone"
        case .journalKeep: "forever"
        // This machine and the private networks (RFC 1918, RFC 4193).
        case .monitoringFrom: "127.0.0.0/8,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
        case .maxConnections: "20000"
        case .requestTimeoutSeconds: "5"
        case .webSocketsPerUser: "1000"
        case .webSocketsPerAddress: "10000"
        case .dbName: "event_management"
        case .exchangeName: "ems.changes"
        case .queueName: "ems.notifications"
        case .production: "false"
        }
    }

    /// Whether its value must never be shown.
    public var isSecret: Bool { [.secretKey, .secretKeyPrevious, .mongodbURL, .rabbitmqURL].contains(self) }

    public var summary: String {
        switch self {
        case .dataDir: "The directory of the embedded store; $XDG_DATA_HOME/ems where nothing is said."
        case .host: "The address the daemon listens on."
        case .port: "The port the daemon listens on; 0 lets the system choose."
        case .apiPrefix: "The prefix under which every path answers as well."
        case .frontendURL: "The origins whose pages may call the API from a browser, separated by commas."
        case .logLevel: "trace, debug, info, notice, warning, error or critical."
        case .secretKey:
            "Signs the access tokens: at least 32 bytes. The embedded store makes one where nothing is said; with MongoDB it must be set."
        case .secretKeyPrevious: "The key before: tokens it signed are good until they expire."
        case .algorithm: "The algorithm of the access tokens: HS256, or RS256, ES256 or EdDSA with keys in key_dir."
        case .keyDir: "The directory of the private keys of RS256, ES256 and EdDSA; keys in the data directory where nothing is said."
        case .accessTokenExpireMinutes: "How long an access token lives."
        case .refreshTokenExpireDays: "How long a session lives that is refreshed."
        case .bcryptSaltRounds: "The cost of bcrypt: the base-2 logarithm of its rounds, 4 to 20."
        case .rateLimitEnabled: "Whether log-in attempts and requests are limited."
        case .loginRateLimit: "Maximum number of log-in attempts of an address: COUNT/second, minute or hour."
        case .loginNetworks:
            "The networks whose addresses have login_network_rate_limit instead, such as 203.0.113.7 for an office behind one address."
        case .loginNetworkRateLimit: "Maximum number of log-in attempts of an address in login_networks."
        case .registrationRateLimit: "Maximum number of registrations of an address."
        case .apiRateLimit: "How many requests a user has at each daemon, or an address that is not logged in."
        case .eventCreators: "Who may create events: everyone, or organizers (and admins) only."
        case .journalKeep:
            "How long the journal is kept: forever, or a number of days (400d) or weeks (60w). The daemon removes older entries."
        case .tlsCert: "The certificate chain in PEM: HTTPS and HTTP/2 instead of HTTP. SIGHUP reads it anew."
        case .tlsKey: "The certificate's private key in PEM."
        case .trustedProxies:
            "The proxies whose X-Forwarded-For is believed: addresses and networks such as 10.0.0.0/8, separated by commas."
        case .monitoringFrom: "The networks that may read /metrics, and see in /readyz what is wrong."
        case .maxConnections: "Maximum number of connections at once; further clients wait."
        case .requestTimeoutSeconds: "How long a request may take before it is answered with 503."
        case .webSocketsPerUser: "Maximum number of WebSocket connections of a user at each daemon."
        case .webSocketsPerAddress: "Maximum number of WebSocket connections of an address at each daemon."
        case .docsDir: "The directory of Swagger UI and Redoc for /docs and /redoc."
        case .mongodbURL: "The MongoDB that holds the data, instead of the embedded store; rabbitmq_url goes with it."
        case .dbName: "The database's name in MongoDB."
        case .rabbitmqURL: "The RabbitMQ that carries changes, instead of the embedded broker."
        case .exchangeName: "The exchange changes are published to; other installations at the same RabbitMQ have another."
        case .queueName: "The queue changes are consumed from."
        case .secretKeyFile: "The file whose first line is secret_key: readable by its owner only."
        case .secretKeyCommand: "The command that prints secret_key, such as pass show ems/key."
        case .passwordFile: "The file whose first line is the password of the users that mongodb_url and rabbitmq_url name without one."
        case .passwordCommand: "The command that prints this password."
        case .mongodbPasswordFile: "As password_file, for mongodb_url only."
        case .mongodbPasswordCommand: "As password_command, for mongodb_url only."
        case .rabbitmqPasswordFile: "As password_file, for rabbitmq_url only."
        case .rabbitmqPasswordCommand: "As password_command, for rabbitmq_url only."
        case .profile: "The profile that is used where neither --profile nor EMS_PROFILE says otherwise; ems config use writes it."
        case .production: "Whether destructive commands ask for the profile's name on a terminal."
        }
    }
}
