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
        silent.c_lflag &= ~tcflag_t(ECHO)
        // While the echo is off, the keys that would end the process are read as characters, so that nothing can end it in between.
        silent.c_lflag &= ~tcflag_t(ISIG)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &original) }
        StandardError.write(prompt + ": ", newline: false)
        let answer = readLine()
        StandardError.write("")
        guard let answer, !answer.unicodeScalars.contains("\u{3}") else { throw EMSError(.interrupted, "interrupted") }
        return answer
    }
}
