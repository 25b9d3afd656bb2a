import EMSCore
import Logging

/// The configuration, read and checked.
public struct Settings: Sendable {
    public let dataDirectory: String
    public let host: String
    public let port: Int
    /// Begins with a slash and does not end with one; empty for none.
    public let apiPrefix: String
    public let logLevel: Logger.Level
    public let secretKey: String?
    public let secretKeyPrevious: String?
    public let algorithm: TokenAlgorithm
    /// Where the private keys of the asymmetric algorithms lie; `nil` where nobody said, which several machines must.
    public let keyDirectory: String?
    public let bcryptCost: Int
    /// How many requests a client may make; `nil` switches the limit off.
    public let requestLimit: (limit: Int, windowSeconds: Int64)?
    public let permissions: Permissions
    /// How long the journal is kept; `nil` for ever.
    public let journalKeepSeconds: Int64?
    public let server: ServerSettings
    public let authentication: AuthenticationService.Policy
    public let store: StoreSettings
    public let broker: BrokerSettings
    /// The profile in use; `nil` for none.
    public let profile: String?
    /// Whether what cannot be undone must be confirmed by the profile's name.
    public let isProduction: Bool

    /// How the daemon is reached, and by whom.
    public struct ServerSettings: Sendable {
        /// The files of certificate chain and key, both in PEM; `nil` for plain HTTP.
        public let certificate: (chain: String, key: String)?
        /// The origins whose pages may call us, in lower case.
        public let origins: Set<String>
        public let proxies: TrustedProxies
        public let monitoringFrom: [NetworkRange]
        public let connectionLimit: Int
        public let requestTimeoutSeconds: Int
        public let webSocketsPerUser: Int
        public let webSocketsPerAddress: Int
        public let documentationDirectory: String?
    }

    /// Where the data is kept.
    public enum StoreSettings: Sendable, Equatable {
        /// In the file of the data directory.
        case embedded
        /// - Parameter database: the one that db_name says; `nil` for the one of the URL, or the default.
        case mongodb(url: String, database: String?)
    }

    /// What carries the changes.
    public enum BrokerSettings: Sendable, Equatable {
        /// The store's own file.
        case embedded
        case rabbitmq(url: String, exchange: String, queue: String)
    }

    /// The embedded store's file.
    public var databasePath: String { dataDirectory + "/ems.db" }
    public var secretKeyPath: String { dataDirectory + "/secret.key" }

    /// The store, for people: a file, or a URL without user and password.
    public var storeName: String {
        switch store {
        case .embedded: databasePath
        case .mongodb(let url, let database):
            SettingSources.withoutSecrets(url, database: database ?? SettingKey.dbName.defaultValue ?? "")
        }
    }

    /// The store with the profile that chose it: what messages name, so that nobody acts on another than meant.
    public var targetName: String { profile.map { "\(storeName) (profile \($0))" } ?? storeName }

    /// - Throws: ``EMSError`` that names the setting, who set it, and what it must be.
    public init(_ sources: SettingSources, environment: [String: String]) throws {
        let reader = Reader(sources: sources)
        profile = sources.profile
        isProduction = try reader.value(.production, "true or false") { Self.boolean($0) }
        let isFileChosen = try Self.isFileChosen(sources)
        store = isFileChosen ? .embedded : try Self.store(reader)
        broker = try Self.broker(reader, store, isFileChosen: isFileChosen)
        if let directory = try reader.text(.dataDir) {
            dataDirectory = directory
        } else if let place = SystemPlaces.directory("XDG_DATA_HOME", ".local/share", in: environment) {
            dataDirectory = place + "/ems"
        } else {
            throw EMSError(
                .configuration, "the data directory is not known: HOME is not set, and the user has no home directory",
                fix: "set HOME, or name a directory with --data-dir (EMS_DATA_DIR)")
        }
        host = try reader.required(.host)
        port = try reader.integer(.port, in: 0...65_535)
        apiPrefix = try reader.value(.apiPrefix, "a path such as /api, or / for none") { text in
            let path = text.hasSuffix("/") ? String(text.dropLast()) : text
            let isPath = path.isEmpty || path.hasPrefix("/")
            return isPath && !path.hasSuffix("/") && !path.contains("//")
                && !path.contains(where: { $0.isWhitespace || "?#:{}*".contains($0) }) ? path : nil
        }
        logLevel = try reader.value(.logLevel, "one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))") {
            Logger.Level(rawValue: $0.lowercased())
        }
        secretKey = try reader.secret(.secretKey) ?? Self.secretKey(reader)
        secretKeyPrevious = try reader.secret(.secretKeyPrevious)
        algorithm = try reader.word(.algorithm)
        keyDirectory = try reader.text(.keyDir) ?? (store == .embedded ? dataDirectory + "/keys" : nil)
        bcryptCost = try reader.integer(.bcryptSaltRounds, in: PasswordHasher.costRange)
        let isLimited = try reader.value(.rateLimitEnabled, "true or false") { Self.boolean($0) }
        func rate(_ key: SettingKey, _ example: String) throws -> (limit: Int, windowSeconds: Int64) {
            try reader.value(key, "a rate such as \(example)") { Self.rate($0) }
        }
        let limits = AuthenticationService.Limits(
            login: try rate(.loginRateLimit, "5/minute"), networkLogin: try rate(.loginNetworkRateLimit, "100/minute"),
            networks: try reader.list(.loginNetworks, "addresses or networks such as 203.0.113.0/24") { NetworkRange($0) },
            registration: try rate(.registrationRateLimit, "60/minute"))
        authentication = AuthenticationService.Policy(
            accessTokenSeconds: Int64(try reader.integer(.accessTokenExpireMinutes, in: 1...525_600)) * 60,
            refreshTokenSeconds: Int64(try reader.integer(.refreshTokenExpireDays, in: 1...3650)) * 86_400,
            limits: isLimited ? limits : nil)
        let requests = try rate(.apiRateLimit, "1200/minute")
        requestLimit = isLimited ? requests : nil
        permissions = Permissions(eventCreators: try reader.word(.eventCreators))
        journalKeepSeconds = try reader.value(.journalKeep, "forever, or a number of days or weeks such as 400d") { text in
            if text == "forever" { return .some(nil) }
            guard let seconds = TimeSpan.seconds(text), seconds >= 86_400 else { return nil }
            return .some(seconds)
        }
        server = try Self.server(reader)
    }

