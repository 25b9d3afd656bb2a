@testable import EMSMongoDB
import EMSCore
import Foundation
import Testing

/// Servers that want TLS and a log-in.
@Suite(.serialized, .gated, .enabled(if: SharedServers.areHere, SharedServers.hint))
struct SecureConnectionTests {
    @Test("MongoDB with TLS and a user of SCRAM is used by URL alone; a wrong password and an unknown certificate are told as such")
    func mongodb() async throws {
        let folder = try Workspace()
        let certificate = try await Self.certificate(folder)
        let mongod = try await OwnServer.mongod(
            folder, replicaSet: false,
            [
                "--auth", "--tlsMode", "requireTLS", "--tlsCertificateKeyFile", certificate.both, "--tlsCAFile", certificate.certificate,
                "--tlsAllowConnectionsWithoutCertificates",
            ])
        let address = "127.0.0.1:\(mongod.port)"
        let options = "tls=true&tlsCAFile=\(certificate.certificate)&serverSelectionTimeoutMS=2000"
        // As long as there is no user, one may be made from the machine itself.
        let admin = try MongoDatabase(url: "mongodb://\(address)/?\(options)", name: "admin")
        try await admin.run { connection in
            try connection.command {
                $0.member("createUser", "ems")
                $0.member("pwd", "hunter2 & more")
                $0.array("roles", ["readWriteAnyDatabase"])
            } reading: { _ in
            }
        }
        let cluster = try Cluster(mongodb: "mongodb://ems:hunter2%20%26%20more@\(address)/?authSource=admin&\(options)")
        try await cluster.workspace.makeUser("ada")
        #expect(try await cluster.workspace.output("user", "list", "-o", "csv").contains("ada@example.com"))

        let wrong = try Cluster(mongodb: "mongodb://ems:hunter3@\(address)/?authSource=admin&\(options)")
        let refused = try await wrong.workspace.ems("user", "list")
        refused.expectFailure(77, saying: address)
        #expect(!refused.errors.contains("hunter3"))
        let nobody = try await Cluster(mongodb: "mongodb://\(address)/?\(options)").workspace.ems("user", "list")
        nobody.expectFailure(77, saying: address)
        let untrusted = try await Cluster(mongodb: "mongodb://ems:x@\(address)/?tls=true&serverSelectionTimeoutMS=1000").workspace.ems(
            "user", "list")
        untrusted.expectFailure(69, saying: address)
        try await mongod.kill()
    }

    @Test("RabbitMQ with TLS is used by URL alone; an unknown certificate is refused")
    func rabbitmq() async throws {
        let folder = try Workspace()
        let certificate = try await Self.certificate(folder)
        let port = try await OwnServer.freePort(folder)
        let lines = """
            listeners.ssl.1 = 127.0.0.1:\(port)
            ssl_options.certfile = \(certificate.certificate)
            ssl_options.keyfile = \(certificate.key)
            ssl_options.verify = verify_none
            ssl_options.fail_if_no_peer_cert = false

            """
        let rabbit = try await OwnServer.rabbitmq(folder, configuration: folder.file("more.conf", lines))
        let url = "amqps://guest:guest@localhost:\(port)/"
        let cluster = try Cluster(rabbitmq: url + "?cacertfile=\(certificate.certificate)")
        let token = try await cluster.person("ada")
        let daemon = try await cluster.daemon()
        try await cluster.workspace.makeEvent("In private")
        try await eventually("it arrives") {
            try await HTTPClient(port: daemon.port, token: token).get("/notifications/count").json["count"] == .integer(1)
        }
        let untrusted = try await cluster.workspace.ems("broker", "declare", environment: ["RABBITMQ_URL": url])
        untrusted.expectFailure(69, saying: "localhost:\(port)")
        let anyway = try await cluster.workspace.ems("broker", "declare", environment: ["RABBITMQ_URL": url + "?verify=verify_none"])
        anyway.expectDone()
        try await rabbit.kill()
    }

    @Test(
        "A command that leaves while a TLS connection fails ends with a message, not by a signal", .enabled(if: InstalledTool.python != nil)
    )
    func failingExit() async throws {
        let folder = try Workspace()
        let certificate = try await Self.certificate(folder)
        // 500 rounds by default, for whoever runs it by hand.
        try await folder.expectAllOK("tls_exit.py", [EMSBinary.path, certificate.certificate, certificate.key, "20"], count: 2)
    }

    /// A certificate that vouches for itself, for this machine.
    private static func certificate(_ folder: Workspace) async throws -> (certificate: String, key: String, both: String) {
        let (certificate, key) = (folder.path("cert.pem"), folder.path("key.pem"))
        let result = try await folder.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            ])
        try #require(result.status == 0, "\(result.errors)")
        let both = try String(contentsOfFile: certificate, encoding: .utf8) + String(contentsOfFile: key, encoding: .utf8)
        return (certificate, key, try folder.file("both.pem", both))
    }
}
