/// The life of a WebSocket session, as a value: what comes in changes the state, what is to be done comes out. No I/O and no clock.
///
/// A session begins by catching up: it learns up to which position the stream has been told to it (by a replay, or because it asked for
/// none), and holds live notifications back until then. What is held back twice, once by the replay and once by the feed, is told once.
struct SessionState<Frame> {
    enum CloseInitiator: Equatable {
        case server
        case client
    }

    private enum Phase {
        case catchingUp(held: [(position: Int64, frame: Frame)])
        case live(after: Int64)
        case closing
        case closed
    }

    enum LiveAction {
        case send(Frame)
        case hold
        case drop
        /// Too much is held back: the client reads too slowly.
        case overflow
    }

    enum CloseAction: Equatable {
        /// Send a close frame with this code, and expect the peer's.
        case sendClose(UInt16)
        /// Both sides have said it: end the connection.
        case disconnect
        case nothing
    }

    /// How many live notifications are held back while catching up.
    let holdLimit: Int
    private var phase: Phase = .catchingUp(held: [])

    init(holdLimit: Int) {
        self.holdLimit = holdLimit
    }

    /// Whether notifications and answers may still be sent.
    var isOpen: Bool {
        switch phase {
        case .catchingUp, .live: true
        case .closing, .closed: false
        }
    }

    /// A notification came over the live feed.
    mutating func received(_ frame: Frame, at position: Int64) -> LiveAction {
        switch phase {
        case .catchingUp(var held):
            guard held.count < holdLimit else { return .overflow }
            // Emptied first, so that the array is not shared while it grows.
            phase = .closed
            held.append((position, frame))
            phase = .catchingUp(held: held)
            return .hold
        case .live(let told):
            guard position > told else { return .drop }
            return .send(frame)
        case .closing, .closed:
            return .drop
        }
    }

    /// Whether everything from a position on is to be sent as it comes.
    func isLive(from position: Int64) -> Bool {
        if case .live(let told) = phase { position > told } else { false }
    }

    /// Everything up to and including `position` has been told.
    /// - Returns: what was held back and lies beyond, in its order.
    mutating func caughtUp(to position: Int64) -> [Frame] {
        switch phase {
        case .catchingUp(let held):
            phase = .live(after: position)
            return held.filter { $0.position > position }.map(\.frame)
        case .live:
            preconditionFailure("a session catches up once")
        case .closing, .closed:
            return []
        }
    }

    /// This side wants to end the connection.
    mutating func close(code: UInt16) -> CloseAction {
        switch phase {
        case .catchingUp, .live:
            phase = .closing
            return .sendClose(code)
        case .closing, .closed:
            return .nothing
        }
    }

    /// The peer sent a close frame.
    mutating func receivedClose(code: UInt16) -> [CloseAction] {
        switch phase {
        case .catchingUp, .live:
            phase = .closed
            return [.sendClose(code), .disconnect]
        case .closing:
            phase = .closed
            return [.disconnect]
        case .closed:
            return []
        }
    }

    /// The connection is gone.
    mutating func disconnected() {
        phase = .closed
    }
}
