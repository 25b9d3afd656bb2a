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

/// A directory for its owner only, which is gone with the value.
final class ScratchDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("\(Self.prefix)\(getpid())-\(UUID().uuidString)").path
        Self.removeAbandoned()
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw EMSError(.inputOutput, "no temporary directory can be created at \(path)", fix: "set TMPDIR to a directory with room")
        }
    }

    deinit { remove() }

    private static let prefix = "ems-scratch-"

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// Removes the directories of processes that were killed while copying.
    private static func removeAbandoned() {
        let directory = FileManager.default.temporaryDirectory
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? [] where name.hasPrefix(prefix) {
            guard let process = pid_t(name.dropFirst(prefix.count).prefix { $0 != "-" }), process > 0, kill(process, 0) != 0, errno == ESRCH
            else { continue }
            let path = directory.appendingPathComponent(name).path
            var status = stat()
            // Directories of other users are left alone.
            guard lstat(path, &status) == 0, status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFDIR else { continue }
            // In another PID namespace, such as a container's, the process may still be running.
            guard time(nil) - status.st_mtim.tv_sec > 3600 else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private static let tries = 3

    /// Copies a database and its write-ahead log, as they were at one moment: if one of them changes meanwhile, both are copied again.
    func copy(_ database: String) throws {
        var status = stat()
        if stat(database, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw EMSError(.storeCorrupt, "\(database) is not a regular file", fix: "name the file of a database")
        }
        for _ in 1...Self.tries {
            let before = Self.states(of: database)
            for (suffix, state) in zip(["", "-wal"], before) {
                let target = "\(path)/ems.db\(suffix)"
                try? FileManager.default.removeItem(atPath: target)
                if state == nil { continue }
                do {
                    try FileManager.default.copyItem(atPath: database + suffix, toPath: target)
                    // The copy is private, also if others can write to the original.
                    _ = chmod(target, 0o600)
                } catch {
                    throw EMSError(
                        .inputOutput, "\(database)\(suffix) cannot be copied to \(path)", fix: "check its mode, and the room in TMPDIR")
                }
            }
            if Self.states(of: database) == before { return }
        }
        throw EMSError(
            .storeBusy, "other processes are writing to \(database)", fix: "stop the daemons, then try again", retryAfter: 10)
    }

    private struct State: Equatable {
        let size: Int
        let seconds: Int
        let nanoseconds: Int
    }

    private static func states(of database: String) -> [State?] {
        ["", "-wal"].map { suffix in
            var status = stat()
            guard stat(database + suffix, &status) == 0 else { return nil }
            return State(size: Int(status.st_size), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
        }
    }
}
