import EMSCore
import Testing

/// What every ``ConsumerStore`` does.
public enum ConsumerStoreConformance {
    public static let cases: [ConformanceCase] = [
        ConformanceCase("A report replaces the earlier one of its process, until it is removed or too old") { fixture in
            let consumers = fixture.stores.consumers
            func report(_ process: String, _ failure: String, at moment: Timestamp) -> ConsumerReport {
                ConsumerReport(
                    process: process, unacknowledged: 3, failingSince: Samples.epoch, failure: failure, reportedAt: moment)
            }
            let now = Samples.hour(1)
            try await consumers.save(report("a", "first", at: now))
            try await consumers.save(report("b", "other", at: now))
            let later = report("a", "second", at: now.adding(seconds: 10))
            try await consumers.save(later)
            #expect(try await consumers.reports(since: now) == [later, report("b", "other", at: now)])
            #expect(try await consumers.reports(since: now.adding(seconds: 1)) == [later])
            try await consumers.removeReport(of: "b")
            #expect(try await consumers.reports(since: Samples.epoch) == [later])
            let muchLater = report("c", "third", at: now.adding(seconds: 2 * ConsumerReport.lifetimeSeconds))
            try await consumers.save(muchLater)
            #expect(try await consumers.reports(since: Samples.epoch) == [muchLater])
            try await consumers.removeReport(of: "c")
        },
        ConformanceCase("When the newest notification was recorded is known") { fixture in
            let (consumers, notifications) = (fixture.stores.consumers, fixture.stores.notifications)
            #expect(try await consumers.lastRecordedAt() == nil)
            let before = Timestamp.now()
            for _ in 0..<3 { _ = try await notifications.record([Samples.created()]) }
            let last = try #require(try await consumers.lastRecordedAt())
            #expect(last >= before && last <= Timestamp.now())
        },
        ConformanceCase("A consumer is paused and goes on, once each") { fixture in
            let consumers = fixture.stores.consumers
            #expect(try await !consumers.isPaused(.inbox))
            #expect(try await !consumers.setPaused(.inbox, false))
            #expect(try await consumers.setPaused(.inbox, true))
            #expect(try await !consumers.setPaused(.inbox, true))
            #expect(try await consumers.isPaused(.inbox))
            #expect(try await consumers.reports(since: Samples.epoch) == [])
            #expect(try await consumers.setPaused(.inbox, false))
            #expect(try await !consumers.isPaused(.inbox))
            try await consumers.setBack(.inbox, to: 1)
        },
        ConformanceCase("Unsigned messages are never accepted where version 0.1.0 never was") { fixture in
            let end = try await fixture.stores.consumers.unsignedMessagesEnd()
            #expect(end == nil)
        },
    ]
}
