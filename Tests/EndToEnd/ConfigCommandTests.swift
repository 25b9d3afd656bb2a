import EMSCore
import Foundation
import Testing

/// `ems config`, and where settings come from.
@Suite(.gated)
struct ConfigCommandTests {
    private static let secret = "this-is-a-secret-key-of-over-32-bytes"
    private static let fields = ["key", "value", "source", "environment", "default", "summary"]
    private static let columns = ["key", "value", "source"]

    @Test("All settings, and one, are shown in every form")
    func forms() async throws {
        let workspace = try Workspace()
        let keys = try await workspace.ems("config", "list", "-o", "json").jsonDocument().strings("key")
        for key in ["data_dir", "host", "port", "secret_key", "algorithm", "bcrypt_salt_rounds", "mongodb_url", "rabbitmq_url"] {
            #expect(keys.contains(key))
        }
        try await OutputForms.expectList(workspace, ["config", "list"], fields: Self.fields, columns: Self.columns, ids: keys)
        try await OutputForms.expectOne(workspace, ["config", "show", "port"], fields: Self.fields, columns: Self.columns, id: "port")
    }

    @Test(
        "The environment keeps the known names",
        arguments: [
            "MONGODB_URL", "DB_NAME", "SECRET_KEY", "ALGORITHM", "ACCESS_TOKEN_EXPIRE_MINUTES", "RABBITMQ_URL", "BROKER_URL",
            "EXCHANGE_NAME",
            "QUEUE_NAME", "BCRYPT_SALT_ROUNDS", "RATE_LIMIT_ENABLED", "LOGIN_RATE_LIMIT", "API_PREFIX", "FRONTEND_URL",
        ])
    func environmentNames(name: String) async throws {
        let workspace = try Workspace()
        let settings = try await workspace.ems("config", "list", "-o", "json", environment: [name: "something"]).jsonDocument()
        let named = settings.arrayItems.filter { $0["source"] == .string(name) }
        #expect(named.count == 1)
        #expect(
            named.first?["value"]
                == .string(["SECRET_KEY", "MONGODB_URL", "RABBITMQ_URL", "BROKER_URL"].contains(name) ? "********" : "something"))
    }

    @Test("Flags go before the profile that is asked for, that before the environment, that before the file, that before the defaults")
    func precedence() async throws {
        let workspace = try Workspace()
        let file = try workspace.file("ems.yaml", "port: 7000\nhost: 0.0.0.0\nprofiles:\n  staging:\n    port: 7001\n")
        #expect(try await Self.shown(workspace, "port") == ["8000", "default"])
        #expect(try await Self.shown(workspace, "port", ["--config", file]) == ["7000", file])
        let staging = try await Self.shown(workspace, "port", ["--config", file, "--profile", "staging"])
        #expect(staging.first == "7001")
        #expect(staging.last?.contains("staging") == true)
        #expect(try await Self.shown(workspace, "host", ["--config", file, "--profile", "staging"]) == ["0.0.0.0", file])
        let profile = try await workspace.ems(
            "config", "show", "port", "--config", file, "--profile", "staging", "-o", "json", environment: ["EMS_PORT": "7002"]
        ).jsonDocument()
        #expect(profile["value"] == .string("7001"))
        let environment = try await workspace.ems(
            "config", "show", "port", "--config", file, "-o", "json", environment: ["EMS_PORT": "7002"]
        ).jsonDocument()
        #expect(environment["value"] == .string("7002"))
        #expect(environment["source"] == .string("EMS_PORT"))
        #expect(try await Self.shown(workspace, "data_dir", ["--data-dir", "elsewhere"]) == ["elsewhere", "--data-dir"])
    }

    @Test("Without --config the file under XDG_CONFIG_HOME is read")
    func usualPlace() async throws {
        let workspace = try Workspace()
        let directory = workspace.directory.appendingPathComponent("xdg/ems")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try Data("port: 7003\n".utf8).write(to: directory.appendingPathComponent("config.yaml"))
        let shown = try await workspace.ems(
            "config", "show", "port", "-o", "json", environment: ["XDG_CONFIG_HOME": workspace.path("xdg")]
        ).jsonDocument()
        #expect(shown["value"] == .string("7003"))
        #expect(shown["source"]?.string?.hasSuffix("xdg/ems/config.yaml") == true)
    }

    @Test("Without a data directory named, the store lies under XDG_DATA_HOME")
    func dataHome() async throws {
        let workspace = try Workspace()
        let result = try await workspace.ems(
            "event", "list", environment: ["EMS_DATA_DIR": "", "XDG_DATA_HOME": workspace.path("share")])
        #expect(result.status == 0)
        #expect(FileManager.default.fileExists(atPath: workspace.path("share/ems/ems.db")))
    }

    @Test("Secrets are never shown, from wherever they come", arguments: ["table", "json", "jsonl", "yaml", "csv", "id"])
    func secretsAreHidden(form: String) async throws {
        let workspace = try Workspace()
        let url = "mongodb://root:hunter2@db.example.com"
        let environment = ["SECRET_KEY": Self.secret, "MONGODB_URL": url, "RABBITMQ_URL": "amqp://root:hunter2@mq.example.com"]
        let file = try workspace.file("ems.yaml", "secret_key: \(Self.secret)\nmongodb_url: \(url)\n")
        for command in [["config", "list"], ["config", "show", "secret_key"], ["config", "show", "mongodb_url"]] {
            let fromEnvironment = try await workspace.runEMS(command + ["-o", form], environment: environment)
            let fromFile = try await workspace.runEMS(command + ["-o", form, "--config", file])
            for result in [fromEnvironment, fromFile] {
                #expect(result.status == 0)
                for secret in [Self.secret, "hunter2"] {
                    #expect(!result.output.contains(secret))
                    #expect(!result.errors.contains(secret))
                }
            }
        }
    }

    @Test("A setting that is not there is 66, with the nearest one named")
    func unknownSetting() async throws {
        let workspace = try Workspace()
        try await workspace.ems("config", "show", "prot").expectFailure(66, saying: "prot", "port")
        try await workspace.ems("config", "show").expectFailure(64)
    }

    @Test("A good configuration is checked in silence")
    func checked() async throws {
        let workspace = try Workspace()
        let file = try workspace.file("ems.yaml", "port: 7000\nlog_level: debug\nprofiles:\n  staging:\n    port: 7001\n")
        for arguments in [[], ["--config", file], ["--config", file, "--profile", "staging"]] {
            let result = try await workspace.runEMS(["config", "check"] + arguments)
            result.expectDone()
            #expect(result.errors.isEmpty)
        }
    }

    @Test(
        "An unknown key in the file is named with what was meant: 78, for every command",
        arguments: [
            ["config", "check"], ["config", "list"], ["event", "list"], ["serve", "--port", "0"], ["token", "keys"],
        ])
    func unknownKey(command: [String]) async throws {
        let workspace = try Workspace()
        let file = try workspace.file("ems.yaml", "prot: 7000\n")
        try await workspace.runEMS(command + ["--config", file]).expectFailure(78, saying: file, "'prot'", "port?")
        let nested = try workspace.file("nested.yaml", "profiles:\n  staging:\n    secretkey: x\n")
        try await workspace.runEMS(command + ["--config", nested]).expectFailure(78, saying: nested, "secretkey", "secret_key?")
    }

    @Test(
        "A wrong value in the environment is 78, and its variable is named",
        arguments: [
            ["EMS_PORT", "x"], ["EMS_PORT", "65536"], ["EMS_LOG_LEVEL", "loud"], ["SECRET_KEY", "short"], ["ALGORITHM", "none"],
            ["ACCESS_TOKEN_EXPIRE_MINUTES", "0"], ["BCRYPT_SALT_ROUNDS", "3"], ["BCRYPT_SALT_ROUNDS", "99"],
            ["RATE_LIMIT_ENABLED", "perhaps"],
            ["LOGIN_RATE_LIMIT", "5"], ["LOGIN_RATE_LIMIT", "5/fortnight"], ["API_PREFIX", "api"],
        ])
    func badValues(setting: [String]) async throws {
        let workspace = try Workspace()
        let result = try await workspace.ems("config", "check", environment: [setting[0]: setting[1]])
        result.expectFailure(78, saying: setting[0])
        #expect(result.errorLines.count == 1)
        if setting[0] == "SECRET_KEY" { #expect(!result.errors.contains("short")) }
        let file = try workspace.file("ems.yaml", "port: x\n")
        try await workspace.ems("config", "check", "--config", file).expectFailure(78, saying: file, "port")
    }

    @Test("A file or profile that is not there, or a file that is no map, is 78")
    func badFiles() async throws {
        let workspace = try Workspace()
        let file = try workspace.file("ems.yaml", "profiles:\n  staging:\n    port: 1\n")
        try await workspace.ems("config", "check", "--config", workspace.path("none.yaml")).expectFailure(78, saying: "none.yaml")
        try await workspace.ems("config", "check", "--config", file, "--profile", "stagin").expectFailure(78, saying: "stagin", "staging")
        try await workspace.ems("config", "check", "--profile", "staging").expectFailure(78, saying: "staging")
        for text in ["- a\n", "just words\n", "port: [1]\n", "port: {a: 1}\n", "profiles: 1\n", "profiles:\n  a: 1\n", "port: 'open\n"] {
            try await workspace.ems("config", "check", "--config", try workspace.file("bad.yaml", text)).expectFailure(
                78, saying: "bad.yaml")
        }
    }

    @Test("A file that cannot be read does not give away the key in it")
    func brokenFileHidesKey() async throws {
        let workspace = try Workspace()
        for text in [
            "secret_key: \"\(Self.secret)\n", "secret_key: [\(Self.secret)\n", "secret_key: [\(Self.secret)]\n", "a: b: \(Self.secret)\n",
        ] {
            let result = try await workspace.ems("config", "check", "--config", try workspace.file("bad.yaml", text))
            result.expectFailure(78)
            #expect(!result.errors.contains(Self.secret), "\(text)")
        }
    }

    @Test(
        "The URL of something else than MongoDB or RabbitMQ is refused with 78, and not shown",
        arguments: ["MONGODB_URL", "RABBITMQ_URL", "BROKER_URL"])
    func otherURL(name: String) async throws {
        let workspace = try Workspace()
        for command in [["config", "check"], ["event", "list"]] {
            let result = try await workspace.runEMS(command, environment: [name: "x://root:hunter2@example.com"])
            result.expectFailure(78, saying: name)
            #expect(!result.errors.contains("hunter2"))
        }
    }

    /// Value and source of a setting.
    private static func shown(_ workspace: Workspace, _ key: String, _ arguments: [String] = []) async throws -> [String] {
        let setting = try await workspace.outputEMS(["config", "show", key, "-o", "json"] + arguments).jsonDocument()
        return [setting["value"]?.string ?? "", setting["source"]?.string ?? ""]
    }
}
