import EMSCore
import EMSMongoDB
import EMSSQLite

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

/// A store named by itself, apart from the configuration: the source or target of a copy.
public enum StorePlace: Sendable {
    case file(String)
    case mongodb(url: String)

    /// Reads `sqlite:PATH`, a path, `mongodb://…`, or `env:VARIABLE`, which holds one of these.
    /// - Throws: ``EMSError`` with ``ErrorCode/usage``; also where an argument holds a password, which others on the machine could read.
    public init(_ text: String, environment: [String: String]) throws {
        if text.hasPrefix("env:") {
            let name = String(text.dropFirst(4))
            guard let value = environment[name], !value.isEmpty else {
                throw EMSError(.usage, "the variable \(Printable.quoted(name)) is not set")
            }
            self = try Self.parsed(value)
            return
        }
        self = try Self.parsed(text)
        if case .mongodb(let url) = self, Self.holdsPassword(url) {
            throw EMSError(
                .usage, "a URL with a password does not belong into an argument, which others can read",
                fix: "put it into a variable, and name that: env:MONGODB_URL")
        }
    }

    private static func parsed(_ text: String) throws -> StorePlace {
        if text.hasPrefix("mongodb://") || text.hasPrefix("mongodb+srv://") { return .mongodb(url: text) }
        if text.hasPrefix("sqlite:") {
            let path = text.dropFirst("sqlite:".count)
            return .file(String(path.hasPrefix("//") ? path.dropFirst(2) : path))
        }
        guard !text.contains("://"), !text.isEmpty else {
            throw EMSError(
                .usage, "\(Printable.quoted(String(text.prefix { $0 != ":" }))) is no kind of store",
                fix: "use sqlite:PATH or mongodb://HOST/DATABASE")
        }
        return .file(text)
    }

    private static func holdsPassword(_ url: String) -> Bool {
        let authority = url.drop { $0 != "/" }.drop { $0 == "/" }.prefix { $0 != "/" && $0 != "?" }
        return authority.prefix { $0 != "@" }.contains(":") && authority.contains("@")
    }

    /// Opens the store.
    /// - Parameters:
    ///   - database: the database of MongoDB where the URL names none.
    ///   - making: whether a store that is not there is created: the target of a copy. A source is never written to.
    /// - Returns: the way into it, and how many changes and notifications are on their way there.
    public func open(database: String, making: Bool) async throws -> (transfer: any StoreTransfer, pending: Int) {
        switch self {
        case .file(let path):
            if !making, !FileManager.default.fileExists(atPath: path) { throw EMSError(.notFound, "database \(path) not found") }
            let sqlite = making ? try SQLiteBackend(path: path, mode: .command) : try SQLiteBackend(copyOf: path)
            var waiting = try await sqlite.stores.notifications.expansions()
            for consumer in Consumer.all { waiting += try await sqlite.queue(of: consumer).status().depth }
            return (sqlite.transfer, try await sqlite.stores.outbox.pendingStatus().count + waiting)
        case .mongodb(let url):
            let named = try MongoDatabase(url: url, name: nil, fallback: database)
            try await named.prepare()
            let stores = MongoBackend(database: named).stores
            let waiting = try await stores.notifications.expansions()
            return (MongoTransfer(database: named), try await stores.outbox.pendingStatus().count + waiting)
        }
    }

    /// Whether both are one store, also where a file has several names.
    public func isSame(as other: StorePlace) -> Bool {
        switch (self, other) {
        case (.file(let own), .file(let others)):
            var (first, second) = (stat(), stat())
            guard stat(own, &first) == 0, stat(others, &second) == 0 else { return own == others }
            return first.st_dev == second.st_dev && first.st_ino == second.st_ino
        case (.mongodb(let own), .mongodb(let others)): return own == others
        default: return false
        }
    }

    /// How it is called in messages: without user and password.
    public var description: String {
        switch self {
        case .file(let path): path
        case .mongodb(let url): (try? MongoDatabase(url: url, name: nil, fallback: "?")).map { "MongoDB at \($0.servers)" } ?? "MongoDB"
        }
    }
}

extension StorePlace {
    /// An empty store that is gone with the value.
    public final class Scratch: Sendable {
        public let place: StorePlace
        private let directory: URL

        fileprivate init() throws {
            directory = FileManager.default.temporaryDirectory.appendingPathComponent("ems-empty-\(UUID().uuidString)")
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            place = .file(directory.appendingPathComponent("ems.db").path)
        }

        deinit { try? FileManager.default.removeItem(at: directory) }
    }

    /// What stands in for a store that is not there, where none may be made; `nil` where there is one.
    public func scratchIfMissing() throws -> Scratch? {
        guard case .file(let path) = self, !FileManager.default.fileExists(atPath: path) else { return nil }
        return try Scratch()
    }
}
