@testable import EMSRabbitMQ
import Testing

@Suite("The ledger of unconfirmed messages")
struct PublishLedgerTests {
    typealias Ledger = PublishLedger<String>

    @Test("A batch is done when its last message is confirmed, in whatever order")
    func outOfOrder() {
        var ledger = Ledger()
        ledger.publish("a", ["1", "2", "3"])
        #expect(ledger.confirmed(3, isMultiple: false, isPositive: true).isEmpty)
        #expect(ledger.confirmed(1, isMultiple: false, isPositive: true).isEmpty)
        #expect(done(ledger.confirmed(2, isMultiple: false, isPositive: true)) == ["a: confirmed"])
        #expect(ledger.isEmpty)
    }

    @Test("One confirm may be for all messages up to it, of several batches")
    func multiple() {
        var ledger = Ledger()
        ledger.publish("a", ["1", "2"])
        ledger.publish("b", ["3"])
        ledger.publish("c", ["4", "5"])
        #expect(done(ledger.confirmed(4, isMultiple: true, isPositive: true)) == ["a: confirmed", "b: confirmed"])
        #expect(ledger.batches == ["c"])
        #expect(done(ledger.confirmed(5, isMultiple: true, isPositive: true)) == ["c: confirmed"])
    }

    @Test("A message that comes back fails its batch, once that is confirmed, and no other")
    func returned() {
        var ledger = Ledger()
        ledger.publish("a", ["1", "2"])
        ledger.publish("b", ["3"])
        ledger.returned("2", "312 NO_ROUTE")
        #expect(done(ledger.confirmed(3, isMultiple: true, isPositive: true)) == ["a: unroutable(\"312 NO_ROUTE\")", "b: confirmed"])
    }

    @Test("A message that the server refuses fails its batch")
    func refused() {
        var ledger = Ledger()
        ledger.publish("a", ["1", "2"])
        #expect(ledger.confirmed(1, isMultiple: false, isPositive: false).isEmpty)
        #expect(done(ledger.confirmed(2, isMultiple: false, isPositive: true)) == ["a: refused"])
    }

    @Test("Confirms that were heard before, or are for nothing, change nothing")
    func repeated() {
        var ledger = Ledger()
        ledger.publish("a", ["1", "2"])
        #expect(ledger.confirmed(1, isMultiple: false, isPositive: true).isEmpty)
        #expect(ledger.confirmed(1, isMultiple: false, isPositive: true).isEmpty)
        #expect(ledger.confirmed(0, isMultiple: true, isPositive: true).isEmpty)
        #expect(ledger.confirmed(9, isMultiple: true, isPositive: true).isEmpty)
        #expect(done(ledger.confirmed(2, isMultiple: true, isPositive: true)) == ["a: confirmed"])
    }

    @Test("A hundred thousand messages go through in batches, with confirms of every kind")
    func long() {
        var ledger = PublishLedger<Int>()
        var finished: Set<Int> = []
        var tag: UInt64 = 0
        for batch in 0..<1000 {
            ledger.publish(batch, (0..<100).map { "\($0)" })
            if batch.isMultiple(of: 2) {
                tag += 100
                finished.formUnion(ledger.confirmed(tag, isMultiple: true, isPositive: true).map(\.batch))
            } else {
                for _ in 0..<100 {
                    tag += 1
                    finished.formUnion(ledger.confirmed(tag, isMultiple: false, isPositive: true).map(\.batch))
                }
            }
        }
        #expect(finished == Set(0..<1000))
        #expect(ledger.isEmpty)
    }

    private func done(_ batches: [(batch: String, outcome: Ledger.Outcome)]) -> [String] {
        batches.map { "\($0.batch): \($0.outcome)" }
    }
}
