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

    /// Starts `/bin/sh -c command`.
    /// - Parameters:
    ///   - input: what it reads as stdin; `nil` for nothing.
    ///   - output: where its stdout goes; `nil` for ours.
    /// - Returns: `nil` where it cannot be started; `errno` says why.
    public init?(shell command: String, input: Int32? = nil, output: Int32? = nil) {
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
        let error = posix_spawn(&id, "/bin/sh", &actions, nil, &arguments, environ)
        guard error == 0 else {
            errno = error
            return nil
        }
        self.id = id
    }

    /// The two ends of a pipe, which no other child gets; `nil` where none can be made.
    public static func pipe() -> (reading: Int32, writing: Int32)? {
        var ends: [Int32] = [-1, -1]
        guard systemPipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    public func kill() { _ = systemKill(id, SIGKILL) }

    /// How a process ended.
    public enum End: Sendable, Equatable {
        case status(Int32)
        case signal(Int32)
    }

    public func wait() -> End {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
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
