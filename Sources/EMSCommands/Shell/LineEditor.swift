import CReadline
import Dispatch
import EMSCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A line from the terminal, edited with GNU readline: keys, history, completion. It waits on a thread of its own.
final class LineEditor: Sendable {
    enum Line: Sendable {
        case text(String)
        /// Ctrl-D.
        case end
        /// Ctrl-C: the line is given up.
        case interrupted
    }

    /// What may stand in place of a word.
    enum Candidates: Sendable {
        case words([String])
        case files
    }

    private static let historyLimit: Int32 = 2000
    /// Asked by readline, which has one question at a time: the line up to the word, and the word.
    private static let completer = Mutex<(@Sendable (String, String) async -> Candidates)?>(nil)

    private let thread = WorkerPool(workers: 1, capacity: 1)
    private let historyPath: String

    /// - Parameters:
    ///   - historyPath: where lines are kept from session to session; made where it is missing, for its owner's eyes only.
    ///   - complete: what may stand in place of a word.
    init(historyPath: String, complete: @escaping @Sendable (String, String) async -> Candidates) throws {
        self.historyPath = historyPath
        if let problem = ems_readline_load("ems") {
            throw EMSError(
                .configuration, "readline cannot be loaded: \(String(cString: problem))", fix: "install it: apt-get install libreadline8")
        }
        Self.completer.withLock { $0 = complete }
        ems_readline_set_completer { line, start, word in
            guard let line, let word else { return nil }
            return LineEditor.candidates(String(cString: line), Int(start), String(cString: word))
        }
        try Self.makeFile(historyPath)
        ems_history_read(historyPath)
    }

    func read(_ prompt: String) async throws -> Line {
        try await thread.run {
            var text: UnsafeMutablePointer<CChar>?
            let state = ems_readline_line(prompt, &text)
            defer { free(text) }
            if state == EMS_LINE_INTERRUPTED { return .interrupted }
            guard state == EMS_LINE_READ, let text else { return .end }
            return .text(String(cString: text))
        }
    }

    /// Replaces `!!`, `!word` and their like.
    /// - Returns: the line, and whether it is another than it was; `nil` where it shall not be run: it was shown.
    func expanded(_ line: String) throws -> (text: String, isChanged: Bool)? {
        var text: UnsafeMutablePointer<CChar>?
        let state = ems_history_expand(line, &text)
        defer { free(text) }
        let expanded = text.map { String(cString: $0) } ?? line
        switch state {
        case 0: return (line, false)
        case 1: return (expanded, true)
        case 2:
            StandardError.write(Printable.stripped(expanded))
            return nil
        default: throw EMSError(.usage, "the history has no such line: \(Printable.stripped(expanded))")
        }
    }

    /// Keeps a line, unless it may hold a secret, or begins with a space.
    func remember(_ line: String) {
        let line = line.replacing("\n", with: " ")
        guard !Self.mayHoldSecret(line), !line.hasPrefix(" ") else { return }
        ems_history_add(line)
        // A history that cannot be kept is none the less one of this session.
        ems_history_append(historyPath)
    }

    func close() { ems_history_truncate(historyPath, Self.historyLimit) }

    /// Passwords in JSON or in a URL, and tokens: none belongs on a line, and none goes into a file.
    static func mayHoldSecret(_ line: String) -> Bool {
        let small = line.lowercased()
        if small.contains("\"password") || line.contains("eyJ") || small.contains("secret_key") { return true }
        guard let scheme = line.range(of: "://") else { return false }
        let authority = line[scheme.upperBound...].prefix { !"/ ?".contains($0) }
        return authority.contains("@") && authority.contains(":")
    }

    private static func makeFile(_ path: String) throws {
        let descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw EMSError(
                .permission, "the history \(path) cannot be made: \(String(cString: strerror(errno)))", fix: "set XDG_STATE_HOME")
        }
        fchmod(descriptor, 0o600)
        _ = systemClose(descriptor)
    }

    /// Answers readline, on whose thread nothing else waits.
    private static func candidates(_ line: String, _ start: Int, _ word: String) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
        guard let complete = completer.withLock({ $0 }) else { return nil }
        let before = String(decoding: Array(line.utf8.prefix(start)), as: UTF8.self)
        let answer = Mutex<Candidates>(.words([]))
        let semaphore = DispatchSemaphore(value: 0)
        Task {
            let found = await complete(before, word)
            answer.withLock { $0 = found }
            semaphore.signal()
        }
        semaphore.wait()
        let words: [String]
        switch answer.withLock({ $0 }) {
        case .files: words = ["\u{1}files"]
        case .words(let found): words = found
        }
        let array = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: words.count + 1)
        for (index, word) in words.enumerated() { array[index] = strdup(word) }
        array[words.count] = nil
        return array
    }
}

// Named here, where nothing else is called close.
#if canImport(Glibc)
private let systemClose = Glibc.close
#elseif canImport(Musl)
private let systemClose = Musl.close
#else
private let systemClose = Darwin.close
#endif
