import EMSMongoDB
import StoreConformance
import Testing

/// Each case also looks at the plan of every query it made: see ``Profile``.
@Suite("The MongoDB adapter as every port wants it, on a replica set", .enabled(if: TestServer.isHere, TestServer.hint))
struct MongoConformanceTests {
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

    private func run(_ behaviour: ConformanceCase) async throws {
        try await check(behaviour, on: .replicaSet)
    }
}

/// No transaction spans documents, so that a server without a replica set will do.
@Suite("The MongoDB adapter on a standalone server", .enabled(if: TestServer.standaloneURL != nil, TestServer.hint))
struct MongoStandaloneTests {
    @Test(
        "Every port",
        arguments: UserStoreConformance.cases + EventStoreConformance.cases + EventSearchConformance.cases
            + ChangeOutboxConformance.cases + JournalStoreConformance.cases + JournalRetentionConformance.cases
            + NotificationStoreConformance.cases
            + AudienceConformance.cases + SubscriptionStoreConformance.cases
            + TokenStoreConformance.cases + RateLimitStoreConformance.cases + LoginStoreConformance.cases
            + ConsumerStoreConformance.cases)
    func everyPort(_ behaviour: ConformanceCase) async throws {
        try await check(behaviour, on: .standalone)
    }
}

private func check(_ behaviour: ConformanceCase, on databases: TestDatabases) async throws {
    try await databases.withBackend { backend in
        try await behaviour.check(StoreFixture(stores: backend.stores, broker: NoBroker(), feed: NoBroker()))
    }
}
