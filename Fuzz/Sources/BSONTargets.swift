@testable import EMSCore
@testable import EMSMongoDB

/// What a server sends is read within its bounds or refused as damaged; an event, a notification or an inbox that was read is written
/// and read again as the same.
@Sendable func fuzzBSON(_ bytes: [UInt8]) {
    let document = BSONDocument(bytes: bytes)
    _ = accepted { try document.read { try walk(&$0, depth: 0) } }
    if let event = accepted({ try document.read { try EventDocument.event(&$0) } }) {
        let again = accepted { try EventDocument.make(event, change: nil, idempotency: nil).read { try EventDocument.living(&$0) } }
        expect(again == event || event.coordinates?.isNumber == false, "\(event) became \(String(describing: again))")
        _ = event.json()
    }
    if let change = accepted({ try document.read { try EventDocument.change(&$0) } }) {
        let written = BSONDocument { EventDocument.change(change, to: &$0) }
        let again = accepted { try written.read { try EventDocument.change(&$0) } }
        expect(again == change || change.event.coordinates?.isNumber == false, "\(change) became \(String(describing: again))")
    }
    if let notification = accepted({ try document.read { try NotificationDocument.incomplete(&$0) } }) ?? nil {
        let again = accepted { try notification.document.read { try NotificationDocument.incomplete(&$0) } } ?? nil
        expect(again?.recorded == notification.recorded, "\(notification) became \(String(describing: again))")
        _ = notification.recorded.notification.json()
    }
    _ = accepted { try document.read { try NotificationDocument.recorded(&$0) } }
    if let inbox = accepted({ try document.read { try InboxState(&$0) } }) {
        let written = BSONDocument { inbox.encode(to: &$0) }
        expect(accepted { try written.read { try InboxState(&$0) } } == inbox, "an inbox changes")
    }
}

/// Reads each element in every way there is.
private func walk(_ reader: inout BSONReader, depth: Int) throws {
    while let element = try reader.next() {
        _ = element.text
        _ = element.number
        _ = element.integer
        _ = element.bool
        _ = element.date?.description
        _ = element.binary
        if element.type == BSONType.document || element.type == BSONType.array, depth < 32 {
            var nested = try element.nested()
            try walk(&nested, depth: depth + 1)
        }
    }
    var fields = reader
    _ = try fields.find("title")
    _ = try fields.optionalText("message")
    _ = try fields.array("tags") { $0.text }
}

extension Coordinates {
    /// Not a number differs from itself.
    fileprivate var isNumber: Bool { !latitude.isNaN && !longitude.isNaN }
}
