/// Everything that can be configured: the key of the file, the names in the environment, the default, and what it means.
public enum SettingKey: String, CaseIterable, Sendable {
    case dataDir = "data_dir"
    case host
    case port
    case apiPrefix = "api_prefix"
    case frontendURL = "frontend_url"
    case logLevel = "log_level"
    case secretKey = "secret_key"
    case algorithm
    case accessTokenExpireMinutes = "access_token_expire_minutes"
    case refreshTokenExpireDays = "refresh_token_expire_days"
    case bcryptSaltRounds = "bcrypt_salt_rounds"
    case rateLimitEnabled = "rate_limit_enabled"
    case loginRateLimit = "login_rate_limit"
    case mongodbURL = "mongodb_url"
    case dbName = "db_name"
    case rabbitmqURL = "rabbitmq_url"
    case exchangeName = "exchange_name"
    case queueName = "queue_name"

    /// The variables that set it, the first found counting.
    public var environmentNames: [String] {
        switch self {
        case .dataDir, .host, .port, .logLevel: ["EMS_" + rawValue.uppercased()]
        case .rabbitmqURL: ["RABBITMQ_URL", "BROKER_URL"]
        default: [rawValue.uppercased()]
        }
    }

    /// What is used where nothing is said; `nil` where that is something made or worked out.
    public var defaultValue: String? {
        switch self {
        case .dataDir, .secretKey, .frontendURL, .mongodbURL, .rabbitmqURL: nil
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
        case .dbName: "event_management"
        case .exchangeName: "ems.changes"
        case .queueName: "ems.notifications"
        }
    }

    /// Whether its value must never be shown.
    public var isSecret: Bool { [.secretKey, .mongodbURL, .rabbitmqURL].contains(self) }

    public var summary: String {
        switch self {
        case .dataDir: "The directory of the embedded store; $XDG_DATA_HOME/ems where nothing is said."
        case .host: "The address the daemon listens on."
        case .port: "The port the daemon listens on; 0 lets the system choose."
        case .apiPrefix: "The prefix under which every path answers as well."
        case .frontendURL: "The origin of the web front end."
        case .logLevel: "trace, debug, info, notice, warning, error or critical."
        case .secretKey:
            "Signs the access tokens: at least 32 bytes. The embedded store makes one where nothing is said; with MongoDB it must be set."
        case .algorithm: "The algorithm of the access tokens: HS256."
        case .accessTokenExpireMinutes: "How long an access token lives."
        case .refreshTokenExpireDays: "How long a session lives that is refreshed."
        case .bcryptSaltRounds: "The cost of bcrypt: the base-2 logarithm of its rounds, 4 to 20."
        case .rateLimitEnabled: "Whether log-in attempts are limited."
        case .loginRateLimit: "How many log-in attempts an address has: COUNT/second, minute or hour."
        case .mongodbURL: "The MongoDB that holds the data, instead of the embedded store; rabbitmq_url goes with it."
        case .dbName: "The database's name in MongoDB."
        case .rabbitmqURL: "The RabbitMQ that carries changes, instead of the embedded broker."
        case .exchangeName: "The exchange changes are published to; other installations at the same RabbitMQ have another."
        case .queueName: "The queue changes are consumed from."
        }
    }
}
