import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The person at the terminal, if there is one.
enum Terminal {
    /// Whether somebody can be asked: both questions and answers go through a terminal.
    static var isInteractive: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// A yes-or-no question, on stderr. Anything but yes means no.
    static func ask(_ question: String) -> Bool {
        StandardError.write("\(question)? [y/N] ", newline: false)
        guard let answer = readLine() else { return false }
        return ["y", "yes"].contains(answer.lowercased())
    }

    /// Reads a secret without showing it. Ctrl-C ends the command and leaves the terminal as it was.
    static func askSecret(_ prompt: String) throws -> String {
        var original = termios()
        guard tcgetattr(STDIN_FILENO, &original) == 0 else {
            throw EMSError(.usage, "there is no terminal to ask for the password", fix: "use --password-stdin or --password-file")
        }
        var silent = original
        // Key by key, without echo, and those too that would end the process: so nothing can end it in between.
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &original) }
        StandardError.write(prompt + ": ", newline: false)
        defer { StandardError.write("") }
        var typed: [UInt8] = []
        while true {
            guard let bytes = FileDescriptor.read(from: STDIN_FILENO, upTo: 1), let byte = bytes.first else {
                throw EMSError(.interrupted, "interrupted")
            }
            switch byte {
            case 0x03: throw EMSError(.interrupted, "interrupted")
            case 0x04 where typed.isEmpty: throw EMSError(.interrupted, "interrupted")
            case 0x0A, 0x0D: return String(decoding: typed, as: UTF8.self)
            case 0x15: typed = []
            case 0x08, 0x7F:
                // A character may have several bytes (RFC 3629).
                while let last = typed.popLast(), last & 0xC0 == 0x80 {}
            default: typed.append(byte)
            }
        }
    }
}
