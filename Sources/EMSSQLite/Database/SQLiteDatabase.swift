import EMSCore
import GRDB

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

/// One SQLite file in WAL mode, open for this process; any number of processes may have it open at once.
public struct SQLiteDatabase: Sendable {
    /// How the file will be used.
    public enum Mode: Sendable {
        /// One connection: a command that runs and ends.
        case command
        /// One connection that writes very much: it keeps more of the file's pages at hand.
        case bulk
        /// One writing and several reading connections: a daemon.
        case daemon
    }

    public let path: String
    let connection: any DatabaseWriter
    /// What the writes of a daemon go through.
    private let grouped: GroupedWrites?
    let watcher: DatabaseWatcher
    /// Of a daemon.
    let watch: SQLiteStoreWatch?
    /// The threads that a daemon reads on: a task that prefers them reads without a hop to another thread.
    let readers: WorkerPool?
    private let scratch: ScratchDirectory?
    let mode: Mode
    /// What the file is called in messages: a private copy by the path of what it is a copy of.
    let shownPath: String
    /// How long a read of a daemon may take; `nil` for as long as it needs.
    private let readLimit: Duration?

    /// Opens the file, makes it where there is none, and brings its schema up to date.
    /// - Throws: ``EMSError``: unwritable, full, damaged, no database of ours, or made by a newer version.
    /// - Parameter readLimit: how long a read of a daemon may take.
    public init(path: String, mode: Mode, readLimit: Duration? = nil) throws {
        try self.init(path: path, mode: mode, readLimit: readLimit, scratch: nil)
    }

    /// Opens a private copy of a file and its log, which are not written to.
    /// - Throws: ``EMSError`` with ``ErrorCode/storeBusy`` if other processes keep writing to it.
    init(copyOf path: String) throws {
        let scratch = try ScratchDirectory()
        try scratch.copy(path)
        try self.init(path: scratch.path + "/ems.db", mode: .command, readLimit: nil, scratch: scratch, calledBy: path)
        // From here on the file is reached through its open descriptor only: whatever ends the process, nothing is left behind.
        try connection.writeWithoutTransaction { try $0.execute(sql: "PRAGMA temp_store = MEMORY; PRAGMA journal_mode = MEMORY") }
        scratch.remove()
    }

    /// - Parameter name: what the file is called in messages, if not by its path.
    private init(path: String, mode: Mode, readLimit: Duration?, scratch: ScratchDirectory?, calledBy name: String? = nil) throws {
        self.path = path
        shownPath = name ?? path
        self.mode = mode
        self.readLimit = readLimit
        self.scratch = scratch
        do {
            try Self.makeFile(at: path)
            var configuration = Configuration()
            configuration.foreignKeysEnabled = false
            configuration.busyMode = .timeout(15)
            configuration.maximumReaderCount = Self.readerCount
            // All of an import may be one transaction.
            configuration.allowsUnsafeTransactions = mode == .bulk
            // A large page cache per connection would make an idle daemon large; the operating system caches the file anyway.
            #if DEBUG
            let trace = Self.statementTrace
            #endif
            configuration.prepareDatabase { db in
                db.add(function: Schema.normalization)
                try NearestPlaces.register(in: db)
                #if DEBUG
                if let trace {
                    db.trace { if case .statement(let statement) = $0 { trace(statement.sql) } }
                }
                #endif
                try db.execute(sql: mode == .bulk ? Self.bulkPragmas : "PRAGMA cache_size = -1024")
            }
            connection = try Self.patiently {
                switch mode {
                case .command, .bulk:
                    let queue = try DatabaseQueue(path: path, configuration: configuration)
                    try Schema.migrate(queue)
                    return queue
                case .daemon:
                    // The schema comes first: opening a pool writes to the file, which must be known to be ours.
                    try Schema.migrate(DatabaseQueue(path: path, configuration: configuration))
                    let pool = try DatabasePool(path: path, configuration: configuration)
                    // What was answered with success must outlive a power cut, too.
                    try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
                    return pool
                }
            }
            grouped = mode == .daemon ? GroupedWrites(connection) : nil
            readers = mode == .daemon ? WorkerPool(workers: Self.readerCount, capacity: Self.waitingReads) : nil
            watch = mode == .daemon ? try connection.writeWithoutTransaction { try SQLiteStoreWatch($0) } : nil
            watcher = DatabaseWatcher(path: path)
        } catch {
            throw Self.described(error, path: shownPath)
        }
    }

    /// While several processes open a new file, SQLite refuses one at once where two would wait for each other
    /// (sqlite.org/c3ref/busy_handler.html).
    private static func patiently(_ open: () throws -> any DatabaseWriter) throws -> any DatabaseWriter {
        let deadline = ContinuousClock.now + .seconds(15)
        while true {
            do {
                return try open()
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && ContinuousClock.now < deadline {
                usleep(20_000)
            }
        }
    }

    #if DEBUG
    /// Receives every statement of the databases that the task opens: for tests that check all query plans.
    @TaskLocal static var statementTrace: (@Sendable (String) -> Void)?
    #endif

    /// Kilobytes of cache, without which the pages of the indexes would be written and read again for every few rows; and pages of the
    /// write-ahead log before it is carried over into the file.
    private static let bulkPragmas = "PRAGMA cache_size = -10240; PRAGMA wal_autocheckpoint = 131072"

    private static let readerCount = 4
    /// How many reads of tasks that are at home elsewhere may wait for a thread; beyond that the answer is ``ErrorCode/busy``.
    private static let waitingReads = 10_000

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        let (connection, readLimit) = (connection, readLimit)
        do {
            return try await retryingAfterSchemaChange {
                if let readers {
                    // After a deadline nobody waits for the result.
                    try Task.checkCancellation()
                    return try await readers.run {
                        try connection.read { db in
                            guard let readLimit else { return try body(db) }
                            return try db.interrupted(after: readLimit) { try body(db) }
                        }
                    }
                }
                // The one connection of a command sees what its own open transaction has written.
                return mode == .bulk ? try await connection.writeWithoutTransaction(body) : try await connection.read(body)
            }
        } catch {
            throw Self.described(error, path: shownPath)
        }
    }

