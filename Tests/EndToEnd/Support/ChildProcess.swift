import Foundation
import NIOConcurrencyHelpers

/// A process of the tests' own making. (Foundation's `Process` must not be started from several threads at once.)
final class ChildProcess: Sendable {
    enum Ending: Sendable, Equatable {
        case exited(Int32)
        case killed(Int32)
    }

    let pid: pid_t
    private let ending = NIOLockedValueBox<Ending?>(nil)

    /// Starts a process whose three streams are files.
    init(
        _ executable: String, _ arguments: [String], environment: [String: String], directory: String, input: String = "/dev/null",
        output: String = "/dev/null", errors: String = "/dev/null"
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_APPEND, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, O_WRONLY | O_APPEND, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals as a shell would leave them, whatever the test runner does with its own.
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        // env changes the directory, and becomes the program: the pid stays.
        let argv = (["env", "-C", directory, executable] + arguments).map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, "/usr/bin/env", &actions, &attributes, argv, envp)
        guard error == 0 else { throw TimedOut(description: "\(executable) cannot be started: \(String(cString: strerror(error)))") }
        self.pid = pid
    }

    deinit {
        end()
    }

    /// Ends it where it still runs, at once.
    func end() {
        guard running() else { return }
        kill(pid, SIGKILL)
        _ = waitHoldingTheThread()
    }

    /// Whether it has not ended yet.
    func running() -> Bool { look() == nil }

    func signal(_ signal: Int32) {
        ending.withLockedValue { if $0 == nil { kill(pid, signal) } }
    }

    /// Waits for the end, without holding a thread.
    func wait() async throws -> Ending {
        while true {
            if let ending = look() { return ending }
            try await Task.sleep(for: .milliseconds(3))
        }
    }

    /// Waits for the end of something short, where there is no asynchronous context.
    func waitHoldingTheThread() -> Ending {
        while true {
            if let ending = look() { return ending }
            usleep(2000)
        }
    }

    private func look() -> Ending? {
        ending.withLockedValue { ending in
            if let ending { return ending }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            let signal = status & 0x7F
            ending = signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal)
            return ending
        }
    }
}
