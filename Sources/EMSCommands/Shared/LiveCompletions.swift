import ArgumentParser
import Dispatch
import EMSCore
import EMSRuntime
import Synchronization

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What the shell may go on with, from the data itself. A shell asks at the press of a key: what does not answer at once, or not at all,
/// is passed over in silence.
enum LiveCompletions {
    static let limit = 50
    private static let patience: Duration = .seconds(2)

    enum Kind: Sendable {
        case events, users, tags, profiles
    }

    /// The words that begin so.
    static func words(_ kind: Kind, beginningWith prefix: String, in runtime: Runtime) async throws -> [String] {
        switch kind {
        case .events: try await runtime.completion.eventIDs(prefix, limit: limit)
        case .users: try await runtime.completion.usernames(prefix, limit: limit)
        case .tags: try await runtime.completion.tags(prefix, limit: limit)
        case .profiles: []
        }
    }

    /// The profiles of the file; which one is wanted is just being typed.
    static func profiles(_ global: GlobalOptions?) -> [String] {
        let environment = ProcessInfo.processInfo.environment
        let sources = try? SettingSources(file: global?.config, profile: "default", environment: environment)
        return (try? sources?.profiles().map(\.name)) ?? []
    }

    /// What a shell's completion asks for: the store is opened as the words on the line say.
    static func complete(_ kind: Kind, _ arguments: [String], _ prefix: String) async -> [String] {
        let global = globalOptions(among: arguments)
        if case .profiles = kind { return profiles(global) }
        // A look makes nothing: neither a store, nor a long wait for a server that is away.
        guard let settings = try? global.settings(), settings.isStoreMade else { return [] }
        return
            (try? await withDeadline(patience, "the store") {
                let runtime = try await global.openRuntime(.inspection)
                let words = try await words(kind, beginningWith: prefix, in: runtime)
                await runtime.close()
                return words
            }) ?? []
    }

    /// `--profile`, `--config` and `--data-dir` of a line that is not complete yet.
    private static func globalOptions(among arguments: [String]) -> GlobalOptions {
        var given: [String] = []
        for (index, argument) in arguments.enumerated() {
            for name in ["--profile", "--config", "--data-dir"] {
                if argument == name, index + 1 < arguments.count { given += [name, arguments[index + 1]] }
                if argument.hasPrefix(name + "=") { given.append(argument) }
            }
        }
        return (try? GlobalOptions.parse(given)) ?? (try? GlobalOptions.parse([])) ?? GlobalOptions()
    }
}

extension CompletionKind {
    static var events: CompletionKind { live(.events) }
    static var users: CompletionKind { live(.users) }
    static var tags: CompletionKind { live(.tags) }
    static var profiles: CompletionKind { live(.profiles) }

    /// The parser asks on the main thread, before anything else runs: it may wait there.
    private static func live(_ kind: LiveCompletions.Kind) -> CompletionKind {
        .custom { arguments, _, prefix in
            let answer = Mutex<[String]>([])
            let semaphore = DispatchSemaphore(value: 0)
            Task {
                let words = await LiveCompletions.complete(kind, arguments, prefix)
                answer.withLock { $0 = words }
                semaphore.signal()
            }
            semaphore.wait()
            return answer.withLock { $0 }
        }
    }
}

extension Settings {
    /// Whether there is a store, as far as can be told without opening it.
    var isStoreMade: Bool { store != .embedded || FileManager.default.fileExists(atPath: databasePath) }
}
