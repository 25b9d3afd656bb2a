import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file that decides what this process does: read once, through one descriptor, after a check of who else could have written it.
enum GuardedFile {
    enum Kind {
        /// It names commands that are run and servers that are trusted: nobody else may write it.
        case configuration
        /// It holds a secret: nobody else may write or read it.
        case secret
    }

    private static let limit = 1 << 20

    /// - Returns: the bytes of the file.
    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` if it cannot be read, belongs to another user, or is open to others.
    static func read(_ path: String, as kind: Kind) throws -> [UInt8] {
        guard let bytes = try readIfPresent(path, as: kind) else {
            throw refused(kind, path, "cannot be read: \(String(cString: strerror(ENOENT)))", "check that it exists and its mode")
        }
        return bytes
    }

    /// - Returns: `nil` if there is no such file.
    static func readIfPresent(_ path: String, as kind: Kind) throws -> [UInt8]? {
        // Without O_NONBLOCK, a FIFO that nobody writes to would be waited for.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let error = errno
            if error == ENOENT { return nil }
            let failure = refused(kind, path, "cannot be read: \(String(cString: strerror(error)))", "check its mode")
            throw kind == .secret ? EMSError(.permission, failure.message, fix: failure.fix) : failure
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw refused(kind, path, "cannot be read: \(String(cString: strerror(errno)))", "check its mode")
        }
        let type = status.st_mode & S_IFMT
        // A shell's <(…) is a pipe of our own.
        let isStream = kind == .configuration && type == S_IFIFO
        guard type == S_IFREG || isStream else { throw refused(kind, path, "is not a regular file", "name a file") }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw refused(
                kind, path, "belongs to another user (uid \(status.st_uid))", "chown it to the user that runs ems, or to root")
        }
        switch kind {
        case .configuration where status.st_mode & 0o022 != 0:
            throw refused(kind, path, "can be written by others", "chmod go-w \(path)")
        case .secret where status.st_mode & 0o077 != 0:
            throw refused(kind, path, "can be read by others", "chmod 600 \(path)")
        case .configuration, .secret: break
        }
        if !isStream, let directory = openDirectory(of: path) {
            throw refused(kind, path, "is in the directory \(directory), where everyone can replace it", "chmod o-w \(directory)")
        }
        if isStream { _ = fcntl(descriptor, F_SETFL, 0) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = systemRead(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw refused(kind, path, "cannot be read: \(String(cString: strerror(errno)))", "check the disk")
            }
            if count == 0 { return bytes }
            bytes += piece.prefix(count)
            guard bytes.count <= limit else { throw refused(kind, path, "has more than \(limit) bytes", "is it the right file?") }
        }
    }

    /// The directory of a file, where everyone can rename and replace its files.
    private static func openDirectory(of path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        // The bytes as they are: as text they might name another directory.
        guard let end = strrchr(real, Int32(UInt8(ascii: "/"))) else { return nil }
        end[end == real ? 1 : 0] = 0
        var status = stat()
        guard stat(real, &status) == 0, status.st_mode & 0o002 != 0, status.st_mode & S_ISVTX == 0 else { return nil }
        return String(cString: real)
    }

    private static func refused(_ kind: Kind, _ path: String, _ reason: String, _ fix: String) -> EMSError {
        let name = kind == .secret ? "the key" : "the configuration file"
        return EMSError(.configuration, "\(name) \(path) \(reason)", fix: fix)
    }
}

#if canImport(Glibc)
private let systemRead = Glibc.read
#elseif canImport(Musl)
private let systemRead = Musl.read
#else
private let systemRead = Darwin.read
#endif
