/// How long a client may take over a request, as a value: what comes in changes the state, which deadline holds comes out. No I/O and no
/// clock.
///
/// Whoever sends a byte now and then must not keep a connection for ever ("slow loris"), nor whoever asks and does not read the answer.
struct RequestClock: Equatable {
    enum Limit {
        /// From the beginning of a connection, or from an answer, to the next request's first byte.
        static let idleSeconds = 60
        /// From a request's first byte to the end of its head.
        static let headSeconds = 15
        /// From the end of the head to the end of the body.
        static let bodySeconds = 30
        /// How many bytes a head may have: more than the decoder takes, and what comes after a request that is the last.
        static let headBytes = 256 * 1024
        /// How long an answer may wait for the client to read it.
        static let writeSeconds = 60
    }

    enum Deadline: Equatable {
        /// It has been too much: the connection is closed at once.
        case now
        /// In so many seconds from now the connection is closed, unless something happens before.
        case seconds(Int)
        case none
        /// What was set before goes on.
        case unchanged
    }

    private enum Reading: Equatable {
        case nothing
        case head
        case body
    }

    private var reading = Reading.nothing
    private var unanswered = 0

    /// Whether every request has its answer, and the next one has not come, or not all of its head.
    var isWaiting: Bool { unanswered == 0 }

    private var isStuck = false
    private var headBytes = 0

    /// A client has connected.
    func opened() -> Deadline { .seconds(Limit.idleSeconds) }

    /// Bytes arrived.
    mutating func receivedBytes(_ count: Int) -> Deadline {
        guard reading != .body else { return .unchanged }
        headBytes += count
        if headBytes > Limit.headBytes { return .now }
        guard reading == .nothing, !isStuck else { return .unchanged }
        reading = .head
        return deadline
    }

    /// A request's head is whole.
    mutating func receivedHead() -> Deadline {
        reading = .body
        unanswered += 1
        headBytes = 0
        return deadline
    }

    /// A request's body is whole.
    mutating func receivedEnd() -> Deadline {
        reading = .nothing
        return deadline
    }

    /// A request has its answer.
    mutating func answered() -> Deadline {
        unanswered = max(0, unanswered - 1)
        return reading == .nothing ? deadline : .unchanged
    }

    /// Whether the socket takes what is written has changed.
    mutating func writabilityChanged(isWritable: Bool) -> Deadline {
        guard isStuck == isWritable else { return .unchanged }
        isStuck = !isWritable
        return deadline
    }

    private var deadline: Deadline {
        if isStuck { return .seconds(Limit.writeSeconds) }
        switch reading {
        case .nothing: return isWaiting ? .seconds(Limit.idleSeconds) : .none
        case .head: return .seconds(Limit.headSeconds)
        case .body: return .seconds(Limit.bodySeconds)
        }
    }
}
