import Dispatch
import EMSCore
import GRDB
import Synchronization

/// Notices commits to the file, by whichever process, through `PRAGMA data_version` (sqlite.org/pragma.html#pragma_data_version).
///
/// It looks when the write-ahead log has been written to, which the system tells at once and which costs an idle process nothing; and
/// now and then without being told. This process' own commits are told to it directly. It watches only while somebody listens, on a
/// thread of its own.
final class DatabaseWatcher: Sendable {
    /// What takes longer to show is found by the look that comes without a notice.
    private static let looksAfterNotice = 100

    private struct State {
        var listeners: [Int: Wakeup] = [:]
        var nextListener = 0
        var isLooking = false
        var lastVersion: Int?
    }

    private let path: String
    private let queue = DispatchQueue(label: "ems.sqlite.watcher")
    private let state = Mutex(State())

    init(path: String) {
        self.path = path
    }

    /// Signals `wakeup` after every commit from now on, until the listener is removed.
    func addListener(_ wakeup: Wakeup) throws -> Int {
        let (id, mustStart) = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = wakeup
            // A number means something on its own connection only.
            if !state.isLooking { state.lastVersion = nil }
            defer { state.isLooking = true }
            return (state.nextListener, !state.isLooking)
        }
        if mustStart {
            do {
                let connection = try open()
                queue.async { self.watch(connection) }
            } catch {
                state.withLock { state in
                    state.listeners[id] = nil
                    state.isLooking = false
                }
                throw error
            }
        }
        return id
    }

    func removeListener(_ id: Int) {
        state.withLock { $0.listeners[id] = nil }
    }

    /// This process has committed something.
    func changed() {
        for wakeup in state.withLock({ Array($0.listeners.values) }) { wakeup.signal() }
    }

    /// A connection of its own: data_version tells of the commits of all others.
    private func open() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(1)
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Looks now and after every write, until nobody listens.
    private func watch(_ connection: DatabaseQueue) {
        let log = WriteNotice(path: path + "-wal")
        // The log is written before the commit shows, by as long as the disk takes: after a notice it is looked for every millisecond.
        var looks = 0
        while true {
            let (isNew, goesOn) = look(connection)
            guard goesOn else { return }
            if !isNew, looks > 0 {
                log.pause(milliseconds: 1)
                looks -= 1
            } else {
                looks = log.wait() ? Self.looksAfterNotice : 0
            }
        }
    }

    private func look(_ connection: DatabaseQueue) -> (isNew: Bool, goesOn: Bool) {
        // A look that fails (the file is locked for recovery, say) is made up for by the next.
        let version = try? connection.unsafeRead { try Int.fetchOne($0.cachedStatement(sql: "PRAGMA data_version")) }
        let (isNew, goesOn) = state.withLock { state in
            let isNew = version != nil && version != state.lastVersion
            if isNew { state.lastVersion = version }
            state.isLooking = !state.listeners.isEmpty
            return (isNew, state.isLooking)
        }
        if isNew { changed() }
        return (isNew, goesOn)
    }
}
