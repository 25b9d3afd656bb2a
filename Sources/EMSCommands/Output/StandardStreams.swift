import EMSCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Data goes here: buffered, and an error where it does not arrive.
enum StandardOutput {
    /// The reader has gone away (`| head`): no error, but nothing more to do.
    struct Closed: Error {}

    private struct State {
        var buffer: [UInt8] = []
        /// Whether what is longer than the screen goes through a pager.
        var isPaged = false
        var pager: Pager?
    }

    private static let state = Mutex(State())

    static func write(_ text: String) throws { try write(Array(text.utf8)) }

    static func write(_ bytes: [UInt8]) throws {
        let isFull = state.withLock { state in
            state.buffer += bytes
            return state.buffer.count >= 1 << 16
        }
        if isFull { try flush() }
    }

    /// From now on, what turns out to be longer than the screen goes through a pager, where there is a screen.
    static func page() {
        guard TerminalSize.of(STDOUT_FILENO) != nil, isatty(STDIN_FILENO) == 1, Pager.command != nil else { return }
        state.withLock { $0.isPaged = true }
    }

    static func flush() throws {
        let (pending, descriptor) = state.withLock { state in
            if state.isPaged, state.pager == nil, isLong(state.buffer) { state.pager = Pager() }
            defer { state.buffer = [] }
            return (state.buffer, state.pager?.descriptor ?? STDOUT_FILENO)
        }
        try FileDescriptor.write(pending, to: descriptor)
    }

    /// Writes what is left, and waits until it was read, where a pager shows it.
    static func finish() throws {
        defer {
            let pager = state.withLock { state in
                defer { state = State() }
                return state.pager
            }
            pager?.finish()
        }
        try flush()
    }

    /// Whether it has more lines than the screen, and is not only cut off in between.
    private static func isLong(_ bytes: [UInt8]) -> Bool {
        guard let rows = TerminalSize.of(STDOUT_FILENO)?.rows else { return false }
        return bytes.count >= 1 << 16 || bytes.count(where: { $0 == 0x0A }) >= rows
    }
}

/// The system's own reading and writing.
enum FileDescriptor {
    /// Writes everything.
    /// - Throws: ``StandardOutput/Closed`` where nobody reads any more, ``EMSError`` for other failures.
    static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE { throw StandardOutput.Closed() }
                throw EMSError(.inputOutput, "writing to stdout failed: \(String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads what is there, up to a limit; an empty array at the end, `nil` for an error.
    static func read(from descriptor: Int32, upTo limit: Int = 1 << 16) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        while true {
            let count = buffer.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            return count < 0 ? nil : Array(buffer.prefix(count))
        }
    }
}

// Named here, where nothing else is called read or write.
#if canImport(Glibc)
private let systemRead = Glibc.read
private let systemWrite = Glibc.write
#elseif canImport(Musl)
private let systemRead = Musl.read
private let systemWrite = Musl.write
#else
private let systemRead = Darwin.read
private let systemWrite = Darwin.write
#endif

/// Words go here: for people, never for programs.
enum StandardError {
    static func write(_ text: String, newline: Bool = true) {
        // Whether words arrive changes nothing about what was done.
        let text = NamesInBytes.shown(newline ? text + "\n" : text)
        try? FileDescriptor.write(Array(text.utf8), to: STDERR_FILENO)
    }
}
