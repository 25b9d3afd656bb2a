import Testing

@testable import EMSCore

@Suite("Wake-ups")
struct WakeupTests {
    /// Longer than any test may take: who waits that long has not been woken.
    static let long: Duration = .seconds(3600)

    @Test("A signal that came before the waiting is kept")
    func earlySignal() async {
        let wakeup = Wakeup()
        wakeup.signal()
        await wakeup.wait()
    }

    @Test("Signals that nobody waited for are kept as one")
    func oneSignal() async {
        let wakeup = Wakeup()
        for _ in 0..<5 { wakeup.signal() }
        await wakeup.wait()
        let waited = await ContinuousClock().measure { await wakeup.wait(upTo: .milliseconds(30)) }
        #expect(waited >= .milliseconds(30))
    }

    @Test("A signal wakes who waits, or will wait")
    func signal() async {
        let wakeup = Wakeup()
        for _ in 0..<200 {
            let waiter = Task { await wakeup.wait(upTo: Self.long) }
            wakeup.signal()
            await waiter.value
        }
    }

    @Test("Without a signal the waiting ends at its limit, and not before")
    func limit() async {
        let wakeup = Wakeup()
        let waited = await ContinuousClock().measure { await wakeup.wait(upTo: .milliseconds(30)) }
        #expect(waited >= .milliseconds(30))
    }

    @Test("Cancelling the task ends the waiting")
    func cancellation() async {
        for _ in 0..<200 {
            let wakeup = Wakeup()
            let waiter = Task { await wakeup.wait() }
            waiter.cancel()
            await waiter.value
        }
    }

    @Test("A cancelled task does not wait at all")
    func alreadyCancelled() async {
        let wakeup = Wakeup()
        let waiter = Task {
            while !Task.isCancelled { await Task.yield() }
            await wakeup.wait(upTo: Self.long)
        }
        waiter.cancel()
        await waiter.value
    }
}
