#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A command of a shell, run beside this process.
public struct ChildProcess: Sendable {
    private let id: pid_t
    private let isGroupLeader: Bool

    /// Starts `/bin/sh -c command`.
    /// - Parameters:
    ///   - input: what it reads as stdin; `nil` for nothing.
    ///   - output: where its stdout goes; `nil` for ours.
    ///   - isGroupLeader: whether it gets a process group of its own, which ``kill()`` ends as a whole. Without a
    ///     terminal only: in another group it could not ask there.
    /// - Returns: `nil` where it cannot be started; `errno` says why.
    public init?(shell command: String, input: Int32? = nil, output: Int32? = nil, isGroupLeader: Bool = false) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        if let output { posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) }
        var arguments: [UnsafeMutablePointer<CChar>?] = ["/bin/sh", "-c", command].map { $0.withCString { strdup($0) } } + [nil]
        defer { for argument in arguments { free(argument) } }
        var id = pid_t()
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        if isGroupLeader {
            posix_spawnattr_setpgroup(&attributes, 0)
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        }
        let error = posix_spawn(&id, "/bin/sh", &actions, &attributes, &arguments, environ)
        guard error == 0 else {
            errno = error
            return nil
        }
        self.id = id
        self.isGroupLeader = isGroupLeader
    }

    /// The two ends of a pipe, which no other child gets; `nil` where none can be made.
    public static func pipe() -> (reading: Int32, writing: Int32)? {
        var ends: [Int32] = [-1, -1]
        guard systemPipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Ends the process; if it leads a group, with all that it started.
    public func kill() { _ = systemKill(isGroupLeader ? -id : id, SIGKILL) }

    /// How a process ended.
    public enum End: Sendable, Equatable {
        case status(Int32)
        case signal(Int32)
    }

    public func wait() -> End {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        return Self.end(status)
    }

    /// - Returns: `nil` if it has not ended by then.
    public func wait(until deadline: ContinuousClock.Instant) -> End? {
        var status: Int32 = 0
        while waitpid(id, &status, WNOHANG) == 0 {
            guard ContinuousClock.now < deadline else { return nil }
            usleep(5000)
        }
        return Self.end(status)
    }

    private static func end(_ status: Int32) -> End {
        // WTERMSIG and WEXITSTATUS of sys/wait.h.
        return status & 0x7F == 0 ? .status(status >> 8 & 0xFF) : .signal(status & 0x7F)
    }
}

#if canImport(Glibc)
private let systemPipe: @Sendable (UnsafeMutablePointer<Int32>) -> Int32 = Glibc.pipe
private let systemKill: @Sendable (pid_t, Int32) -> Int32 = Glibc.kill
#elseif canImport(Musl)
private let systemPipe: @Sendable (UnsafeMutablePointer<Int32>) -> Int32 = Musl.pipe
private let systemKill: @Sendable (pid_t, Int32) -> Int32 = Musl.kill
#else
private let systemPipe: @Sendable (UnsafeMutablePointer<Int32>) -> Int32 = Darwin.pipe
private let systemKill: @Sendable (pid_t, Int32) -> Int32 = Darwin.kill
#endif
