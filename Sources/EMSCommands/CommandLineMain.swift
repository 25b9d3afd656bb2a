import ArgumentParser
import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The way of one invocation: arguments in, exit status out.
public enum CommandLineMain {
    public static func run() async -> Never {
        // A reader that went away shows as an error of the write, which ends the command in silence.
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            try UnknownVerb.check(arguments)
            var command = try EMS.parseAsRoot(ArgumentOrder.normalized(arguments))
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            try StandardOutput.flush()
            exit(0)
        } catch {
            exit(report(error))
        }
    }

    /// Tells what went wrong, on stderr (or shows the help that was asked for, on stdout).
    /// - Returns: the exit status.
    private static func report(_ error: any Error) -> Int32 {
        if error is StandardOutput.Closed { return 0 }
        try? StandardOutput.flush()
        if let error = error as? EMSError { return report(error) }
        // What the parser throws: usage errors, and requests for help.
        let code = EMS.exitCode(for: error)
        let isOurs = code == .failure
        if isOurs { return report(EMSError(error)) }
        let message = EMS.fullMessage(for: error)
        if code.isSuccess {
            do {
                try StandardOutput.write(message + "\n")
                try StandardOutput.flush()
            } catch {
                return error is StandardOutput.Closed ? 0 : report(error)
            }
            return 0
        }
        // The parser repeats what it was given; nothing of it may reach the terminal as a command.
        let lines = message.split(separator: "\n", omittingEmptySubsequences: false).map { Printable.stripped(String($0)) }
        StandardError.write(lines.joined(separator: "\n").replacing("Error: ", with: "ems: ", maxReplacements: 1))
        return ErrorCode.usage.exitStatus
    }

    private static func report(_ error: EMSError) -> Int32 {
        if error.fields.count > 1 {
            StandardError.write("ems: \(error.code.title.lowercased()):")
            for field in error.fields {
                StandardError.write("  \(field.location.filter { $0 != "body" }.joined(separator: ".")) \(field.message)")
            }
        } else {
            StandardError.write("ems: \(error)")
        }
        return error.code.exitStatus
    }
}
