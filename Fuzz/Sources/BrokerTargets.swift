@testable import EMSCore
@testable import EMSRabbitMQ

/// What comes from the broker is read or refused; a change or a notification that was read is written and read again as the same.
@Sendable func fuzzBroker(_ bytes: [UInt8]) {
    if let change = accepted({ try Change(id: changeID, body: bytes) }) {
        let again = accepted { try Change(id: changeID, body: change.json()) }
        expect(again == change, "\(change) became \(String(describing: again))")
    }
    if let recorded = accepted({ try LiveMessage.notifications(in: bytes) }) {
        for one in recorded { expectRoundTrip(one.notification) }
    }
    if let json = try? JSONParser.parse(bytes), let notification = accepted({ try Notification(json) }) { expectRoundTrip(notification) }
}

private let changeID = ChangeID()

private func expectRoundTrip(_ notification: Notification) {
    let again = (try? JSONParser.parse(notification.json())).flatMap { json in accepted { try Notification(json) } }
    expect(again == notification, "\(notification) became \(String(describing: again))")
}
