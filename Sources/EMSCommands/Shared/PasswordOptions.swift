import ArgumentParser
import EMSCore

/// Where a password comes from: never from an argument, which other users of the machine could read.
struct PasswordOptions: ParsableArguments {
    @Flag(help: "Read the password from the first line of stdin.")
    var passwordStdin = false

    @Option(help: ArgumentHelp("Read the password from the first line of a file.", valueName: "file"), completion: .file())
    var passwordFile: String?

    func validate() throws {
        if passwordStdin, passwordFile != nil { throw ValidationError("Use --password-stdin or --password-file, not both.") }
    }

    /// The password: as the options say, or asked for twice on a terminal.
    func read() throws -> String {
        if passwordStdin {
            guard let line = readLine() else { throw EMSError(.invalid, "stdin holds no password") }
            return line
        }
        if let passwordFile {
            return String(decoding: try InputFile.bytes(passwordFile).prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        }
        guard Terminal.isInteractive else {
            throw EMSError(.usage, "a password is needed", fix: "use --password-stdin or --password-file")
        }
        let first = try Terminal.askSecret("Password")
        guard try Terminal.askSecret("Once more") == first else { throw EMSError(.invalid, "the passwords differ") }
        return first
    }
}
