import Testing

@testable import EMSServer

@Suite("The life of a WebSocket session")
struct SessionStateTests {
    private typealias State = SessionState<String>

    private func name(_ action: State.LiveAction) -> String {
        switch action {
        case .send(let frame): "send \(frame)"
        case .hold: "hold"
        case .drop: "drop"
        case .overflow: "overflow"
        }
    }

    @Test("While catching up, live notifications are held back")
    func holding() {
        var state = State(holdLimit: 10)
        #expect(state.isOpen)
        #expect(name(state.received("a", at: 1)) == "hold")
        #expect(name(state.received("b", at: 2)) == "hold")
    }

    @Test("What was held back beyond the replay follows it, in its order; what the replay told is not told again")
    func catchingUp() {
        var state = State(holdLimit: 10)
        for (frame, position) in [("a", 4), ("b", 5), ("c", 6), ("d", 8)] as [(String, Int64)] {
            #expect(name(state.received(frame, at: position)) == "hold")
        }
        #expect(state.caughtUp(to: 5) == ["c", "d"])
        #expect(state.isOpen)
    }

    @Test("Who missed nothing gets nothing held back, and then what is live")
    func nothingHeld() {
        var state = State(holdLimit: 10)
        #expect(state.caughtUp(to: 7) == [])
        #expect(name(state.received("a", at: 8)) == "send a")
        #expect(name(state.received("b", at: 20)) == "send b")
    }

    @Test("A live notification that the replay told already is dropped, whenever it comes")
    func late() {
        var state = State(holdLimit: 10)
        _ = state.caughtUp(to: 7)
        #expect(name(state.received("a", at: 6)) == "drop")
        #expect(name(state.received("b", at: 7)) == "drop")
        #expect(name(state.received("c", at: 8)) == "send c")
    }

    @Test("More than the limit is not held back")
    func overflow() {
        var state = State(holdLimit: 2)
        #expect(name(state.received("a", at: 1)) == "hold")
        #expect(name(state.received("b", at: 2)) == "hold")
        #expect(name(state.received("c", at: 3)) == "overflow")
    }

    @Test("This side closes once, and then sends nothing", arguments: [false, true])
    func closing(isLive: Bool) {
        var state = State(holdLimit: 2)
        if isLive { _ = state.caughtUp(to: 0) }
        #expect(state.close(code: 1001) == .sendClose(1001))
        #expect(!state.isOpen)
        #expect(state.close(code: 1011) == .nothing)
        #expect(name(state.received("a", at: 9)) == "drop")
    }

    @Test("A replay that ends after the closing tells nothing")
    func closedWhileCatchingUp() {
        var state = State(holdLimit: 2)
        #expect(name(state.received("a", at: 9)) == "hold")
        _ = state.close(code: 1001)
        #expect(state.caughtUp(to: 0) == [])
        #expect(!state.isOpen)
    }

    @Test("The peer's close is answered with its code, and ends the connection", arguments: [false, true])
    func peerCloses(isLive: Bool) {
        var state = State(holdLimit: 2)
        if isLive { _ = state.caughtUp(to: 0) }
        #expect(state.receivedClose(code: 1000) == [.sendClose(1000), .disconnect])
        #expect(!state.isOpen)
    }

    @Test("The peer's answer to a close ends the connection, and is not answered")
    func peerAnswers() {
        var state = State(holdLimit: 2)
        _ = state.close(code: 4001)
        #expect(state.receivedClose(code: 4001) == [.disconnect])
        #expect(state.receivedClose(code: 4001) == [])
    }

    @Test("A connection that is gone does nothing more")
    func gone() {
        var state = State(holdLimit: 2)
        state.disconnected()
        #expect(!state.isOpen)
        #expect(state.close(code: 1001) == .nothing)
        #expect(state.receivedClose(code: 1000) == [])
        #expect(name(state.received("a", at: 1)) == "drop")
        #expect(state.caughtUp(to: 0) == [])
    }
}
