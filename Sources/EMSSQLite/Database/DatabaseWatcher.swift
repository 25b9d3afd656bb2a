import Dispatch
import EMSCore
import GRDB
import Synchronization

/// Notices commits to the file, by whichever process, through `PRAGMA data_version` (sqlite.org/pragma.html#pragma_data_version).
///
/// This process' own commits are told to it directly, and cost no waiting. It polls only while somebody listens.
final class DatabaseWatcher: Sendable {
    /// How late another process' commit may be noticed. A look costs about ten microseconds.
    static let interval: DispatchTimeInterval = .milliseconds(10)

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
                queue.async { self.look(connection) }
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

    /// Looks now and again after each interval, until nobody listens.
    private func look(_ connection: DatabaseQueue) {
        // A look that fails (the file is locked for recovery, say) is made up for by the next.
        let version = try? connection.unsafeRead { try Int.fetchOne($0.cachedStatement(sql: "PRAGMA data_version")) }
        let (isNew, goesOn) = state.withLock { state in
            let isNew = version != nil && version != state.lastVersion
            if isNew { state.lastVersion = version }
            state.isLooking = !state.listeners.isEmpty
            return (isNew, state.isLooking)
        }
        if isNew { changed() }
        if goesOn { queue.asyncAfter(deadline: .now() + Self.interval) { self.look(connection) } }
    }
}
