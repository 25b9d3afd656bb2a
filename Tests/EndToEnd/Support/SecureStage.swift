import Foundation
import Testing

/// A daemon with a certificate of its own.
struct SecureStage {
    let workspace: Workspace
    let daemon: TestDaemon

    init(environment: [String: String] = [:]) async throws {
        workspace = try Workspace(environment)
        try await Self.makeCertificate(workspace, "first")
        daemon = try await TestDaemon(
            workspace, ["--tls-cert", workspace.path("chain.pem"), "--tls-key", workspace.path("key.pem")])
    }

    static func makeCertificate(_ workspace: Workspace, _ name: String) async throws {
        let result = try await workspace.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=\(name)",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", workspace.path("key.pem"), "-out", workspace.path("chain.pem"),
            ])
        try #require(result.status == 0, "\(result.errors)")
    }

    func curl(_ arguments: String..., path: String = "/healthz") async throws -> CommandResult {
        try await workspace.run(
            "/usr/bin/curl",
            ["-sS", "--cacert", workspace.path("chain.pem")] + arguments + ["https://127.0.0.1:\(daemon.port)\(path)"])
    }

    /// The name of the certificate that is shown to a new client.
    func shownName() async throws -> String {
        let line = "openssl s_client -connect 127.0.0.1:\(daemon.port) < /dev/null 2>/dev/null | openssl x509 -noout -subject"
        return try await workspace.run("/bin/sh", ["-c", line]).output
    }
}
