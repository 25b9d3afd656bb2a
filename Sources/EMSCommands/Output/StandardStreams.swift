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

    private static let buffer = Mutex<[UInt8]>([])

    static func write(_ text: String) throws { try write(Array(text.utf8)) }

    static func write(_ bytes: [UInt8]) throws {
        let isFull = buffer.withLock { buffer in
            buffer += bytes
            return buffer.count >= 1 << 16
        }
        if isFull { try flush() }
    }

    static func flush() throws {
        let pending = buffer.withLock { buffer in
            defer { buffer = [] }
            return buffer
        }
        try FileDescriptor.write(pending, to: STDOUT_FILENO)
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

    /// Reads what is there, up to 64 KiB; an empty array at the end, `nil` for an error.
    static func read(from descriptor: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
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
        try? FileDescriptor.write(Array((newline ? text + "\n" : text).utf8), to: STDERR_FILENO)
    }
}
