import EMSCore
import GRDB
import GRDBSQLite
import Synchronization

/// Follows the states of a file's parts without asking the database.
///
/// Every commit, by whichever process, changes the header of the write-ahead log's index, which all processes share in memory
/// (sqlite.org/walformat.html, section 2.1); SQLite itself looks there for what a reader may see. A commit of this process changes the
/// parts whose tables its statements name; one of another may have changed anything.
final class SQLiteStoreWatch: StoreWatch {
    /// Behind the first header a second copy; a header that is being written differs from its copy.
    private struct Header: Equatable {
        private var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

        /// How many transactions the log has seen, round and round.
        var change: UInt32 { UInt32(truncatingIfNeeded: words.1) }

        static let bytes = MemoryLayout<Header>.size

        static func == (left: Header, right: Header) -> Bool { left.words == right.words }
    }

    private struct State {
        /// As it was when ``numbers`` were counted last.
        var known: Header?
        var numbers = [UInt64](repeating: 0, count: StorePart.allCases.count)
        /// Of the commit that is under way: what was there before.
        var commit: Commit?
        /// What the transaction has changed so far.
        var touched: Set<StorePart> = []

        struct Commit {
            let before: Header?
            let written: Int32
        }

        mutating func change(_ parts: some Sequence<StorePart>) {
            for part in parts { numbers[part.rawValue] &+= 1 }
        }
    }

    // Sendable because the memory is SQLite's, which keeps it as long as the connection is open, and is only read.
    private nonisolated(unsafe) let index: UnsafeRawPointer
    private nonisolated(unsafe) let connection: OpaquePointer
    private let state = Mutex(State())

    /// - Parameter db: the writing connection, which outlives the watch.
    /// - Returns: `nil` where there is no such index: the file is not in WAL mode.
    init?(_ db: Database) throws {
        // The first read makes the index.
        _ = try db.integer("SELECT count(*) FROM stream")
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard let connection = db.sqliteConnection,
            sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK, let file,
            let map = file.pointee.pMethods.pointee.xShmMap
        else { return nil }
        var region: UnsafeMutableRawPointer?
        guard map(file, 0, Self.regionBytes, 0, &region) == SQLITE_OK, let region else { return nil }
        index = UnsafeRawPointer(region)
        self.connection = connection
        db.add(transactionObserver: Observer(self), extent: .databaseLifetime)
    }

    /// The size of the index's regions (sqlite.org/walformat.html, section 2.2).
    private static let regionBytes: Int32 = 32_768

    func state(of part: StorePart) -> StoreState? {
        state.withLock { state in
            guard let now = header() else { return nil }
            if now != state.known {
                // This process' own commit is counted when it has ended.
                if state.commit != nil { return nil }
                state.change(StorePart.allCases)
                state.known = now
            }
            return StoreState(state.numbers[part.rawValue])
        }
    }

    /// - Returns: `nil` while it is being written.
    private func header() -> Header? {
        let first = index.load(as: Header.self)
        atomicMemoryFence(ordering: .acquiring)
        let second = index.load(fromByteOffset: Header.bytes, as: Header.self)
        return first == second ? first : nil
    }

    fileprivate func touches(_ table: String) {
        let parts = Self.parts[table] ?? (Self.indexes.contains(where: table.hasPrefix) ? [.events] : Set(StorePart.allCases))
        if !parts.isEmpty { state.withLock { $0.touched.formUnion(parts) } }
    }

    fileprivate func willCommit() {
        state.withLock { $0.commit = State.Commit(before: header(), written: writtenPages()) }
    }

    /// How many pages the connection has written so far, round and round.
    private func writtenPages() -> Int32 {
        var (count, highest): (Int32, Int32) = (0, 0)
        guard sqlite3_db_status(connection, SQLITE_DBSTATUS_CACHE_WRITE, &count, &highest, 0) == SQLITE_OK else { return 0 }
        return count
    }

    fileprivate func didEnd(committed: Bool) {
        state.withLock { state in
            let (commit, touched) = (state.commit, state.touched)
            state.commit = nil
            state.touched = []
            guard committed, let commit else { return }
            let now = header()
            if let now, now == state.known { return }
            // Ours alone, if there is one (a transaction that has changed nothing makes none), and nobody else's came before or behind it.
            let isOurs =
                writtenPages() != commit.written && commit.before != nil && commit.before == state.known
                && now?.change == commit.before.map { $0.change &+ 1 }
            state.change(isOurs ? touched : Set(StorePart.allCases))
            state.known = now
        }
    }

    /// What the tables are called that lie behind the virtual ones, which declare themselves in the schema when they are first used.
    static let indexes = ["event_texts_", "event_places_", "sqlite_master"]

    /// Which parts a change of a table changes: of one that is not named here, all.
    static let parts: [String: Set<StorePart>] = [
        "users": [.identities], "sessions": [.identities],
        "events": [.events], "event_tags": [.events], "event_texts": [.events], "event_places": [.events],
        "notifications": [.inboxes], "stream": [.inboxes], "inboxes": [.inboxes], "inbox_entries": [.inboxes],
        "everyone_reads": [.inboxes], "expansions": [.inboxes], "subscriptions": [.inboxes],
        // Counts of what other tables hold: they change with those.
        "row_counts": [],
        "journal": [], "journal_texts": [], "consumers": [], "consumer_letters": [], "consumer_reports": [], "broker_transition": [],
        "refresh_tokens": [], "idempotency_keys": [], "attempts": [], "login_accounts": [], "login_addresses": [],
    ]
}

/// Hears of the writing connection's statements and commits.
private final class Observer: TransactionObserver {
    private let watch: SQLiteStoreWatch

    init(_ watch: SQLiteStoreWatch) {
        self.watch = watch
    }

    /// Asked before each statement, with all that it and its triggers do; the rows are of no interest.
    func observes(eventsOfKind kind: DatabaseEventKind) -> Bool {
        watch.touches(kind.tableName)
        return false
    }

    func databaseDidChange(with event: DatabaseEvent) {}
    func databaseWillCommit() throws { watch.willCommit() }
    func databaseDidCommit(_ db: Database) { watch.didEnd(committed: true) }
    func databaseDidRollback(_ db: Database) { watch.didEnd(committed: false) }
}
