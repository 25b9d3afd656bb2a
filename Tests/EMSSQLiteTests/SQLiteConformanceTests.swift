import EMSSQLite
import StoreConformance
import Testing

@Suite("The SQLite adapter as every port wants it")
struct SQLiteConformanceTests {
    @Test("Users", arguments: UserStoreConformance.cases)
    func users(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    @Test("Events", arguments: EventStoreConformance.cases)
    func events(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    @Test("Search", arguments: EventSearchConformance.cases)
    func search(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    @Test("Pending changes", arguments: ChangeOutboxConformance.cases)
    func outbox(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    @Test("Journal", arguments: JournalStoreConformance.cases + JournalRetentionConformance.cases)
    func journal(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    @Test("Notifications", arguments: NotificationStoreConformance.cases)
    func notifications(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    @Test("Large audiences", arguments: AudienceConformance.cases)
    func audiences(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    @Test("Subscriptions", arguments: SubscriptionStoreConformance.cases)
    func subscriptions(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    @Test("Tokens", arguments: TokenStoreConformance.cases)
    func tokens(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    @Test("Rate limits", arguments: RateLimitStoreConformance.cases)
    func rateLimits(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    @Test("Log-ins", arguments: LoginStoreConformance.cases)
    func logins(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    @Test("Consumers", arguments: ConsumerStoreConformance.cases)
    func consumers(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    @Test("Live feed", arguments: LiveFeedConformance.cases)
    func feed(_ behaviour: ConformanceCase) async throws { try await run(behaviour) }

    private func run(_ behaviour: ConformanceCase) async throws {
        try await withBackend { backend in
            try await behaviour.check(StoreFixture(stores: backend.stores, broker: NoBroker(), feed: backend.feed))
        }
    }
}
