import EMSCore
import NIOConcurrencyHelpers
import NIOHTTP2
import NIOSSL

/// The certificate that new connections are shown; it can be read anew while the server runs.
final class CertificateStore: Sendable {
    private let chain: String
    private let key: String
    private let current: NIOLockedValueBox<NIOSSLContext>

    /// - Parameters:
    ///   - chain: the path of the certificate and those that vouch for it, in PEM.
    ///   - key: the path of its private key, in PEM.
    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` that names the file which is wrong.
    init(chain: String, key: String) throws {
        self.chain = chain
        self.key = key
        current = NIOLockedValueBox(try Self.load(chain, key))
    }

    var context: NIOSSLContext { current.withLockedValue { $0 } }

    /// Reads the files anew. Where that fails, the certificate of before goes on.
    func reload() throws {
        let fresh = try Self.load(chain, key)
        current.withLockedValue { $0 = fresh }
    }

    private static func load(_ chain: String, _ key: String) throws -> NIOSSLContext {
        let certificates: [NIOSSLCertificate]
        do {
            certificates = try NIOSSLCertificate.fromPEMFile(chain)
        } catch {
            throw EMSError(.configuration, "tls_cert: \(chain) holds no certificate in PEM that can be read")
        }
        let privateKey: NIOSSLPrivateKey
        do {
            privateKey = try NIOSSLPrivateKey(file: key, format: .pem)
        } catch {
            throw EMSError(.configuration, "tls_key: \(key) holds no private key in PEM that can be read")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        // RFC 8996: what came before is not to be used any more.
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = NIOHTTP2SupportedALPNProtocols
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw EMSError(.configuration, "tls_cert and tls_key do not fit together", fix: "check that the key is the certificate's")
        }
    }
}
