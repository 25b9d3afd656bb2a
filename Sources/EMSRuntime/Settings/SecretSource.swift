import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where a secret comes from that does not stand in the configuration itself. It is read when it is needed, and shown nowhere.
enum SecretSource {
    /// How long a command may take.
    static let patience: Int32 = 30_000
    private static let limit = 64 * 1024

    /// The first line of a file that only its owner can read.
    static func file(_ path: String, _ setting: String) throws -> String {
        guard let text = try PrivateFile.read(path) else {
            throw EMSError(.configuration, "\(setting): there is no file \(path)", fix: "make it, with mode 0600")
        }
        return try line(Array(text.utf8), "\(setting): \(path)")
    }

    /// The first line that a command prints. It gets no stdin; what it says on stderr is for people, and passes through.
    static func command(_ command: String, _ setting: String) throws -> String {
        guard let (reading, writing) = ChildProcess.pipe() else {
            throw failed(setting, "no pipe can be made: \(String(cString: strerror(errno)))")
        }
        defer { close(reading) }
        let child = ChildProcess(shell: command, output: writing, isGroupLeader: isatty(STDIN_FILENO) == 0)
        close(writing)
        guard let child else { throw failed(setting, "the command cannot be started: \(String(cString: strerror(errno)))") }
        let deadline = ContinuousClock.now + .milliseconds(Int(patience))
        let output = output(of: reading, until: deadline)
        // A command may close its output and go on, or write on for ever: neither is waited for beyond the deadline, nor what it started.
        guard let output, let end = child.wait(until: deadline) else {
            child.kill()
            _ = child.wait()
            throw failed(
                setting,
                output == nil && ContinuousClock.now < deadline
                    ? "the command prints more than \(limit) bytes" : "the command took longer than \(patience / 1000) s")
        }
        switch end {
        case .status(0): break
        case .status(let status): throw failed(setting, "the command ended with status \(status)")
        case .signal(let number): throw failed(setting, "the command was ended by signal \(number)")
        }
        return try line(output, "\(setting): the command")
    }

    /// - Returns: `nil` if it takes too long, or is too much.
    private static func output(of descriptor: Int32, until deadline: ContinuousClock.Instant) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count <= limit {
            let rest = ContinuousClock.now.duration(to: deadline).components
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let milliseconds = Int32(max(0, rest.seconds * 1000 + rest.attoseconds / 1_000_000_000_000_000))
            guard systemPoll(&poll, 1, milliseconds) > 0 else {
                if errno == EINTR, milliseconds > 0 { continue }
                return nil
            }
            var piece = [UInt8](repeating: 0, count: 4096)
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += piece.prefix(count)
        }
        return nil
    }

    private static func line(_ bytes: [UInt8], _ what: String) throws -> String {
        let line = bytes.prefix { $0 != 0x0A && $0 != 0x0D }
        guard !line.isEmpty else { throw EMSError(.configuration, "\(what) gives no secret: its first line is empty") }
        return String(decoding: line, as: UTF8.self)
    }

    private static func failed(_ setting: String, _ reason: String) -> EMSError {
        EMSError(.configuration, "\(setting): \(reason)", fix: "try it in a shell")
    }

    /// The URL with a password behind its user, where it has a user and no password.
    static func url(_ url: String, password: () throws -> String?) throws -> String {
        guard let scheme = url.range(of: "://") else { return url }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        guard let end = authority.utf8.lastIndex(of: UInt8(ascii: "@")), !authority[..<end].utf8.contains(UInt8(ascii: ":")),
            let password = try password()
        else { return url }
        return url[..<end] + ":" + percentEncoded(password) + url[end...]
    }

    /// All but the unreserved characters (RFC 3986, section 2.3).
    private static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".unicodeScalars)
        var result = String.UnicodeScalarView()
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            switch scalar {
            case "A"..."Z", "a"..."z", "0"..."9", "-", ".", "_", "~": result.append(scalar)
            default:
                result.append("%")
                result.append(digits[Int(byte >> 4)])
                result.append(digits[Int(byte & 15)])
            }
        }
        return String(result)
    }
}

#if canImport(Glibc)
private let systemPoll = Glibc.poll
#elseif canImport(Musl)
private let systemPoll = Musl.poll
#else
private let systemPoll = Darwin.poll
#endif
