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

/// A small file that holds a secret: readable by its owner only, and never half-written.
enum PrivateFile {
    /// - Returns: `nil` where there is no such file.
    /// - Throws: ``EMSError`` with ``ErrorCode/permission`` where it cannot be read, with ``ErrorCode/configuration`` where others can.
    static func read(_ path: String) throws -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else { throw cannot("read", path) }
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & 0o077 != 0 {
            throw EMSError(.configuration, "the key \(path) can be read by others", fix: "chmod 600 \(path)")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Makes a file that must not be there yet. Of several processes that do so at once, one makes it.
    /// - Returns: whether this was the one.
    static func create(_ path: String, _ text: String) throws -> Bool {
        let draft = try drafted(text, beside: path)
        // A link is made whole or not at all, and never over a key that is there.
        let isLinked = link(draft, path) == 0
        let error = errno
        unlink(draft)
        if isLinked { return true }
        guard error == EEXIST else { throw cannot("made", path, error) }
        return false
    }

    /// Puts a text in the place of another, in one step; the former one is kept beside it.
    static func replace(_ path: String, _ text: String, keeping former: String) throws {
        let draft = try drafted(text, beside: path)
        let copy = "\(former).\(SecureRandom.hex(8))"
        guard link(path, copy) == 0, rename(copy, former) == 0, rename(draft, path) == 0 else {
            let error = errno
            unlink(copy)
            unlink(draft)
            throw cannot("replaced", path, error)
        }
    }

    private static func drafted(_ text: String, beside path: String) throws -> String {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let draft = "\(path).\(SecureRandom.hex(8))"
        let descriptor = open(draft, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw cannot("made", path) }
        let bytes = Array(text.utf8)
        let isWritten = write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        let error = errno
        close(descriptor)
        guard isWritten else {
            unlink(draft)
            throw cannot("made", path, error)
        }
        return draft
    }

    private static func cannot(_ done: String, _ path: String, _ error: Int32 = errno) -> EMSError {
        EMSError(
            .permission, "the key \(path) cannot be \(done): \(String(cString: strerror(error)))",
            fix: "check the directory's mode, or choose another place")
    }
}
