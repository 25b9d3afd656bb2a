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
        try GuardedFile.readIfPresent(path, as: .secret).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Makes a file that must not be there yet. Of several processes that do so at once, one makes it.
    /// - Returns: whether this was the one.
    static func create(_ path: String, _ text: String) throws -> Bool {
        let draft = try drafted(text, beside: path)
        // A link is made whole or not at all, and never over a key that is there.
        let isLinked = link(draft, path) == 0
        let error = errno
        unlink(draft)
        if isLinked {
            syncDirectory(of: path)
            return true
        }
        guard error == EEXIST else { throw cannot("made", path, error) }
        return false
    }

    /// Puts a text in the place of another, in one step.
    static func replace(_ path: String, _ text: String) throws {
        let draft = try drafted(text, beside: path)
        guard rename(draft, path) == 0 else {
            let error = errno
            unlink(draft)
            throw cannot("replaced", path, error)
        }
        syncDirectory(of: path)
    }

    /// Holds off other processes that change the same file, for as long as `body` runs.
    static func locked<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        try makeDirectory(of: path)
        let descriptor = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else { throw cannot("locked", path) }
        defer { close(descriptor) }
        removeDrafts(beside: path)
        return try body()
    }

    /// What a process left behind that was killed between writing a draft and putting it into its place.
    private static func removeDrafts(beside path: String) {
        let place = URL(fileURLWithPath: path)
        let prefix = place.lastPathComponent + draftMark
        let directory = place.deletingLastPathComponent().path
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] where name.hasPrefix(prefix) {
            unlink("\(directory)/\(name)")
        }
    }

    private static let draftMark = ".draft-"

    /// So that what was put into its place outlives a power cut.
    private static func syncDirectory(of path: String) {
        let descriptor = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func makeDirectory(of path: String) throws {
        try? FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    private static func drafted(_ text: String, beside path: String) throws -> String {
        try makeDirectory(of: path)
        let draft = "\(path)\(draftMark)\(SecureRandom.hex(8))"
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
