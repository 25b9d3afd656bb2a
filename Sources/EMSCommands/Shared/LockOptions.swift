import ArgumentParser
import EMSCore
import EMSRuntime

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

/// Against overlap: a run that takes longer than the time to the next one.
struct LockOptions: ParsableArguments {
    @Flag(help: "Run only where no other run of this command on this store goes on, on this machine; otherwise end with 75.")
    var lock = false

    @Option(help: ArgumentHelp("Wait so long for the other run to end.", valueName: "seconds"))
    var wait: Int?

    /// Of commands that may overlap.
    static var none: LockOptions { LockOptions(lock: false, wait: nil) }

    init() {}

    private init(lock: Bool, wait: Int?) {
        self.lock = lock
        self.wait = wait
    }

    func validate() throws {
        if let wait, !(0...86_400).contains(wait) { throw ValidationError("--wait must be 0 to 86400 seconds.") }
    }

    /// Takes the lock, which the process holds until it ends or the value is gone: it cannot stay behind.
    /// - Parameters:
    ///   - name: the command's.
    ///   - settings: read where they are needed: they may ask a command for a secret.
    /// - Returns: `nil` where no lock is wanted.
    func acquire(_ name: String, _ settings: () throws -> Settings) async throws -> FileLock? {
        guard lock || wait != nil else { return nil }
        let lock = try FileLock(path: settings().lockPath(name))
        let deadline = ContinuousClock.now + .seconds(wait ?? 0)
        while !lock.tryToTake() {
            guard ContinuousClock.now < deadline else {
                let holder = lock.holder.map { " (process \($0))" } ?? ""
                throw EMSError(
                    .busy, "another run of ems \(name.replacing("-", with: " ")) goes on\(holder)", fix: "wait for it: --wait SECONDS",
                    retryAfter: 60)
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        lock.note(getpid())
        return lock
    }
}

extension Settings {
    /// Each store has its own locks.
    fileprivate func lockPath(_ name: String) -> String {
        let store = if case .mongodb(_, let database) = store { "-\(database ?? "default")" } else { "" }
        return "\(dataDirectory)/locks/\(name)\(store).lock"
    }
}

/// An advisory lock on a file (flock(2)): gone with the process that holds it, however that ends.
final class FileLock: Sendable {
    private let descriptor: Int32

    init(path: String) throws {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw EMSError(
                .permission, "the lock \(path) cannot be created: \(String(cString: strerror(errno)))",
                fix: "check the directory's mode, and remove a link of this name")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(), status.st_nlink == 1 else {
            close(descriptor)
            throw EMSError(
                .permission, "the lock \(path) is not a file of this user", fix: "check who can write to its directory, and remove it")
        }
    }

    deinit { close(descriptor) }

    func tryToTake() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    /// Who holds it, by its own words.
    var holder: Int? {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? Int(String(decoding: bytes.prefix(count).prefix { $0 != 0x0A }, as: UTF8.self)) : nil
    }

    func note(_ process: pid_t) {
        let text = Array("\(process)\n".utf8)
        // For people only: the lock holds without it.
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
    }
}
