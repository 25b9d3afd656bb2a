import EMSCore
import GRDB

/// The embedded live feed: every daemon reads the tail of the table of notifications, which one writer at a time makes longer, so
/// that positions become visible in their order. Whoever recorded a notification has nothing more to tell.
struct SQLiteLiveFeed: LiveFeed {
    static let batchSize = 500

    let database: SQLiteDatabase

    func announce(_ notifications: [RecordedNotification]) async throws {
        // The commit that recorded them has woken this process' readers; the others see it in data_version.
    }

    func notifications() async throws -> AsyncStream<[RecordedNotification]> {
        let wakeup = Wakeup()
        let listener = try database.watcher.addListener(wakeup)
        let start = try await database.read { db in try SQLiteNotificationStore.latestPosition(in: db) }
        return AsyncStream { continuation in
            let tail = Task {
                var position = start
                while !Task.isCancelled {
                    let tail = await read(after: position)
                    if tail.end > position {
                        position = tail.end
                        if !tail.notifications.isEmpty { continuation.yield(tail.notifications) }
                    } else {
                        await wakeup.wait(upTo: .seconds(1))
                    }
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in
                tail.cancel()
                database.watcher.removeListener(listener)
            }
        }
    }

    /// What cannot be read now (the file is busy, the disk is gone) is read at the next look, from the same position: nothing is skipped.
    private func read(after position: Int64) async -> NotificationTail {
        let tail = try? await SQLiteNotificationStore(database: database).tail(after: position, limit: Self.batchSize)
        return tail ?? NotificationTail(notifications: [], end: position)
    }
}
