import Testing

@testable import EMSCore

@Suite("Pauses between tries")
struct BackoffTests {
    @Test("Every pause lies between 50 ms and what doubling allows, and never above 5 s")
    func bounds() {
        for _ in 0..<100 {
            var backoff = Backoff()
            for attempt in 0..<30 {
                let pause = backoff.next()
                #expect(pause >= .milliseconds(50))
                #expect(pause <= min(.seconds(5), .milliseconds(50) * (1 << min(attempt, 20))))
            }
        }
    }

    @Test("Late pauses differ, and are longer than early ones on the average")
    func jitter() {
        var late: [Duration] = []
        for _ in 0..<200 {
            var backoff = Backoff()
            for _ in 0..<12 { _ = backoff.next() }
            late.append(backoff.next())
        }
        #expect(Set(late).count > 100)
        let mean = late.reduce(.zero, +) / 200
        #expect(mean > .milliseconds(1500))
        #expect(mean < .milliseconds(3500))
    }

    @Test("After a reset the pauses begin anew")
    func reset() {
        var backoff = Backoff()
        let first = backoff.next()
        for _ in 0..<10 { _ = backoff.next() }
        backoff.reset()
        #expect(backoff.next() == first)
    }
}
