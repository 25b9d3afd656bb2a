import EMSCore
import Testing

/// What every ``LoginStore`` does.
public enum LoginStoreConformance {
    public static let cases: [ConformanceCase] = [
        ConformanceCase("The first failures have no consequence, further ones lock for ever longer, and only for unknown addresses") {
            fixture in
            let logins = fixture.stores.logins
            var now = Samples.epoch
            for _ in 1...LoginDelay.freeAttempts {
                #expect(try await logins.begin("user:a", from: "192.0.2.1", at: now) == .admitted)
            }
            for expected in [1, 2, 4, 8] as [Int64] {
                let until = now.adding(seconds: expected)
                #expect(try await logins.begin("user:a", from: "192.0.2.2", at: now) == .locked(until: until))
                #expect(try await logins.begin("user:a", from: "192.0.2.2", at: until.adding(milliseconds: -1)) == .locked(until: until))
                now = until
                #expect(try await logins.begin("user:a", from: "192.0.2.2", at: now) == .admitted)
            }
            #expect(try await logins.begin("user:b", from: "192.0.2.2", at: now) == .admitted)
            let failures = try #require(try await logins.failures(of: "user:a", at: now))
            #expect(failures.count == 9 && failures.lastAddress == "192.0.2.2" && failures.last == now)
            #expect(failures.lockedUntil == now.adding(seconds: 16))
            #expect(try await logins.failures(of: "user:a", at: now.adding(seconds: LoginDelay.memorySeconds)) == nil)
        },
        ConformanceCase("An address that the account logged in from is never locked out, and a success forgets the failures") { fixture in
            let logins = fixture.stores.logins
            let now = Samples.epoch
            #expect(try await logins.begin("user:a", from: "home", at: now) == .admitted)
            try await logins.succeed("user:a", from: "home", at: now)
            #expect(try await logins.failures(of: "user:a", at: now) == nil)
            for _ in 1...LoginDelay.freeAttempts { _ = try await logins.begin("user:a", from: "elsewhere", at: now) }
            #expect(try await logins.begin("user:a", from: "elsewhere", at: now) == .locked(until: now.adding(seconds: 1)))
            for _ in 1...9 { #expect(try await logins.begin("user:a", from: "home", at: now) == .admitted) }
            try await logins.succeed("user:a", from: "home", at: now)
            #expect(try await logins.begin("user:a", from: "elsewhere", at: now) == .admitted)
        },
        ConformanceCase("With a user go the failures and addresses of the account") { fixture in
            let user = try await fixture.add(Samples.user("ada"))
            let (logins, account) = (fixture.stores.logins, LoginFailures.account(user.id))
            #expect(try await logins.begin(account, from: "home", at: Samples.epoch) == .admitted)
            try await logins.succeed(account, from: "home", at: Samples.epoch)
            for _ in 0...LoginDelay.freeAttempts { _ = try await logins.begin(account, from: "elsewhere", at: Samples.epoch) }
            #expect(try await fixture.stores.users.delete(id: user.id, at: Samples.epoch))
            #expect(try await logins.failures(of: account, at: Samples.epoch) == nil)
            for _ in 1...LoginDelay.freeAttempts { _ = try await logins.begin(account, from: "elsewhere", at: Samples.epoch) }
            #expect(
                try await logins.begin(account, from: "home", at: Samples.epoch) == .locked(until: Samples.epoch.adding(seconds: 1)))
        },
        ConformanceCase("Attempts that have no consequence lock nobody out, in whatever order their times come") { fixture in
            let logins = fixture.stores.logins
            for attempt in 0..<LoginDelay.freeAttempts {
                let moment = Samples.epoch.adding(seconds: -Int64(attempt))
                let admission = try await logins.begin("user:a", from: "elsewhere", at: moment)
                #expect(admission == .admitted)
            }
        },
        ConformanceCase("An operator ends a lock") { fixture in
            let logins = fixture.stores.logins
            let now = Samples.epoch
            for _ in 0...LoginDelay.freeAttempts { _ = try await logins.begin("user:a", from: "x", at: now) }
            #expect(try await logins.clear("user:a"))
            #expect(try await !logins.clear("user:a"))
            #expect(try await logins.failures(of: "user:a", at: now) == nil)
            #expect(try await logins.begin("user:a", from: "x", at: now) == .admitted)
        },
        ConformanceCase("Of many attempts at once, no more than the free ones are admitted") { fixture in
            let logins = fixture.stores.logins
            let results = await concurrently(16) { _ in try await logins.begin("user:a", from: "x", at: Samples.epoch) }
            let outcomes = try results.map { try $0.get() }
            #expect(outcomes.count { $0 == .admitted } == LoginDelay.freeAttempts)
        },
        ConformanceCase("Only the addresses used last are remembered") { fixture in
            let logins = fixture.stores.logins
            let now = Samples.epoch
            for index in 0...LoginDelay.addressLimit {
                try await logins.succeed("user:a", from: "address \(index)", at: now.adding(seconds: Int64(index)))
            }
            for _ in 1...LoginDelay.freeAttempts { _ = try await logins.begin("user:a", from: "x", at: now) }
            #expect(try await logins.begin("user:a", from: "address 0", at: now) != .admitted)
            #expect(try await logins.begin("user:a", from: "address 1", at: now) == .admitted)
            #expect(try await logins.begin("user:a", from: "address \(LoginDelay.addressLimit)", at: now) == .admitted)
        },
    ]
}
