import ArgumentParser
import Dispatch
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
    /// Runs the command that the process was started with. Nothing asynchronous begins before a command that needs it.
    public static func run() -> Never {
        occupyStandardStreams()
        // A reader that went away shows as an error of the write, which ends the command in silence.
        signal(SIGPIPE, SIG_IGN)
        // libdispatch would tell syslog that it may not raise the priority of threads, which nobody asked for.
        setenv("LIBDISPATCH_LOG", "NO", 0)
        do {
            try NamesInBytes.settleEnvironment()
            let arguments = try NamesInBytes.arguments()
            if arguments == ["--version"] {
                try StandardOutput.write("ems \(EMS.version)\n")
                try finish()
            }
            Style.turnOff(arguments.contains("--no-color"))
            if try HelpTopics.show(arguments) { try finish() }
            var command = try parse(arguments)
            guard command is any AsyncParsableCommand else {
                try command.run()
                try finish()
            }
            run(asynchronously: command)
        } catch {
            leave(report(error))
        }
    }

    /// A stream that is closed stays of no use: reading it, or writing to it, is an error. Otherwise the next file that is opened would
    /// be taken for it.
    private static func occupyStandardStreams() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", mode)
        }
    }

    /// The command that the arguments mean.
    static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        try UnknownVerb.check(arguments)
        do {
            return try EMS.parseAsRoot(ArgumentOrder.normalized(arguments))
        } catch  where EMS.exitCode(for: error) == .validationFailure {
            // A misspelt option is told first: what is missing besides is most often missing for it.
            try UnknownVerb.checkOptions(ArgumentOrder.normalized(arguments))
            throw error
        }
    }

    private static func run(asynchronously command: sending any ParsableCommand) -> Never {
        Task {
            do {
                guard var asynchronous = command as? any AsyncParsableCommand else { preconditionFailure("an asynchronous command") }
                try await asynchronous.run()
                try finish()
            } catch {
                leave(report(error))
            }
        }
        dispatchMain()
    }

    private static func finish() throws -> Never {
        try StandardOutput.finish()
        leave(0)
    }

    /// Ends the process without the handlers of exit(3): OpenSSL's would free what threads of libmongoc or librabbitmq still use. All that
    /// was written is flushed.
    static func leave(_ status: Int32) -> Never {
        fflush(nil)
        _exit(status)
    }

    /// - Parameter place: what a message begins with: the program, or the line of a script.
    /// Tells what went wrong, on stderr (or shows the help that was asked for, on stdout).
    /// - Returns: the exit status.
    static func report(_ error: any Error, place: String = "ems") -> Int32 {
        try? StandardOutput.finish()
        if error is StandardOutput.Closed { return 0 }
        // All was said already.
        if let exit = error as? ExitCode { return exit.rawValue }
        if let error = error as? EMSError { return report(error, place: place) }
        // What the parser throws: usage errors, and requests for help.
        let code = EMS.exitCode(for: error)
        let isOurs = code == .failure
        if isOurs { return report(EMSError(error), place: place) }
        var message = EMS.fullMessage(for: error)
        if code.isSuccess, message == EMS.helpMessage() {
            message += "\n\nTopics to read: ems help " + Topic.all.map(\.name).joined(separator: " | ")
        }
        if code.isSuccess {
            do {
                try StandardOutput.write(message + "\n")
                try StandardOutput.flush()
            } catch {
                return error is StandardOutput.Closed ? 0 : report(error, place: place)
            }
            return 0
        }
        // The parser repeats what it was given; nothing of it may reach the terminal as a command.
        let lines = message.split(separator: "\n", omittingEmptySubsequences: false).map { Printable.stripped(String($0)) }
        StandardError.write(lines.joined(separator: "\n").replacing("Error: ", with: "\(mark(place)): ", maxReplacements: 1))
        return ErrorCode.usage.exitStatus
    }

    /// Where the error is, in red on a terminal.
    private static func mark(_ place: String) -> String {
        Style.isShown(on: STDERR_FILENO) ? Style.red.applied(to: place) : place
    }

    private static func report(_ error: EMSError, place: String) -> Int32 {
        let error = error.naming { [$0.option] }
        if error.fields.count > 1 {
            StandardError.write("\(mark(place)): \(error.code.title.lowercased()):")
            for field in error.fields {
                StandardError.write(Printable.stripped("  \(field.name) \(field.message)"))
            }
        } else {
            // A path, or what a server said, may hold what a terminal would obey.
            StandardError.write("\(mark(place)): \(Printable.stripped(error.description))")
        }
        return error.code.exitStatus
    }
}

extension RequestParameter {
    /// The option of the command line.
    fileprivate var option: String {
        switch self {
        case .tag, .sort, .near, .until: "--\(rawValue)"
        case .radius: "--radius-km"
        case .page, .pageSize, .after: "--limit"
        case .idempotencyKey: rawValue
        }
    }
}
