import ArgumentParser
import EMSCore
import EMSRuntime
import Logging

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What every command understands.
struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"), completion: .file())
    var config: String?

    @Option(help: ArgumentHelp("The profile of the configuration file to use.", valueName: "name"), completion: .profiles)
    var profile: String?

    @Option(help: ArgumentHelp("The directory of the embedded store.", valueName: "directory"), completion: .directory)
    var dataDir: String?

    @Flag(help: "No colours, whatever the terminal can do.")
    var noColor = false

    @Flag(help: "Tell on stderr what is being done.")
    var verbose = false

    func sources(_ flags: [SettingKey: String] = [:]) throws -> SettingSources {
        var flags = flags
        // In a shell, what it was started with holds where a line says nothing else.
        let shell = KeptRuntime.current?.options
        flags[.dataDir] = dataDir ?? shell?.dataDir
        return try SettingSources(
            flags: flags, file: config ?? shell?.config, profile: profile ?? shell?.profile,
            environment: ProcessInfo.processInfo.environment)
    }

    func settings(_ flags: [SettingKey: String] = [:]) throws -> Settings {
        try Settings(sources(flags), environment: ProcessInfo.processInfo.environment)
    }

    /// Opens the store for a command that runs and ends.
    func openRuntime(_ mode: Runtime.Mode = .command) async throws -> Runtime {
        var logger = Logger(label: "ems", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = verbose ? .debug : .error
        return try await Runtime(settings: settings(), mode: mode, logger: logger)
    }

    /// Who is at the command line: recorded with everything that is written.
    var principal: Principal {
        let login = getpwuid(geteuid()).flatMap { $0.pointee.pw_name }.map { String(cString: $0) }
        return Principal(.operator(login ?? "uid\(geteuid())"), via: ChangeSource(Self.hasTerminal ? .cli : .cron))
    }

    /// Whether the process has a controlling terminal: cron and timers start commands without one.
    private static let hasTerminal: Bool = {
        let terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }()
}

/// A command that works on the store as the operator.
protocol StoreCommand: AsyncParsableCommand {
    /// What the store is opened for.
    static var mode: Runtime.Mode { get }
    var global: GlobalOptions { get }
    /// Whether another run at the same time keeps it from running: for what cron starts.
    var locking: LockOptions { get }
    func run(_ runtime: Runtime, as principal: Principal) async throws
}

extension StoreCommand {
    static var mode: Runtime.Mode { .command }
    var locking: LockOptions { LockOptions.none }

    mutating func run() async throws {
        let lock = try await locking.acquire(Self.lockName) { try global.settings() }
        defer { withExtendedLifetime(lock) {} }
        if let kept = KeptRuntime.current, kept.serves(global) { return try await naming(kept.runtime) }
        let runtime = try await global.openRuntime(Self.mode)
        do {
            try await naming(runtime)
        } catch {
            await runtime.close()
            throw error
        }
        await runtime.close()
    }

    /// What was not found may be in another store than the one that was searched: the message names it.
    private func naming(_ runtime: Runtime) async throws {
        do {
            try await run(runtime, as: global.principal)
        } catch let error as EMSError where error.missingKind != nil {
            throw EMSError(.notFound, "\(error.message) in \(runtime.settings.targetName)", fix: error.fix)
        }
    }

    /// `event-complete` of `EventComplete`.
    private static var lockName: String {
        String(describing: Self.self).reduce(into: "") { name, character in
            if character.isUppercase, !name.isEmpty { name.append("-") }
            name.append(character.lowercased())
        }
    }
}

extension Runtime {
    /// Carries a command's changes on. They are stored already: what fails here is told, and done later by a daemon or the next command.
    func deliverChangesOrTell() async {
        do {
            try await deliverChanges()
        } catch {
            StandardError.write("ems: stored; its notifications are still pending: \(EMSError(error))")
        }
    }
}

/// For commands that write.
struct WriteOptions: ParsableArguments {
    @Flag(name: [.customLong("dry-run")], help: "Say what would be done, and do nothing.")
    var isDryRun = false
}

/// For commands that cannot be undone.
struct ConfirmationOptions: ParsableArguments {
    @Flag(help: "Do not ask.")
    var yes = false

    @Option(help: ArgumentHelp("Answers what a profile marked as production asks for: its name.", valueName: "profile"))
    var confirmProfile: String?

    /// Asks on a terminal; without one, only `--yes` will do. On a terminal, a profile that is marked as production wants its name typed,
    /// whatever flags a line from the history brings along.
    func confirm(_ question: String, _ settings: Settings) throws {
        let name = settings.profile ?? "production"
        if let confirmProfile, confirmProfile != name || !settings.isProduction {
            throw EMSError(
                .usage, "--confirm-profile says \(Printable.quoted(confirmProfile)), but the profile in use is \(Printable.quoted(name))",
                fix: "nothing was done; look at ems config show profile")
        }
        let question = "\(question) in \(settings.targetName)"
        if settings.isProduction, Terminal.isInteractive, confirmProfile == nil {
            StandardError.write("\(question)? This is production. Type the profile's name to go on: ", newline: false)
            guard readLine() == name else { throw EMSError(.failed, "canceled; nothing was changed") }
            return
        }
        if yes || confirmProfile != nil { return }
        guard Terminal.isInteractive else {
            throw EMSError(.usage, "refusing without a terminal to ask: \(question)?", fix: "pass --yes")
        }
        guard Terminal.ask(question) else { throw EMSError(.failed, "canceled; nothing was changed") }
    }
}