    /// Runs `body` in one transaction, which is stored when this returns. Of a daemon, others may be in the same transaction.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            let value = try await retryingAfterSchemaChange {
                if let grouped { return try await grouped.write(body) }
                guard mode == .bulk else { return try await connection.write(body) }
                return try await connection.writeWithoutTransaction { db in try db.part(body) }
            }
            watcher.changed()
            return value
        } catch {
            throw Self.described(error, path: shownPath)
        }
    }

    /// Another process may have changed the schema since this one read it: a daemon that opens its pool makes a table and drops it again.
    /// SQLite reads the schema anew then, but gives up with `SQLITE_SCHEMA` where that falls together with the first use of a
    /// statement. The transaction was rolled back: it is run again.
    private func retryingAfterSchemaChange<Value>(_ transaction: () async throws -> Value) async throws -> Value {
        var triesLeft = 5
        while true {
            do {
                return try await transaction()
            } catch let error as DatabaseError where error.resultCode == .SQLITE_SCHEMA && triesLeft > 0 {
                triesLeft -= 1
            }
        }
    }

    /// How many bytes the file and its log occupy.
    var bytes: Int64 {
        ["", "-wal"].reduce(0) { sum, suffix in
            var status = stat()
            return stat(path + suffix, &status) == 0 ? sum + min(max(0, Int64(status.st_blocks)), 1 << 50) * 512 : sum
        }
    }

    /// Writes the file anew without the pages that deleted rows have left, and empties the log. Other processes wait meanwhile.
    func compact() async throws {
        do {
            try await connection.barrierWriteWithoutTransaction { db in
                try db.execute(sql: "VACUUM")
                try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
        } catch {
            throw Self.described(error, path: shownPath)
        }
    }

    /// Carries the log over into the file and empties it, as far as other processes let it: before a process that wrote much ends.
    func truncateLog() async {
        let connection = connection
        // What another process keeps is left to it.
        _ = try? await connection.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
    }

    /// Checks that the file answers.
    public func ping() async throws {
        _ = try await read { try Int.fetchOne($0, sql: "SELECT count(*) FROM stream") }
    }

    /// The directory with its parents (mode 0700), and an empty file (mode 0600), so that SQLite's own files get the same mode.
    private static func makeFile(at path: String) throws {
        var status = stat()
        if stat(path, &status) == 0 { return try refuseOpenToAll(path, status) }
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw EMSError(
                .permission, "the directory \(directory) cannot be created", fix: "create it, or name another with --data-dir")
        }
        // A link to a file that is not there would have it created wherever it points to.
        let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw EMSError(
                .permission, "the database \(path) cannot be created: \(String(cString: strerror(errno)))",
                fix: "make \(directory) writable for you, or name another with --data-dir")
        }
        close(descriptor)
    }

    /// What everyone on the machine can write is nobody's store: who is in it may have been put there by anyone.
    private static func refuseOpenToAll(_ path: String, _ status: stat) throws {
        guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o002 != 0 else { return }
        throw EMSError(
            .configuration, "the database \(path) can be written by everyone on this machine", fix: "chmod 600 \(path)")
    }

    /// SQLite's error as one of the catalogue's.
    static func described(_ error: any Error, path: String) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        // The file of shared memory could not be made larger (sqlite.org/rescode.html#ioerr_shmsize).
        switch error.extendedResultCode == .SQLITE_IOERR_SHMSIZE ? .SQLITE_FULL : error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return EMSError(
                .storeBusy, "another process has been writing to \(path) for too long", fix: "try again in a moment", retryAfter: 1)
        case .SQLITE_INTERRUPT:
            return EMSError(.busy, "the store took too long to answer", fix: "ask for less, or try again in a moment", retryAfter: 1)
        case .SQLITE_FULL:
            return EMSError(.storeFull, "the disk that holds \(path) is full; nothing was written", fix: "free some space and try again")
        case .SQLITE_READONLY:
            return EMSError(
                .storeReadOnly, "the database \(path) cannot be written to", fix: "check the mode of the file and of its directory")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            return EMSError(.permission, "the database \(path) cannot be opened", fix: "check the mode of the file and of its directory")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return EMSError(
                .storeCorrupt, "the file \(path) is damaged or no database (\(error.message ?? "SQLite says no more"))",
                fix: "put it aside and restore a backup; sqlite3 can rescue what is readable with .recover")
        case .SQLITE_IOERR:
            return EMSError(.inputOutput, "reading or writing \(path) failed (\(error.message ?? "I/O error"))", fix: "check the disk")
        default:
            return EMSError(.internal, "SQLite: \(error.message ?? "error \(error.resultCode.rawValue)")", fix: "please report it")
        }
    }
}
