import EMSCore
import Synchronization
import Testing

/// What every ``MessageBroker`` does.
public enum MessageBrokerConformance {
    public static let cases: [ConformanceCase] = [
        ConformanceCase("What is published is received as it was, and gone once acknowledged") { fixture in
            let broker = fixture.broker
            let body = Array("Zoë's “party” 🎉\n".utf8) + [0, 255, 254]
            let message = BrokerMessage(messageID: ChangeID().description, routingKey: "event.updated", body: body)
            try await broker.publish([message])
            #expect(try await broker.status() == BrokerStatus(depth: 1, unacknowledged: 0, deadLetters: 0))
            let deliveries = try await received(1, from: broker)
            #expect(deliveries.map(\.content) == [message])
            #expect(deliveries.map(\.signature) == [.valid])
            #expect(deliveries.map(\.attempt) == [1])
            #expect(try await broker.status().depth == 1)
            try await broker.acknowledge(deliveries)
            #expect(try await broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 0))
            #expect(try await broker.receive(limit: 10, waiting: false).isEmpty)
        },
        ConformanceCase("An empty queue delivers nothing, and nothing can be done with nothing") { fixture in
            let broker = fixture.broker
            try await broker.publish([])
            try await broker.acknowledge([])
            try await broker.release([])
            let deliveries = try await broker.receive(limit: 10, waiting: false)
            #expect(deliveries.isEmpty)
            #expect(try await broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 0))
        },
        ConformanceCase("Messages come in the order they were published, no more at once than asked for") { fixture in
            let broker = fixture.broker
            let messages = (0..<12).map { Samples.brokerMessage("\($0)") }
            try await broker.publish(Array(messages[..<5]))
            try await broker.publish(Array(messages[5...]))
            var seen: [BrokerMessage] = []
            while seen.count < 12 {
                let batch = try await received(1, upTo: 5, from: broker)
                if batch.isEmpty { break }
                #expect(batch.count <= 5)
                seen += batch.map(\.content)
            }
            #expect(seen == messages)
        },
        ConformanceCase("What one consumer holds is not delivered to another, and what it acknowledges leaves the rest") { fixture in
            let broker = fixture.broker
            let messages = (0..<4).map { Samples.brokerMessage("\($0)") }
            try await broker.publish(messages)
            let first = try await received(2, upTo: 2, from: broker)
            let second = try await received(2, upTo: 10, from: broker)
            #expect((first + second).map(\.content) == messages)
            #expect(try await broker.receive(limit: 10, waiting: false).isEmpty)
            try await broker.acknowledge(first)
            #expect(try await broker.status().depth == 2)
            try await broker.acknowledge(second)
            #expect(try await broker.status().depth == 0)
        },
        ConformanceCase("Four consumers at once get every message, and none of them twice") { fixture in
            let broker = fixture.broker
            let messages = (0..<120).map { Samples.brokerMessage("\($0)") }
            try await broker.publish(messages)
            let remaining = Mutex(messages.count)
            let results = await concurrently(4) { _ in
                var seen: [String] = []
                let deadline = ContinuousClock.now.advanced(by: .seconds(30))
                while remaining.withLock({ $0 }) > 0, ContinuousClock.now < deadline {
                    let batch = try await broker.receive(limit: 7, waiting: false)
                    try await broker.acknowledge(batch)
                    seen += batch.map(\.message.messageID)
                    remaining.withLock { $0 -= batch.count }
                    if batch.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
                }
                return seen
            }
            let seen = try results.flatMap { try $0.get() }
            #expect(seen.count == messages.count)
            #expect(Set(seen) == Set(messages.map(\.messageID)))
            #expect(try await broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 0))
        },
        ConformanceCase("What is given back comes again, before what came later, with the attempts counted") { fixture in
            let broker = fixture.broker
            let messages = (0..<3).map { Samples.brokerMessage("\($0)") }
            try await broker.publish(messages)
            for attempt in 1...3 {
                let held = try await received(2, upTo: 2, from: broker)
                #expect(held.map(\.content) == Array(messages[..<2]))
                #expect(held.map(\.attempt) == [attempt, attempt])
                try await broker.release(held)
            }
            let all = try await received(3, from: broker)
            #expect(all.map(\.content) == messages)
            #expect(all.map(\.attempt) == [4, 4, 1])
        },
        ConformanceCase("What is rejected goes to the dead letters, does not come again, and blocks nothing") { fixture in
            let broker = fixture.broker
            let messages = (0..<3).map { Samples.brokerMessage("\($0)") }
            try await broker.publish(messages)
            let deliveries = try await received(3, from: broker)
            let middle = try #require(deliveries.dropFirst().first)
            try await broker.reject(middle, reason: "it's “bad”")
            try await broker.release(deliveries.filter { $0.tag != middle.tag })
            let status = { try await broker.status() }
            #expect(
                try await eventually {
                    let status = try await status()
                    return status.depth == 2 && status.deadLetters == 1
                })
            let again = try await received(2, from: broker)
            #expect(again.map(\.content) == [messages[0], messages[2]])
            try await broker.acknowledge(again)
            #expect(try await broker.receive(limit: 10, waiting: false).isEmpty)
            #expect(try await broker.status() == BrokerStatus(depth: 0, unacknowledged: 0, deadLetters: 1))
        },
        ConformanceCase("Who waits is woken by a publication") { fixture in
            let broker = fixture.broker
            let waiter = Task { try await broker.receive(limit: 10, waiting: true) }
            // Whether the waiting has begun by now or not, the message must arrive.
            for _ in 0..<100 { await Task.yield() }
            let message = Samples.brokerMessage()
            try await broker.publish([message])
            let deliveries = try await waiter.value
            #expect(deliveries.map(\.content) == [message])
        },
        ConformanceCase("Who waits gets at once what waits already") { fixture in
            let broker = fixture.broker
            let message = Samples.brokerMessage()
            try await broker.publish([message])
            let deliveries = try await broker.receive(limit: 10, waiting: true)
            #expect(deliveries.map(\.content) == [message])
        },
        ConformanceCase("Waiting ends with nothing when the task is cancelled, whenever that is, and takes no message along") { fixture in
            let broker = fixture.broker
            for round in 0..<40 {
                let waiter = Task { try await broker.receive(limit: 10, waiting: true) }
                // From before it begins to well into the waiting.
                if round > 0 { try await Task.sleep(for: .microseconds(round * round * 20)) }
                waiter.cancel()
                let deliveries = try await waiter.value
                #expect(deliveries.isEmpty, "round \(round)")
            }
            let message = Samples.brokerMessage()
            try await broker.publish([message])
            let deliveries = try await received(1, from: broker)
            #expect(deliveries.map(\.content) == [message])
        },
    ]

    /// Receives until there are so many, or a deadline has passed: a broker over the network may take a moment.
    private static func received(_ count: Int, upTo limit: Int = 10, from broker: any MessageBroker) async throws -> [Delivery] {
        var deliveries: [Delivery] = []
        _ = try await eventually {
            deliveries += try await broker.receive(limit: min(limit, max(count, limit) - deliveries.count), waiting: false)
            return deliveries.count >= count
        }
        return deliveries
    }
}

extension Delivery {
    /// The message as it was before it was signed.
    fileprivate var content: BrokerMessage {
        BrokerMessage(messageID: message.messageID, routingKey: message.routingKey, body: message.body)
    }
}
