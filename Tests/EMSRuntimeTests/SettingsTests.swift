import EMSCore
import Foundation
import Testing

@testable import EMSRuntime

@Suite("Settings")
struct SettingsTests {
    static let secret = "q7Zk2MvX9pLw4RtY8sBn6JhF3dGc1QaE"

    /// Runs the body with a configuration file of this content.
    private func withFile<Result>(_ yaml: String, _ body: (String) throws -> Result) throws -> Result {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("ems-settings-\(UUID().uuidString).yaml")
        try Data(yaml.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url.path)
    }

    private func settings(
        flags: [SettingKey: String] = [:], environment: [String: String] = [:], profile: String? = nil, yaml: String = "{}"
    ) throws -> Settings {
        try withFile(yaml) { path in
            let environment = environment.merging(["HOME": "/home/nobody"]) { given, _ in given }
            let sources = try SettingSources(flags: flags, file: path, profile: profile, environment: environment)
            return try Settings(sources, environment: environment)
        }
    }

    private func refusal(
        flags: [SettingKey: String] = [:], environment: [String: String] = [:], profile: String? = nil, yaml: String = "{}"
    ) throws -> EMSError {
        try #require(throws: EMSError.self) {
            _ = try settings(flags: flags, environment: environment, profile: profile, yaml: yaml)
        }
    }

    // MARK: Sources

    static let layered = """
        port: 4000
        profiles:
          staging:
            port: 3000
        """

    @Test("A flag counts before the profile that was asked for, this before the environment, this before the file, this before the default")
    func precedence() throws {
        let environment = ["EMS_PORT": "2000"]
        #expect(try settings(flags: [.port: "1000"], environment: environment, profile: "staging", yaml: Self.layered).port == 1000)
        #expect(try settings(environment: environment, profile: "staging", yaml: Self.layered).port == 3000)
        #expect(try settings(environment: environment, yaml: Self.layered).port == 2000)
        #expect(try settings(profile: "staging", yaml: Self.layered).port == 3000)
        #expect(try settings(yaml: Self.layered).port == 4000)
        #expect(try settings().port == 8000)
    }

    @Test("Every value is found with who said it")
    func provenance() throws {
        try withFile(Self.layered) { path in
            func source(_ flags: [SettingKey: String], _ environment: [String: String], _ profile: String?) throws -> String? {
                try SettingSources(flags: flags, file: path, profile: profile, environment: environment).find(.port)?.source
            }
            #expect(try source([.port: "1"], ["EMS_PORT": "2"], "staging") == "--port")
            #expect(try source([:], ["EMS_PORT": "2"], "staging") == "\(path), profile staging")
            #expect(try source([:], ["EMS_PORT": "2"], nil) == "EMS_PORT")
            #expect(try source([:], [:], "staging") == "\(path), profile staging")
            #expect(try source([:], [:], nil) == path)
            let sources = try SettingSources(file: path, environment: [:])
            #expect(try sources.find(.host) == SettingSources.Found(value: "127.0.0.1", source: "default", level: .default))
            #expect(try sources.find(.secretKey) == nil)
        }
    }

    @Test("The store that was chosen most explicitly is used: a flag, then the profile that was asked for, then the environment")
    func targets() throws {
        let servers = ["MONGODB_URL": "mongodb://db/", "RABBITMQ_URL": "amqp://mq/", "SECRET_KEY": String(repeating: "k", count: 32)]
        let yaml = """
            data_dir: /srv/main
            profiles:
              local:
                data_dir: /srv/local
              far:
                mongodb_url: mongodb://far/
                rabbitmq_url: amqp://far/
              quiet:
                log_level: error
            """
        try withFile(yaml) { path in
            func store(_ flags: [SettingKey: String], _ profile: String?, _ environment: [String: String]) throws -> (String, Bool) {
                let settings = try Settings(
                    SettingSources(flags: flags, file: path, profile: profile, environment: environment), environment: environment)
                return (settings.storeName, settings.broker == .embedded)
            }
            func expect(_ found: (String, Bool), _ wanted: (String, Bool)) { #expect(found == wanted) }
            expect(try store([.dataDir: "/x"], nil, servers), ("/x/ems.db", true))
            expect(try store([.dataDir: "/x"], "far", servers), ("/x/ems.db", true))
            expect(try store([:], "local", servers), ("/srv/local/ems.db", true))
            expect(try store([:], nil, servers.merging(["EMS_PROFILE": "local"]) { $1 }), ("/srv/local/ems.db", true))
            expect(try store([:], "far", servers), ("mongodb://far/event_management", false))
            expect(try store([:], "quiet", servers), ("mongodb://db/event_management", false))
            expect(try store([:], nil, servers), ("mongodb://db/event_management", false))
            expect(try store([:], nil, ["RABBITMQ_URL": "amqp://mq/"]), ("/srv/main/ems.db", false))
            expect(try store([.dataDir: "/x"], nil, ["RABBITMQ_URL": "amqp://mq/"]), ("/x/ems.db", false))
        }
    }

    @Test("A profile says only what differs")
    func profile() throws {
        let yaml = """
            host: 0.0.0.0
            port: 4000
            profiles:
              staging:
                port: 3000
            """
        #expect(try settings(profile: "staging", yaml: yaml).host == "0.0.0.0")
    }

    @Test("EMS_PROFILE chooses a profile, a flag another")
    func profileFromEnvironment() throws {
        let yaml = """
            profiles:
              one: {port: 1}
              two: {port: 2}
            """
        #expect(try settings(environment: ["EMS_PROFILE": "one"], yaml: yaml).port == 1)
        #expect(try settings(environment: ["EMS_PROFILE": "one"], profile: "two", yaml: yaml).port == 2)
    }

    @Test("A profile that the file does not have is refused, with those it has")
    func unknownProfile() throws {
        let error = try refusal(profile: "production", yaml: Self.layered)
        #expect(error.code == .configuration)
        #expect(error.message.contains("production"))
        #expect(error.fix?.contains("staging") == true)
    }

    @Test("An empty variable counts as absent", arguments: ["EMS_PORT", "SECRET_KEY", "MONGODB_URL", "EMS_PROFILE", "EMS_CONFIG"])
    func emptyVariables(name: String) throws {
        #expect(try settings(environment: [name: ""]).port == 8000)
    }

    @Test("EMS_CONFIG names the file, a flag another")
    func fileFromEnvironment() throws {
        try withFile("port: 1") { first in
            try withFile("port: 2") { second in
                let fromEnvironment = try SettingSources(environment: ["EMS_CONFIG": first])
                #expect(fromEnvironment.file == first)
                let fromFlag = try SettingSources(file: second, environment: ["EMS_CONFIG": first]).find(.port)
                #expect(fromFlag?.value == "2")
            }
        }
    }

    @Test("The file under XDG_CONFIG_HOME is found")
    func usualPlace() throws {
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("ems-home-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: home) }
        let folder = home.appendingPathComponent("ems")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("port: 4711".utf8).write(to: folder.appendingPathComponent("config.yaml"))
        let sources = try SettingSources(environment: ["XDG_CONFIG_HOME": home.path])
        #expect(try sources.find(.port)?.value == "4711")
    }

    @Test("A file that was named must be there")
    func missingFile() throws {
        let error = try #require(throws: EMSError.self) { _ = try SettingSources(file: "/nowhere/ems.yaml", environment: [:]) }
        #expect(error.code == .configuration)
        #expect(error.message.contains("/nowhere/ems.yaml"))
    }

    @Test("An empty file says nothing", arguments: ["", "\n", "# only a comment\n", "{}"])
    func emptyFile(yaml: String) throws {
        #expect(try settings(yaml: yaml).port == 8000)
    }

    // MARK: Keys

    @Test("A key that means nothing is refused, with what was meant", arguments: [("prot: 80", "port"), ("secret_kye: x", "secret_key")])
    func unknownKey(yaml: String, meant: String) throws {
        let error = try refusal(yaml: yaml)
        #expect(error.code == .configuration)
        #expect(error.fix?.contains(meant) == true)
    }

    @Test("A key that means nothing is refused in a profile too, though it is not the chosen one")
    func unknownKeyInProfile() throws {
        let yaml = """
            profiles:
              staging:
                prot: 80
            """
        let error = try refusal(yaml: yaml)
        #expect(error.message.contains("profiles.staging.prot"))
    }

    @Test("What is not YAML, or no map, is refused", arguments: ["- a\n- b", "text", "port: [", "a: b: c", "\tport: 1"])
    func malformedFile(yaml: String) throws {
        #expect(try refusal(yaml: yaml).code == .configuration)
    }

    @Test("A list or a map where one value belongs is refused", arguments: ["port: [1, 2]", "port: {number: 80}"])
    func wrongShape(yaml: String) throws {
        let error = try refusal(yaml: yaml)
        #expect(error.code == .configuration)
        #expect(error.message.contains("port"))
    }

    @Test("The environment keeps the known names")
    func environmentNames() {
        let names = Set(SettingKey.allCases.flatMap(\.environmentNames))
        let known: Set<String> = [
            "MONGODB_URL", "DB_NAME", "SECRET_KEY", "ALGORITHM", "ACCESS_TOKEN_EXPIRE_MINUTES", "RABBITMQ_URL", "BROKER_URL",
            "EXCHANGE_NAME", "QUEUE_NAME", "BCRYPT_SALT_ROUNDS", "RATE_LIMIT_ENABLED", "LOGIN_RATE_LIMIT", "API_PREFIX", "FRONTEND_URL",
        ]
        #expect(known.isSubset(of: names))
    }

    // MARK: Values

    @Test("Without a word everything has its default")
    func defaults() throws {
        let settings = try settings()
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8000)
        #expect(settings.apiPrefix == "/api")
        #expect(settings.logLevel.rawValue == "info")
        #expect(settings.secretKey == nil)
        #expect(settings.bcryptCost == 12)
        #expect(settings.authentication.accessTokenSeconds == 1800)
        #expect(settings.authentication.refreshTokenSeconds == 30 * 86_400)
        #expect(settings.authentication.limits?.login.limit == 5)
        #expect(settings.authentication.limits?.login.windowSeconds == 60)
        #expect(settings.dataDirectory == "/home/nobody/.local/share/ems")
        #expect(settings.databasePath == "/home/nobody/.local/share/ems/ems.db")
    }

    @Test(
        "The data lies under XDG_DATA_HOME, if that is an absolute path",
        arguments: [("/data", "/data/ems"), ("data", "/home/nobody/.local/share/ems")])
    func dataDirectory(variable: String, directory: String) throws {
        #expect(try settings(environment: ["XDG_DATA_HOME": variable]).dataDirectory == directory)
    }

    @Test(
        "A wrong value is refused with the setting, who set it, and what it must be",
        arguments: [
            (.port, "EMS_PORT", "http", "65535"), (.port, "EMS_PORT", "65536", "65535"), (.port, "EMS_PORT", "-1", "65535"),
            (.logLevel, "EMS_LOG_LEVEL", "loud", "warning"), (.algorithm, "ALGORITHM", "none", "HS256"),
            (.algorithm, "ALGORITHM", "RS512", "HS256"), (.maxConnections, "EMS_MAX_CONNECTIONS", "0", "from 1"),
            (.trustedProxies, "EMS_TRUSTED_PROXIES", "10.0.0.0/33", "networks"), (.frontendURL, "FRONTEND_URL", "*", "origins"),
            (.eventCreators, "EMS_EVENT_CREATORS", "nobody", "organizers"), (.apiRateLimit, "EMS_API_RATE_LIMIT", "lots", "1200/minute"),
            (.bcryptSaltRounds, "BCRYPT_SALT_ROUNDS", "3", "4"),
            (.bcryptSaltRounds, "BCRYPT_SALT_ROUNDS", "21", "20"), (.rateLimitEnabled, "RATE_LIMIT_ENABLED", "perhaps", "true or false"),
            (.loginRateLimit, "LOGIN_RATE_LIMIT", "often", "5/minute"),
            (.accessTokenExpireMinutes, "ACCESS_TOKEN_EXPIRE_MINUTES", "0", "from 1"), (.apiPrefix, "API_PREFIX", "api", "/api"),
        ] as [(SettingKey, String, String, String)])
    func wrongValue(key: SettingKey, variable: String, value: String, wanted: String) throws {
        let error = try refusal(environment: [variable: value])
        #expect(error.code == .configuration)
        for part in [key.rawValue, variable, "'\(value)'", wanted] {
            #expect(error.message.contains(part))
        }
    }

    @Test("A wrong value of a flag is wrong usage")
    func wrongFlag() throws {
        let error = try refusal(flags: [.port: "http"])
        #expect(error.code == .usage)
        #expect(error.message.contains("--port"))
    }

    @Test("A wrong value of the file is told with the file and the profile")
    func wrongValueInFile() throws {
        let error = try refusal(profile: "staging", yaml: "profiles: {staging: {port: http}}")
        #expect(error.message.contains(".yaml, profile staging"))
    }

    @Test(
        "A prefix begins with a slash and does not end with one",
        arguments: [("/api", "/api"), ("/api/", "/api"), ("/a/b", "/a/b"), ("/", "")])
    func apiPrefix(value: String, prefix: String) throws {
        #expect(try settings(flags: [.apiPrefix: value]).apiPrefix == prefix)
    }

    @Test("A prefix that is no path is refused", arguments: ["api", "//", "/api//", "/a//b", "/a b", "/a?b", "/a#b", "/:a", "/{a}", "/**"])
    func badPrefix(value: String) throws {
        #expect(try refusal(environment: ["API_PREFIX": value]).code == .configuration)
    }

    @Test(
        "A rate is a count and a window",
        arguments: [("5/minute", 5, 60), ("1/second", 1, 1), ("100000/hour", 100_000, 3600)] as [(String, Int, Int64)])
    func rates(text: String, limit: Int, window: Int64) throws {
        let rate = try #require(Settings.rate(text))
        #expect(rate.limit == limit)
        #expect(rate.windowSeconds == window)
    }

    @Test(
        "Anything else is no rate",
        arguments: [
            "", "5", "/", "5/", "/minute", "0/minute", "-1/minute", "5/day", "5/minute/", "five/minute", "100001/hour", "5 / minute",
            "5/minute ",
        ])
    func badRates(text: String) {
        #expect(Settings.rate(text) == nil)
    }

    @Test("The limit of log-ins can be switched off", arguments: ["false", "FALSE", "0", "no", "off"])
    func noRateLimit(value: String) throws {
        #expect(try settings(environment: ["RATE_LIMIT_ENABLED": value]).authentication.limits == nil)
    }

    // MARK: Secrets

    @Test("A secret key of 32 bytes is taken as it is")
    func secretKey() throws {
        #expect(try settings(environment: ["SECRET_KEY": Self.secret]).secretKey == Self.secret)
    }

    @Test("A secret key that is too short is refused, and not told")
    func shortSecret() throws {
        let short = String(Self.secret.prefix(31))
        let error = try refusal(environment: ["SECRET_KEY": short])
        #expect(error.code == .configuration)
        #expect(error.message.contains("SECRET_KEY"))
        #expect(error.message.contains("32"))
        #expect(!error.description.contains(short))
    }

    @Test(
        "A file that is not valid YAML is refused without showing the secrets in it",
        arguments: ["secret_key: @\(secret)", "secret_key: \"\(secret)\nport: 80\n", "secret_key: key: \(secret)"])
    func secretInBrokenFile(yaml: String) throws {
        let error = try refusal(yaml: yaml)
        #expect(error.code == .configuration)
        #expect(!error.description.contains(Self.secret))
    }

    // MARK: Servers

    private static let servers = [
        "MONGODB_URL": "mongodb://ems:hunter2@db.example.com/?replicaSet=rs0", "RABBITMQ_URL": "amqp://ems:hunter2@mq.example.com/",
    ]

    @Test("Without servers, store and broker are embedded")
    func embedded() throws {
        let settings = try settings()
        #expect(settings.store == .embedded)
        #expect(settings.broker == .embedded)
    }

    @Test("MongoDB and RabbitMQ are used where they are named, with the usual names in them")
    func distributed() throws {
        let settings = try settings(environment: Self.servers)
        #expect(settings.store == .mongodb(url: Self.servers["MONGODB_URL"] ?? "", database: nil))
        #expect(
            settings.broker
                == .rabbitmq(url: Self.servers["RABBITMQ_URL"] ?? "", exchange: "ems.changes", queue: "ems.notifications"))
        let named = try self.settings(
            environment: ["BROKER_URL": "amqps://mq", "DB_NAME": "other", "EXCHANGE_NAME": "x", "QUEUE_NAME": "q"])
        #expect(named.store == .embedded)
        #expect(named.broker == .rabbitmq(url: "amqps://mq", exchange: "x", queue: "q"))
    }

    @Test("MongoDB without RabbitMQ is refused: nothing would carry the changes")
    func withoutBroker() throws {
        let error = try refusal(environment: ["MONGODB_URL": "mongodb://db.example.com"])
        #expect(error.code == .configuration)
        #expect(error.description.contains("RABBITMQ_URL"))
    }

    @Test("With MongoDB the signing key must be set: there is no default")
    func keyWithMongoDB() throws {
        let settings = try settings(environment: Self.servers)
        #expect { try settings.tokenKeys() } throws: { ($0 as? EMSError)?.code == .configuration }
        let keys = try self.settings(environment: Self.servers.merging(["SECRET_KEY": Self.secret]) { $1 }).tokenKeys()
        #expect(keys.map(\.id) == [try TokenKey(secret: Self.secret).id])
    }

    @Test(
        "The URL of something else is refused, and not told: it may hold a password",
        arguments: [
            ("MONGODB_URL", "postgres://ems:hunter2@db.example.com"), ("RABBITMQ_URL", "http://ems:hunter2@mq.example.com"),
            ("BROKER_URL", "redis://ems:hunter2@mq.example.com"),
        ])
    func otherURL(variable: String, value: String) throws {
        let error = try refusal(environment: [variable: value])
        #expect(error.code == .configuration)
        #expect(error.message.contains(variable))
        #expect(!error.description.contains("hunter2"))
        #expect(!error.description.contains("example.com"))
    }

    @Test(
        "A name that RabbitMQ keeps for itself, or none at all, is refused", arguments: ["amq.queue", String(repeating: "q", count: 251)])
    func badQueueName(name: String) throws {
        #expect(try refusal(environment: ["QUEUE_NAME": name]).code == .configuration)
    }
}
