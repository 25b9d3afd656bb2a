/// Puts announcements of several processes into the order of their positions: a value without I/O.
///
/// Positions have no gaps, so that a missing one shows: what comes after it waits until the store was read.
struct LiveSequence {
    /// Up to here everything was told.
    private(set) var position: Int64

    init(after position: Int64) {
        self.position = position
    }

    /// Announcements came in.
    /// - Returns: what can be told now, and whether the store has to be read for what is missing before the rest.
    mutating func heard(_ announced: [RecordedNotification]) -> (told: [RecordedNotification], hasGap: Bool) {
        var told: [RecordedNotification] = []
        for notification in announced.sorted(by: { $0.position < $1.position }) where notification.position > position {
            guard notification.position == position + 1 else { return (told, true) }
            position = notification.position
            told.append(notification)
        }
        return (told, false)
    }

    /// The store was read after ``position``, up to an end.
    mutating func read(through end: Int64) { position = max(position, end) }
}
