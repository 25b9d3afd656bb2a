import Testing

@testable import EMSServer

@Suite("How long a client may take over a request")
struct RequestClockTests {
    private typealias Limit = RequestClock.Limit

    @Test("A request has a deadline for its head, one for its body, and none between requests")
    func request() {
        var clock = RequestClock()
        #expect(clock.opened() == .seconds(Limit.idleSeconds))
        for _ in 0..<2 {
            #expect(clock.receivedBytes(10) == .seconds(Limit.headSeconds))
            #expect(clock.receivedHead() == .seconds(Limit.bodySeconds))
            #expect(clock.receivedEnd() == .none)
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
        #expect(clock.writabilityChanged(isWritable: true) == .none)
    }
}
