/// The notifications after a position, as far as they were read.
public struct NotificationTail: Sendable {
    public let notifications: [RecordedNotification]
    /// The position up to which they were read.
    public let end: Int64

    public init(notifications: [RecordedNotification], end: Int64) {
        self.notifications = notifications
        self.end = end
    }
}

extension NotificationStore {
    /// The notifications after a position, except those that are damaged: one of them must not hold up all later ones.
    public func tail(after position: Int64, limit: Int) async throws -> NotificationTail {
        do {
            let notifications = try await notifications(after: position, limit: limit)
            return NotificationTail(notifications: notifications, end: notifications.last?.position ?? position)
        } catch let error as EMSError where error.code == .storeCorrupt {
            return try await readableTail(after: position, limit: limit)
        }
    }

    /// One by one. Positions have no gaps, so that the next one may be the damaged one.
    private func readableTail(after position: Int64, limit: Int) async throws -> NotificationTail {
        let latest = try await latestPosition()
        var found: [RecordedNotification] = []
        var end = position
        while end < latest, found.count < limit {
            do {
                guard let next = try await notifications(after: end, limit: 1).first else { break }
                found.append(next)
                end = next.position
            } catch let error as EMSError where error.code == .storeCorrupt {
                end += 1
            }
        }
        return NotificationTail(notifications: found, end: end)
    }
}
