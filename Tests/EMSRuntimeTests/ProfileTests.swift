import EMSCore
import Foundation
import Testing

@testable import EMSRuntime

@Suite("Profiles and secrets")
struct ProfileTests {
    private func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("ems-profiles-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url.path)
    }

    private func write(_ text: String, _ path: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    private func settings(_ file: String, profile: String? = nil, environment: [String: String] = [:]) throws -> Settings {
        let environment = environment.merging(["HOME": "/nowhere"]) { given, _ in given }
        return try Settings(SettingSources(file: file, profile: profile, environment: environment), environment: environment)
    }

    private static let yaml = """
        # what this machine is for
        port: 4000

        profiles:
          staging:
            data_dir: /srv/staging
          production:
            production: true
            mongodb_url: mongodb://ems:hunter2@db/ems
        """

    @Test("The profile that the file chooses counts where nobody says otherwise; default means none")
    func chosen() throws {
        try withDirectory { directory in
            let file = directory + "/config.yaml"
            try write("profile: staging\n" + Self.yaml, file)
            #expect(try settings(file).dataDirectory == "/srv/staging")
            #expect(try settings(file).profile == "staging")
            #expect(try settings(file, profile: "default").profile == nil)
            #expect(try settings(file, environment: ["EMS_PROFILE": "default"]).dataDirectory != "/srv/staging")
            #expect(try settings(file, profile: "production", environment: ["RABBITMQ_URL": "amqp://mq"]).isProduction)
            try write("profile: nothing\n" + Self.yaml, file)
            #expect(throws: EMSError.self) { try settings(file) }
        }
    }

    @Test("Choosing a profile changes one line of the file, and leaves its mode")
    func use() throws {
        try withDirectory { directory in
            let file = directory + "/config.yaml"
            try write(Self.yaml, file, mode: 0o640)
            func text() throws -> String { try String(contentsOfFile: file, encoding: .utf8) }
            #expect(try SettingSources.use("staging", file: file, environment: [:]) == file)
            #expect(try text() == Self.yaml.replacingOccurrences(of: "port: 4000", with: "profile: staging\nport: 4000"))
            _ = try SettingSources.use("production", file: file, environment: [:])
            #expect(try text().contains("\nprofile: production\nport: 4000"))
            #expect(throws: EMSError.self) { try SettingSources.use("nobody", file: file, environment: [:]) }
            _ = try SettingSources.use(nil, file: file, environment: [:])
            #expect(try text() == Self.yaml)
            #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o640)
        }
    }

    @Test("The profiles are listed with their stores, and never with a password")
    func listed() throws {
        try withDirectory { directory in
            let file = directory + "/config.yaml"
            try write(Self.yaml, file)
            let profiles = try SettingSources(file: file, profile: "staging", environment: [:]).profiles()
            #expect(profiles.map(\.name) == ["default", "production", "staging"])
            #expect(profiles.map(\.store) == ["the data directory of its user", "mongodb://db/ems", "/srv/staging"])
            #expect(profiles.map(\.isProduction) == [false, true, false])
            #expect(profiles.map(\.isInUse) == [false, false, true])
        }
    }

    @Test("A password comes from a file or a command into the URL, with everything escaped that would mean something there")
    func passwords() throws {
        try withDirectory { directory in
            try write("p@ss/w:rd%\nsecond line\n", directory + "/password")
            let file = directory + "/config.yaml"
            try write(
                """
                mongodb_url: mongodb://ems@db1,db2/ems
                rabbitmq_url: amqp://ems@mq
                mongodb_password_command: printf 'from a command\\nmore'
                password_file: \(directory)/password
                """, file)
            let settings = try settings(file)
            #expect(settings.store == .mongodb(url: "mongodb://ems:from%20a%20command@db1,db2/ems", database: nil))
            guard case .rabbitmq(let url, _, _) = settings.broker else {
                Issue.record("no RabbitMQ")
                return
            }
            #expect(url == "amqp://ems:p%40ss%2Fw%3Ard%25@mq")
        }
    }

    @Test("A URL that has a password, or no user, stays as it is, and nothing is read for it")
    func notNeeded() throws {
        for url in ["mongodb://ems:x@db/ems", "mongodb://db/ems", "amqp://mq?a=b@c"] {
            #expect(try SecretSource.url(url) { throw EMSError(.internal, "was asked") } == url)
        }
    }

    @Test("The signing key comes from a file or a command, and must be as long as any other")
    func key() throws {
        try withDirectory { directory in
            let file = directory + "/config.yaml"
            try write("secret_key_file: \(directory)/key\n", file)
            try write(SettingsTests.secret + "\n", directory + "/key")
            #expect(try settings(file).secretKey == SettingsTests.secret)
            try write("secret_key_command: echo short\n", file)
            #expect(throws: EMSError.self) { try settings(file) }
        }
    }

    @Test(
        "What gives no secret is told, without what it said",
        arguments: [
            "secret_key_command: 'exit 3'", "secret_key_command: 'true'", "secret_key_command: 'echo hunter2; kill -9 $$'",
            "secret_key_file: /nowhere/at/all",
        ])
    func failing(line: String) throws {
        try withDirectory { directory in
            let file = directory + "/config.yaml"
            try write(line + "\n", file)
            let error = try #require(throws: EMSError.self) { try settings(file) }
            #expect(error.code == .configuration)
            #expect(!error.description.contains("hunter2"))
            #expect(error.message.contains("secret_key"))
        }
    }

    @Test("A file that others can read is refused")
    func openFile() throws {
        try withDirectory { directory in
            let file = directory + "/config.yaml"
            try write("secret_key_file: \(directory)/key\n", file)
            try write(SettingsTests.secret, directory + "/key", mode: 0o644)
            let error = try #require(throws: EMSError.self) { try settings(file) }
            #expect(error.fix?.contains("chmod 600") == true)
        }
    }
}
