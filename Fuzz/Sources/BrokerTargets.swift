@testable import EMSCore
@testable import EMSRabbitMQ

/// What comes from the broker is read or refused; a change or a notification that was read is written and read again as the same.
@Sendable func fuzzBroker(_ bytes: [UInt8]) {
    if let change = accepted({ try Change(id: changeID, message: bytes) }) {
        let again = accepted { try Change(id: changeID, message: change.message()) }
        expect(again == change, "\(change) became \(String(describing: again))")
    }
    if let change = accepted({ try Change(id: changeID, record: bytes) }) {
        let again = accepted { try Change(id: changeID, record: change.json()) }
        expect(again == change, "\(change) became \(String(describing: again))")
    }
    // An entry of the journal is read, or refused as damaged.
    _ = accepted { try SealedChange(canonical: bytes).change(at: 1) { _ in nil } }
    if let recorded = accepted({ try LiveMessage.notifications(in: bytes) }) {
        for one in recorded { expectRoundTrip(one.notification) }
    }
    if let json = try? JSONParser.parse(bytes), let notification = accepted({ try Notification(json) }) { expectRoundTrip(notification) }
}

/// A dead letter is shown, whatever its headers say: RabbitMQ's own (`x-death`), ours, or anybody's. Input: numbers and lines.
@Sendable func fuzzDeath(_ bytes: [UInt8]) {
    var script = Script(bytes)
    var headers: [String: AMQPValue] = [:]
    for name in ["x-death.time", "x-death.count", "x-delivery-count", "x-ems-attempts"] {
        headers[name] = script.flag() ? .integer(script.integer()) : .text(script.line())
    }
    for name in ["x-death.reason", "x-ems-reason", "x-ems-died-at", "x-ems-routing-key", "x-ems-signature"] {
        headers[name] = script.flag() ? .text(script.line()) : .integer(script.integer())
    }
    let message = IncomingMessage(
        exchange: "", routingKey: script.line(), body: script.bytes(100), messageID: script.line(), headers: headers,
        deliveryTag: script.integer())
    let letter = DeadLetter(message)
    expect((try? JSONParser.parse(letter.json())) != nil, "\(letter) is not shown")
    _ = letter.outgoing(to: Topology(exchange: "e", queue: "q").queue(of: .inbox))
    let signature = accepted { try signer.check(letter.message.signature, of: letter.message.body, id: "", for: .change) }
    expect(signature != .valid, "a signature was guessed")
}

private let signer = MessageSigner { [Array("a secret that no input knows".utf8)] }
private let changeID = ChangeID()

private func expectRoundTrip(_ notification: Notification) {
    let again = (try? JSONParser.parse(notification.json())).flatMap { json in accepted { try Notification(json) } }
    expect(again == notification, "\(notification) became \(String(describing: again))")
}
