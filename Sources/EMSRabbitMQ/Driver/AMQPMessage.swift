/// A value in the headers of a message or the arguments of a queue.
enum AMQPValue: Sendable, Equatable {
    case text(String)
    case integer(Int64)
    case bool(Bool)
    case table([String: AMQPValue])
}

/// A message as it is published.
struct OutgoingMessage: Sendable {
    let exchange: String
    let routingKey: String
    let body: [UInt8]
    var messageID: String?
    var type: String?
    var headers: [(name: String, value: AMQPValue)] = []
    /// Written to disk before it is confirmed.
    var isPersistent = true
    /// Comes back where no queue takes it.
    var isMandatory = true
}

/// A message as it comes.
struct IncomingMessage: Sendable {
    let exchange: String
    let routingKey: String
    let body: [UInt8]
    let messageID: String
    let headers: [String: AMQPValue]
    let deliveryTag: UInt64

    /// The text in a header; `nil` where there is none of that name.
    func text(_ header: String) -> String? {
        if case .text(let text)? = headers[header] { text } else { nil }
    }
}

/// A message whose headers librabbitmq cannot read, such as headers in headers a thousand deep. The connection that it came on is of no
/// more use.
struct UnreadableMessage: Error {
    let deliveryTag: UInt64
}

/// What the server tells unasked.
enum AMQPEvent: Sendable {
    case confirmed(tag: UInt64, isMultiple: Bool, isPositive: Bool)
    case returned(messageID: String, reason: String)
    case delivered(IncomingMessage)
    /// The queue that was consumed from is gone, or moved.
    case consumerCancelled
    case closed(code: UInt16, reason: String)
    /// Something that asks for nothing: a heartbeat, a blocked or unblocked connection.
    case nothing
}

/// How a queue is.
struct QueueState: Sendable, Equatable {
    let messages: Int
    let consumers: Int
}
