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

/// A file of somebody's that is given another content, and stays the same file in all else: what a link points to, its owner and its mode.
/// Others that do the same wait as long as this value lives.
final class ReplacedFile {
    private let path: String
    private let descriptor: Int32

    /// - Throws: ``EMSError`` with ``ErrorCode/permission``.
    init(_ name: String) throws {
        guard let resolved = realpath(name, nil) else { throw Self.failure(name) }
        path = String(cString: resolved)
        free(resolved)
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else { throw Self.failure(path) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Puts the bytes in the place of the present ones, in one step.
    /// - Parameter check: looks at the new file before it takes the place; what it throws leaves the old one there.
    func replace(with bytes: [UInt8], check: (String) throws -> Void) throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure(path) }
        // Hidden, with the same extension; for its owner only until it has the mode of the old one.
        let place = URL(fileURLWithPath: path)
        let draft = "\(place.deletingLastPathComponent().path)/.\(place.lastPathComponent).\(SecureRandom.hex(8))"
        let output = open(draft, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard output >= 0 else { throw Self.failure(path) }
        defer { close(output) }
        do {
            guard Self.write(bytes, to: output), fchown(output, status.st_uid, status.st_gid) == 0 || Self.isOwn(status) else {
                throw Self.failure(path)
            }
            try check(draft)
            guard fchmod(output, status.st_mode & 0o7777) == 0, fsync(output) == 0, rename(draft, path) == 0 else {
                throw Self.failure(path)
            }
        } catch {
            unlink(draft)
            throw error
        }
    }

    private static func isOwn(_ status: stat) -> Bool { status.st_uid == geteuid() && status.st_gid == getegid() }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func failure(_ path: String) -> EMSError {
        EMSError(
            .permission, "the file \(path) cannot be written: \(String(cString: strerror(errno)))",
            fix: "check its mode and that of its directory")
    }
}

#if canImport(Glibc)
private let systemWrite = Glibc.write
#elseif canImport(Musl)
private let systemWrite = Musl.write
#else
private let systemWrite = Darwin.write
#endif
