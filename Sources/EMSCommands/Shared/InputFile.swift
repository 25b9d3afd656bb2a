import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file named on the command line, read piece by piece; `-` is stdin.
final class InputFile {
    private let name: String
    private let descriptor: Int32

    /// - Parameter name: what it is called in messages, if not by its path.
    /// - Throws: ``EMSError`` where it cannot be opened.
    init(_ path: String, calledBy name: String? = nil) throws {
        self.name = name ?? Self.displayName(path)
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.unreadable(self.name) }
    }

    /// How many bytes it has; `nil` where that is not known, as of a pipe.
    var size: Int? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Whether another descriptor is open on the same file.
    func isSame(as other: Int32) -> Bool {
        var (mine, its) = (stat(), stat())
        guard fstat(descriptor, &mine) == 0, fstat(other, &its) == 0 else { return false }
        return mine.st_dev == its.st_dev && mine.st_ino == its.st_ino
    }

    deinit {
        if descriptor > STDIN_FILENO { close(descriptor) }
    }

    /// Waits for bytes, or for the end, for a moment only, so that Ctrl-C is heard in between.
    func isReady() -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 200) != 0
    }

    /// The next bytes; `nil` at the end.
    func next() throws -> [UInt8]? {
        guard let bytes = FileDescriptor.read(from: descriptor) else { throw Self.unreadable(name) }
        return bytes.isEmpty ? nil : bytes
    }

    /// Everything in the file, which must not be longer than `limit`.
    static func bytes(_ path: String, limit: Int = 1 << 20) throws -> [UInt8] {
        let file = try InputFile(path)
        var bytes: [UInt8] = []
        while let piece = try file.next() {
            bytes += piece
            guard bytes.count <= limit else {
                throw EMSError(.tooLarge, "\(file.name) has more than \(limit) bytes", fix: "is it the right file?")
            }
        }
        return bytes
    }

    /// What a file holds; or the text itself, where it is an object.
    static func json(_ path: String) throws -> JSONValue {
        let isObject = path.utf8.first == UInt8(ascii: "{")
        do {
            return try JSONParser.parse(isObject ? Array(path.utf8) : try bytes(path))
        } catch let error as JSONSyntaxError {
            throw EMSError(.malformed, "\(isObject ? "the argument" : displayName(path)) is not JSON: \(error)")
        }
    }

    /// The first line, without white space: a token, a key.
    static func word(_ path: String) throws -> String {
        String(decoding: try bytes(path).prefix { $0 != 0x0A }, as: UTF8.self).filter { !$0.isWhitespace }
    }

    static func displayName(_ path: String) -> String { path == "-" ? "stdin" : Printable.stripped(NamesInBytes.shown(path)) }

    private static func unreadable(_ name: String) -> EMSError {
        EMSError(errno == ENOENT ? .notFound : .inputOutput, "\(name) cannot be read: \(String(cString: strerror(errno)))")
    }
}
