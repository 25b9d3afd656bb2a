import EMSCore

/// What is kept of one user's inbox, in the user's document. It changes by comparing and setting as a whole (`version`), so that no two
/// processes can count the same thing twice.
///
/// The unread count is
/// `end.ordinal − max(from.ordinal, read.ordinal, floor.ordinal) + own − singly`: nothing is counted but the user's own notifications since
/// the last time they were.
struct InboxState: Sendable, Equatable {
    /// From where everyone's notifications are the user's too.
    let from: NotificationStream.Place
    /// Up to where all is read.
    var read: NotificationStream.Place
    /// Positions beyond `read` that were read one by one, the latest of them; the others are documents of their own.
    var marks: [Int64] = []
    /// Whether there are such documents.
    var hasSpilled = false
    /// How many were read one by one beyond `singlyFloor`.
    var singly = 0
    var singlyFloor: Int64
    /// How many of the user's own lie beyond `ownFloor` up to `ownThrough`.
    var own = 0
    var ownFloor: Int64
    var ownThrough: Int64
    var version: Int64 = 0

    /// How many marks lie in the user's document.
    static let marksLimit = 256

    init(from place: NotificationStream.Place) {
        from = place
        read = place
        singlyFloor = place.position
        ownFloor = place.position
        ownThrough = place.position
    }

    init(_ reader: inout BSONReader) throws {
        from = .init(position: try reader.counter("from_position"), ordinal: try reader.counter("from_ordinal"))
        read = .init(position: try reader.counter("read_position"), ordinal: try reader.counter("read_ordinal"))
        marks = try reader.array("marks") { $0.counter }
        hasSpilled = try reader.flag("has_spilled")
        singly = Int(try reader.counter("singly"))
        singlyFloor = try reader.floor("singly_floor")
        own = Int(try reader.counter("own"))
        ownFloor = try reader.floor("own_floor")
        ownThrough = try reader.counter("own_through")
        version = try reader.counter("version")
    }

    func encode(to writer: inout BSONWriter) {
        writer.member("from_position", from.position)
        writer.member("from_ordinal", from.ordinal)
        writer.member("read_position", read.position)
        writer.member("read_ordinal", read.ordinal)
        writer.array("marks") { for mark in marks { $0.element(mark) } }
        writer.member("has_spilled", hasSpilled)
        writer.member("singly", singly)
        writer.member("singly_floor", singlyFloor)
        writer.member("own", own)
        writer.member("own_floor", ownFloor)
        writer.member("own_through", ownThrough)
        writer.member("version", version)
    }
}

extension BSONReader {
    /// A position, or -1 where sums are not known yet.
    fileprivate mutating func floor(_ name: StaticString) throws -> Int64 {
        let value = try integer(name)
        guard value == -1 || StoredCounter.range.contains(value) else { throw Self.damaged("'\(name)' is not a valid position") }
        return value
    }
}