    private static func server(_ reader: Reader) throws -> ServerSettings {
        let (chain, key) = (try reader.text(.tlsCert), try reader.text(.tlsKey))
        guard (chain == nil) == (key == nil) else {
            throw EMSError(.configuration, "tls_cert and tls_key go together", fix: "set both, or neither")
        }
        return ServerSettings(
            certificate: chain.flatMap { chain in key.map { (chain, $0) } },
            origins: Set(try reader.list(.frontendURL, "origins such as https://www.example.com", Self.origin)),
            proxies: TrustedProxies(try reader.list(.trustedProxies, "addresses or networks such as 10.0.0.0/8") { NetworkRange($0) }),
            monitoringFrom: try reader.list(.monitoringFrom, "addresses or networks such as 10.0.0.0/8") { NetworkRange($0) },
            connectionLimit: try reader.integer(.maxConnections, in: 1...1_000_000),
            requestTimeoutSeconds: try reader.integer(.requestTimeoutSeconds, in: 1...300),
            webSocketsPerUser: try reader.integer(.webSocketsPerUser, in: 1...1_000_000),
            webSocketsPerAddress: try reader.integer(.webSocketsPerAddress, in: 1...1_000_000),
            documentationDirectory: try reader.text(.docsDir))
    }

    /// The origin of a URL (RFC 6454): scheme, host and port, as browsers send it.
    private static func origin(_ text: String) -> String? {
        let parts = text.lowercased().split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, ["http:", "https:"].contains(parts[0]), parts[1].isEmpty, !parts[2].isEmpty,
            !parts[2].contains(where: { $0.isWhitespace || "?#@*".contains($0) })
        else { return nil }
        return "\(parts[0])//\(parts[2])"
    }

    /// From a file or a command, where it does not stand in the configuration.
    private static func secretKey(_ reader: Reader) throws -> String? {
        guard let secret = try reader.secret(file: .secretKeyFile, command: .secretKeyCommand) else { return nil }
        guard secret.utf8.count >= TokenKey.minimumSecretBytes else {
            throw EMSError(
                .configuration, "the secret key must have at least \(TokenKey.minimumSecretBytes) bytes",
                fix: "make one: openssl rand -hex 32")
        }
        return secret
    }

    /// Whether the embedded store was chosen more explicitly than a server: `--data-dir` wins over a `MONGODB_URL` of the environment, and
    /// so does the data directory of a profile that was asked for.
    private static func isFileChosen(_ sources: SettingSources) throws -> Bool {
        guard let directory = try sources.find(.dataDir), let url = try sources.find(.mongodbURL) else { return false }
        return directory.level < url.level
    }

    private static func store(_ reader: Reader) throws -> StoreSettings {
        var url = try reader.value(ifSet: .mongodbURL, "a URL such as mongodb://host:27017/?replicaSet=rs0") {
            $0.hasPrefix("mongodb://") || $0.hasPrefix("mongodb+srv://") ? $0 : nil
        }
        url = try url.map { url in
            try SecretSource.url(url) { try reader.password(file: .mongodbPasswordFile, command: .mongodbPasswordCommand) }
        }
        let name = try reader.required(.dbName)
        let isExplicit = try reader.sources.find(.dbName)?.level != .default
        return url.map { .mongodb(url: $0, database: isExplicit ? name : nil) } ?? .embedded
    }

