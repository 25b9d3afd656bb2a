import EMSCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Arguments and variables as text. The names of files are bytes, and need not be UTF-8; everything else must be, for it would be repaired
/// on the way into something else.
///
/// A directory whose name is no text is opened at the start, and goes by the name that the system gives whatever is open: `/proc/self/fd/3`
/// (proc_pid_fd(5)), which every function takes. Messages name it as it was given.
enum NamesInBytes {
    /// What takes the name of a file or a directory.
    private static let options: Set<String> = [
        "--config", "--data-dir", "--rejects", "--file", "--token-file", "--password-file", "--tls-cert", "--tls-key", "--from", "--to",
    ]
    /// Verbs whose other arguments are files.
    private static let verbs: Set<String> = ["import", "generate"]
    /// What names a directory or a file in the environment.
    private static let variables: Set<String> = [
        "HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "EMS_CONFIG", "EMS_DATA_DIR", "EMS_KEY_DIR", "EMS_TLS_CERT",
        "EMS_TLS_KEY",
    ]

    /// `O_PATH` of open(2), which is not declared here: opens the name, and neither waits for nor reads what is behind it.
    private static let pathOnly: Int32 = 0o10_000_000

    /// The names that open directories go by, and how they are shown.
    private static let aliases = Mutex<[(path: String, shown: String)]>([])

    /// The arguments of this process, the program's name left out.
    /// - Throws: ``EMSError`` where one is no text and does not name a file either.
    static func arguments() throws -> [String] {
        var texts: [String] = []
        for (index, argument) in UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc)).enumerated().dropFirst() {
            guard let argument else { continue }
            if let text = String(validatingCString: argument) {
                guard text.isStreamSafe else {
                    throw EMSError(.usage, "argument \(index) has more than \(String.markLimit) combining marks in a row")
                }
                texts.append(text)
            } else {
                texts.append(
                    try path(
                        Array(UnsafeBufferPointer(start: argument, count: strlen(argument))).map(UInt8.init(bitPattern:)), index,
                        after: texts))
            }
        }
        return texts
    }

    /// Gives the variables that this program reads names that are text.
    static func settleEnvironment() throws {
        var undecodable: [(name: String, value: [UInt8])] = []
        var entry = environ
        while let variable = entry.pointee {
            defer { entry += 1 }
            guard String(validatingCString: variable) == nil else { continue }
            let bytes = UnsafeBufferPointer(start: variable, count: strlen(variable)).map(UInt8.init(bitPattern:))
            let name = String(decoding: bytes.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
            guard name.hasPrefix("EMS_") || variables.contains(name) else { continue }
            undecodable.append((name, Array(bytes.dropFirst(name.utf8.count + 1))))
        }
        for (name, value) in undecodable {
            guard variables.contains(name) else {
                throw EMSError(.configuration, "the variable \(name) is not valid UTF-8", fix: "set it to UTF-8")
            }
            setenv(name, try alias(value, of: name, at: "the variable \(name)", .configuration), 1)
        }
    }

    /// A message in which directories go by the names they were given.
    static func shown(_ message: String) -> String {
        aliases.withLock { $0.reduce(message) { $0.replacing($1.path, with: $1.shown) } }
    }

    /// An argument that is no text, after others.
    private static func path(_ argument: [UInt8], _ index: Int, after texts: [String]) throws -> String {
        let place = "argument \(index)"
        if let last = texts.last, options.contains(last) { return try alias(argument, of: last, at: place, .usage) }
        if argument.starts(with: "--".utf8), let mark = argument.firstIndex(of: UInt8(ascii: "=")),
            let option = String(validating: argument[..<mark], as: UTF8.self), options.contains(option)
        {
            return try option + "=" + alias(Array(argument[(mark + 1)...]), of: option, at: place, .usage)
        }
        if !argument.starts(with: "-".utf8), texts.contains(where: verbs.contains) { return try alias(argument, at: place, .usage) }
        throw EMSError(
            .usage, "\(place) is not valid UTF-8: \(escaped(argument))", fix: "use a UTF-8 locale, or convert it with iconv")
    }

    /// A name in text for a name in bytes: of the directory it is in where its own last part is text, which need not exist; otherwise of
    /// what exists under that name.
    /// - Parameters:
    ///   - name: the option or variable.
    ///   - place: where it stands, for messages.
    private static func alias(_ path: [UInt8], of name: String? = nil, at place: String, _ code: ErrorCode) throws -> String {
        let separator = UInt8(ascii: "/")
        var path = path
        while path.count > 1, path.last == separator { path.removeLast() }
        let last = path.suffix(while: { $0 != separator })
        var directory = path.dropLast(last.count)
        while directory.count > 1, directory.last == separator { directory.removeLast() }
        if !directory.isEmpty, let last = String(validating: last, as: UTF8.self), !last.isEmpty {
            return try opened(Array(directory), place, code) + "/" + last
        }
        switch name {
        case "--config", "EMS_CONFIG":
            // Its directory is looked at as well, and would not be found from the file.
            throw EMSError(
                code, "\(place) is not valid UTF-8: \(escaped(path))", fix: "give the file a name in UTF-8; its directory may have any")
        case "--data-dir", "EMS_DATA_DIR":
            // As with any other name, it is created if missing.
            (path + [0]).withUnsafeBytes { _ = $0.bindMemory(to: CChar.self).baseAddress.map { mkdir($0, 0o700) } }
        default: break
        }
        return try opened(path, place, code)
    }

    private static func opened(_ path: [UInt8], _ place: String, _ code: ErrorCode) throws -> String {
        let descriptor = (path + [0]).withUnsafeBytes { bytes in
            // Children inherit it: HOME must name the same directory to them.
            bytes.bindMemory(to: CChar.self).baseAddress.map { open($0, pathOnly) } ?? -1
        }
        guard descriptor >= 0 else {
            throw EMSError(
                code, "\(place) is not valid UTF-8, and no file or directory of that name can be opened: \(escaped(path))",
                fix: "create it first, or use a name in UTF-8")
        }
        let alias = "/proc/self/fd/\(descriptor)"
        aliases.withLock { $0.insert((alias, escaped(path)), at: 0) }
        return alias
    }

    /// What is no text as `\xFC`.
    private static func escaped(_ bytes: [UInt8]) -> String {
        var (text, rest) = ("", bytes[...])
        while !rest.isEmpty {
            let count = (1...4).first { String(validating: rest.prefix($0), as: UTF8.self) != nil }
            if let count {
                text += String(decoding: rest.prefix(count), as: UTF8.self)
            } else {
                text += "\\x" + String(rest[rest.startIndex], radix: 16, uppercase: true)
            }
            rest = rest.dropFirst(count ?? 1)
        }
        return Printable.stripped(text)
    }
}

extension Collection where Element: Equatable, Self: BidirectionalCollection {
    fileprivate func suffix(while matches: (Element) -> Bool) -> SubSequence {
        self[(lastIndex { !matches($0) }.map(index(after:)) ?? startIndex)...]
    }
}
