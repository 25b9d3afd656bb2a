import EMSCore
import Testing

extension RateLimitStore {
    /// In how many seconds the next attempt may be; `nil` where this one was counted.
    fileprivate func wait(_ key: String, limit: Int, window: Int64, at now: Timestamp) async throws -> Int? {
        let allowance = try await attempt(key, limit: limit, window: window, at: now)
        return allowance.isGranted ? nil : allowance.resetSeconds
    }
}

/// What every ``RateLimitStore`` does.
public enum RateLimitStoreConformance {
    public static let cases: [ConformanceCase] = [
        ConformanceCase("Of twenty attempts at once exactly as many pass as the limit says") { fixture in
            let limits = fixture.stores.rateLimits
            for limit in [1, 5, 19] {
                let results = await concurrently(20) { _ in
                    try await limits.wait("login \(limit)", limit: limit, window: 60, at: Samples.epoch)
                }
                let waits = try results.map { try $0.get() }
                #expect(waits.count { $0 == nil } == limit)
                #expect(waits.compactMap(\.self) == [Int](repeating: 60, count: 20 - limit))
            }
        },
        ConformanceCase("The wait lasts until the oldest counted attempt leaves the window, rounded up") { fixture in
            let limits = fixture.stores.rateLimits
            func attempt(at milliseconds: Int64) async throws -> Int? {
                try await limits.wait("k", limit: 2, window: 10, at: Timestamp(milliseconds: Samples.epoch.milliseconds + milliseconds))
            }
            for (milliseconds, expected) in [(0, nil), (4000, nil), (4000, 6), (4001, 6), (5000, 5), (9999, 1)] as [(Int64, Int?)] {
                let wait = try await attempt(at: milliseconds)
                #expect(wait == expected, "\(milliseconds) ms")
            }
        },
        ConformanceCase("Who waits as long as told may try again") { fixture in
            let limits = fixture.stores.rateLimits
            func attempt(at seconds: Int) async throws -> Int? {
                try await limits.wait("k", limit: 3, window: 60, at: Samples.epoch.adding(seconds: Int64(seconds)))
            }
            for second in [0, 7, 20] { #expect(try await attempt(at: second) == nil) }
            let wait = try #require(try await attempt(at: 31))
            #expect(try await attempt(at: 31 + wait - 1) != nil)
            #expect(try await attempt(at: 31 + wait) == nil)
        },
        ConformanceCase("The window slides: each attempt counts for itself, and refused ones do not count") { fixture in
            let limits = fixture.stores.rateLimits
            func passes(at seconds: Int64) async throws -> Bool {
                try await limits.wait("k", limit: 2, window: 10, at: Samples.epoch.adding(seconds: seconds)) == nil
            }
            let expected: [(Int64, Bool)] = [
                (0, true), (6, true), (7, false), (9, false), (10, true), (15, false), (16, true), (19, false), (20, true), (40, true),
            ]
            for (second, isExpected) in expected {
                let isPassed = try await passes(at: second)
                #expect(isPassed == isExpected, "second \(second)")
            }
        },
        ConformanceCase("It tells how many attempts are left, and when the oldest leaves") { fixture in
            let limits = fixture.stores.rateLimits
            for (second, remaining, reset) in [(0, 2, 60), (10, 1, 50), (20, 0, 40), (30, 0, 30), (60, 0, 10)] as [(Int64, Int, Int)] {
                let allowance = try await limits.attempt("told", limit: 3, window: 60, at: Samples.epoch.adding(seconds: second))
                #expect(
                    allowance == RateAllowance(limit: 3, remaining: remaining, resetSeconds: reset, isGranted: second != 30),
                    "second \(second)")
            }
        },
        ConformanceCase("Keys do not know of each other") { fixture in
            let limits = fixture.stores.rateLimits
            for expected in [nil, 60] as [Int?] {
                for key in ["a", "A", "b", "a ", "", "a%"] {
                    let wait = try await limits.wait(key, limit: 1, window: 60, at: Samples.epoch)
                    #expect(wait == expected, "'\(key)'")
                }
            }
        },
        ConformanceCase("A key with a short window does not shorten another's") { fixture in
            let limits = fixture.stores.rateLimits
            let first = try await limits.wait("hourly", limit: 1, window: 3600, at: Samples.epoch)
            #expect(first == nil)
            let later = Samples.epoch.adding(seconds: 100)
            _ = try await limits.wait("each minute", limit: 1, window: 60, at: later)
            let wait = try await limits.wait("hourly", limit: 1, window: 3600, at: later)
            #expect(wait == 3500)
        },
    ]
}