    /// - Parameter isFileChosen: whether a server's store was set aside: then so is the broker that goes with it, unless it was chosen as
    ///   explicitly as the file.
    private static func broker(_ reader: Reader, _ store: StoreSettings, isFileChosen: Bool) throws -> BrokerSettings {
        if isFileChosen, let directory = try reader.sources.find(.dataDir), let url = try reader.sources.find(.rabbitmqURL),
            directory.level < url.level
        {
            return .embedded
        }
        var url = try reader.value(ifSet: .rabbitmqURL, "a URL such as amqp://user:password@host:5672/") {
            $0.hasPrefix("amqp://") || $0.hasPrefix("amqps://") ? $0 : nil
        }
        let exchange = try reader.value(.exchangeName, "a name of 1 to 255 bytes", Self.brokerName)
        let queue = try reader.value(.queueName, "a name of 1 to 250 bytes that does not begin with amq.") {
            $0.utf8.count <= 250 && !$0.hasPrefix("amq.") ? Self.brokerName($0) : nil
        }
        url = try url.map { url in
            try SecretSource.url(url) { try reader.password(file: .rabbitmqPasswordFile, command: .rabbitmqPasswordCommand) }
        }
        if let url { return .rabbitmq(url: url, exchange: exchange, queue: queue) }
        guard store == .embedded else {
            throw EMSError(
                .configuration, "mongodb_url is set and rabbitmq_url is not: the embedded broker lives in the embedded store",
                fix: "set RABBITMQ_URL as well, such as amqp://user:password@host:5672/")
        }
        return .embedded
    }

    private static func brokerName(_ text: String) -> String? {
        (1...255).contains(text.utf8.count) && !text.unicodeScalars.contains(where: { $0.value < 0x20 }) ? text : nil
    }

    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }

    /// `5/minute` as five in sixty seconds.
    static func rate(_ text: String) -> (limit: Int, windowSeconds: Int64)? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let windows: [String: Int64] = ["second": 1, "minute": 60, "hour": 3600]
        guard parts.count == 2, let limit = Int(parts[0]), (1...100_000).contains(limit), let window = windows[String(parts[1])] else {
            return nil
        }
        return (limit, window)
    }

    private struct Reader {
        let sources: SettingSources

        func text(_ key: SettingKey) throws -> String? {
            try sources.find(key)?.value
        }

        func required(_ key: SettingKey) throws -> String {
            try value(key, "set") { $0.isEmpty ? nil : $0 }
        }

        func word<Word: RawRepresentable<String> & CaseIterable>(_ key: SettingKey) throws -> Word {
            try value(key, "one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))") { Word(rawValue: $0) }
        }

        func secret(_ key: SettingKey) throws -> String? {
            try value(ifSet: key, "at least \(TokenKey.minimumSecretBytes) bytes; make one with: openssl rand -hex 32") {
                $0.utf8.count >= TokenKey.minimumSecretBytes ? $0 : nil
            }
        }

        /// What a file or a command gives; `nil` where neither is named.
        func secret(file: SettingKey, command: SettingKey) throws -> String? {
            if let path = try text(file) { return try SecretSource.file(path, file.rawValue) }
            return try text(command).map { try SecretSource.command($0, command.rawValue) }
        }

        /// The password of a server: its own, or the one of all.
        func password(file: SettingKey, command: SettingKey) throws -> String? {
            try secret(file: file, command: command) ?? secret(file: .passwordFile, command: .passwordCommand)
        }

        /// Elements separated by commas; none where nothing is said.
        func list<Value>(_ key: SettingKey, _ wanted: String, _ convert: (String) -> Value?) throws -> [Value] {
            try value(ifSet: key, wanted) { text in
                let elements = text.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
                let values = elements.compactMap(convert)
                return values.count == elements.count ? values : nil
            } ?? []
        }

        func integer(_ key: SettingKey, in range: ClosedRange<Int>) throws -> Int {
            try value(key, "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
                Int(text).flatMap { range.contains($0) ? $0 : nil }
            }
        }

        func value<Value>(_ key: SettingKey, _ wanted: String, _ convert: (String) -> Value?) throws -> Value {
            guard let value = try value(ifSet: key, wanted, convert) else {
                throw EMSError(.configuration, "\(key.rawValue) must be \(wanted)")
            }
            return value
        }

        func value<Value>(ifSet key: SettingKey, _ wanted: String, _ convert: (String) -> Value?) throws -> Value? {
            guard let found = try sources.find(key) else { return nil }
            guard let value = convert(found.value) else {
                let shown = key.isSecret ? "" : ", not \(Printable.quoted(found.value))"
                throw EMSError(found.isFlag ? .usage : .configuration, "\(key.rawValue) (\(found.source)) must be \(wanted)\(shown)")
            }
            return value
        }
    }
}
