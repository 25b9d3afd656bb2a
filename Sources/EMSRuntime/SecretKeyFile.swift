import EMSCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The key that signs access tokens.
public struct SigningKey: Sendable {
    public let secret: String
    /// `SECRET_KEY` or a file's path.
    public let source: String

    /// Tells keys apart without giving them away: the beginning of a digest of the key under a label of its own.
    public var fingerprint: String { SecureRandom.fingerprint(of: secret) }
}

extension Settings {
    /// The configured key, or the embedded store's own. With MongoDB, whose daemons run on several machines, it must be configured.
    public func signingKey() throws -> SigningKey {
        if let secretKey { return SigningKey(secret: secretKey, source: "SECRET_KEY") }
        guard store == .embedded else {
            throw EMSError(
                .configuration, "with MongoDB, secret_key must be set: the same for all daemons", fix: "make one with: openssl rand -hex 32"
            )
        }
        return SigningKey(secret: try SecretKeyFile.load(secretKeyPath), source: secretKeyPath)
    }
}

/// The embedded store's signing key: random, made once, readable by its owner only.
enum SecretKeyFile {
    /// Reads the key, or makes one. Of several processes that do so at once, one makes it and all get the same.
    static func load(_ path: String) throws -> String {
        if let key = try read(path) { return key }
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let key = SecureRandom.hex(32)
        let draft = "\(path).\(SecureRandom.hex(8))"
        let descriptor = open(draft, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw cannot("made", path) }
        let text = Array((key + "\n").utf8)
        let isWritten = write(descriptor, text, text.count) == text.count && fsync(descriptor) == 0
        close(descriptor)
        // A link is made whole or not at all, and never over a key that is there.
        let isLinked = isWritten && link(draft, path) == 0
        let error = errno
        unlink(draft)
        if isLinked { return key }
        guard isWritten, error == EEXIST, let key = try read(path) else { throw cannot("made", path) }
        return key
    }

    private static func read(_ path: String) throws -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else { throw cannot("read", path) }
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & 0o077 != 0 {
            throw EMSError(.configuration, "the key \(path) can be read by others", fix: "chmod 600 \(path)")
        }
        let key = String(decoding: data, as: UTF8.self).filter { !$0.isWhitespace }
        guard key.utf8.count >= AccessTokens.minimumSecretBytes else {
            throw EMSError(
                .configuration, "the key \(path) is too short", fix: "remove the file (all tokens end), or set SECRET_KEY")
        }
        return key
    }

    private static func cannot(_ done: String, _ path: String) -> EMSError {
        EMSError(
            .permission, "the key \(path) cannot be \(done): \(String(cString: strerror(errno)))",
            fix: "check the directory's mode, or set SECRET_KEY")
    }
}
