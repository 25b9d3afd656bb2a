import Testing

@testable import EMSServer

@Suite("How long a client may take over a request")
struct RequestClockTests {
    private typealias Limit = RequestClock.Limit

    @Test("A request has a deadline for its head, one for its body, none while it is worked on, and one for the next to come")
    func request() {
        var clock = RequestClock()
        #expect(clock.opened() == .seconds(Limit.idleSeconds))
        for _ in 0..<2 {
            #expect(clock.receivedBytes(10) == .seconds(Limit.headSeconds))
            #expect(clock.receivedHead() == .seconds(Limit.bodySeconds))
            #expect(clock.receivedEnd() == .none)
            #expect(!clock.isWaiting)
            #expect(clock.answered() == .seconds(Limit.idleSeconds))
            #expect(clock.isWaiting)
        }
    }

    @Test("A byte now and then does not move a deadline")
    func dribble() {
        var clock = RequestClock()
        _ = clock.receivedBytes(1)
        for _ in 0..<100 { #expect(clock.receivedBytes(1) == .unchanged) }
        _ = clock.receivedHead()
        for _ in 0..<100 { #expect(clock.receivedBytes(1) == .unchanged) }
    }

    @Test("A body may be long, a head may not")
    func tooMuch() {
        var clock = RequestClock()
        _ = clock.receivedBytes(1)
        _ = clock.receivedHead()
        #expect(clock.answered() == .unchanged, "the body is still to come")
        #expect(clock.receivedBytes(10 * Limit.headBytes) == .unchanged)
        _ = clock.receivedEnd()
        #expect(clock.receivedBytes(Limit.headBytes) == .seconds(Limit.headSeconds))
        #expect(clock.receivedBytes(1) == .now)
    }

    @Test("Whoever does not read the answer has a deadline, which ends when it is read")
    func stuck() {
        var clock = RequestClock()
        #expect(clock.writabilityChanged(isWritable: true) == .unchanged)
        #expect(clock.writabilityChanged(isWritable: false) == .seconds(Limit.writeSeconds))
        #expect(clock.writabilityChanged(isWritable: false) == .unchanged)
        #expect(clock.receivedBytes(1) == .unchanged)
        #expect(clock.writabilityChanged(isWritable: true) == .seconds(Limit.idleSeconds))
    }
}
