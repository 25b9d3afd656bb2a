import EMSCore
import GRDB
import Testing

@testable import EMSSQLite

@Suite("Query plans")
struct QueryPlanTests {
    /// The tables that grow. What else a plan scans is the limited subquery of a search.
    static let tables: Set<String> = [
        "users", "events", "event_tags", "idempotency_keys", "journal", "subscriptions", "sessions", "refresh_tokens", "attempts",
        "notifications", "everyone_reads", "inbox_entries", "journal_texts", "consumer_letters",
    ]

    @Test("Every list of events goes along an index in its order", arguments: EventQuery.Sort.allCases)
    func listings(sort: EventQuery.Sort) async throws {
        try await withBackend { backend in
            for mask in 0..<32 {
                for cursor in [nil, PageCursor.key(value: 5, id: EventID().description)] {
                    let query = EventQuery(
                        tags: mask & 1 == 0 ? [] : ["t"], status: mask & 2 == 0 ? nil : .scheduled, createdBy: mask & 4 == 0 ? nil : "c",
                        startsAfter: mask & 8 == 0 ? nil : Timestamp(milliseconds: 1),
                        startsBefore: mask & 16 == 0 ? nil : Timestamp(milliseconds: 9), sort: sort, page: PageRequest(after: cursor))
                    let (sql, arguments) = EventListing(query).pageStatement()
                    let isUnfiltered = query.tags.isEmpty && query.status == nil && query.createdBy == nil
                    try await expectGoodPlan(sql, arguments, in: backend, mayScanIndex: isUnfiltered)
                }
            }
        }
    }

    @Test("Every search begins with its index, and looks its candidates up", arguments: EventQuery.Sort.allCases)
    func searches(sort: EventQuery.Sort) async throws {
        try await withBackend { backend in
            let area = EventQuery.Area(center: Coordinates(latitude: 50, longitude: 7), radiusKilometres: 10)
            for mask in 1..<8 {
                let query = EventQuery(
                    text: mask & 1 == 0 ? nil : "two words", location: mask & 2 == 0 ? nil : "town", area: mask & 4 == 0 ? nil : area,
                    sort: sort)
                for tier in SearchOrder.Tier.allCases {
                    guard let match = EventSearch(query).matchExpression(tier) else { continue }
                    let plan = try await expectGoodPlan(EventSearch.candidates, [match], in: backend)
                    #expect(plan.contains { $0.contains("VIRTUAL TABLE INDEX") }, "\(plan)")
                    #expect(plan.contains { $0.hasPrefix("SEARCH e USING INTEGER PRIMARY KEY") }, "\(plan)")
                }
            }
            let byPlace: [(String, StatementArguments)] = [
                (EventSearch.nearest, [50.0, 7.0, 10.0, 0.0]), (EventSearch.nearestWithText, [50.0, 7.0, 10.0, 0.0, "\"word\"*"]),
            ]
            for (sql, arguments) in byPlace {
                let plan = try await expectGoodPlan(sql, arguments, in: backend)
                #expect(plan.contains { $0.hasPrefix("SCAN p VIRTUAL TABLE INDEX") }, "\(plan)")
                #expect(plan.contains { $0.hasPrefix("SEARCH e USING INTEGER PRIMARY KEY") }, "\(plan)")
            }
        }
    }

    @Test("A text without words is not searched for at all", arguments: ["", " ", "*", "\"", "-- ()"])
    func noWords(text: String) {
        for query in [EventQuery(text: text), EventQuery(location: text)] {
            #expect(SearchOrder(query).isEmpty)
            for tier in SearchOrder.Tier.allCases { #expect(EventSearch(query).matchExpression(tier) == nil) }
        }
    }

    @Test("A page of an inbox is read along its index", arguments: [false, true])
    func inboxPages(unreadOnly: Bool) async throws {
        let user = UserID().description
        try await withBackend { backend in
            let everyones = SQLiteNotificationStore.everyonePage(unreadOnly: unreadOnly)
            let own = SQLiteNotificationStore.ownPage(unreadOnly: unreadOnly)
            for sql in [everyones, own] {
                try await expectGoodPlan(sql, [user, 0, Int64.max, 11], in: backend)
            }
        }
    }

    @Test("A replay is read along its index")
    func replays() async throws {
        let user = UserID().description
        try await withBackend { backend in
            try await expectGoodPlan(SQLiteNotificationStore.everyoneAfter, [0, 9, 11], in: backend)
            try await expectGoodPlan(SQLiteNotificationStore.ownAfter, [user, 0, 9, 11], in: backend)
            try await expectGoodPlan(SQLiteNotificationStore.tail, [0, 500], in: backend)
        }
    }

    @Test("The oldest notifications, and the messages that wait, are found from the end where they are")
    func oldest() async throws {
        try await withBackend { backend in
            try await expectGoodPlan(SQLiteNotificationStore.oldest, [], in: backend)
            try await expectGoodPlan(SQLiteChangeQueue.due, ["inbox", 0, 120_000, 256], in: backend)
            try await expectGoodPlan(SQLiteJournal.tail, ["event", 0, 256], in: backend)
        }
    }

    @Test("A plan without an index is recognised as bad, so that the other tests mean something")
    func badPlans() async throws {
        try await withBackend { backend in
            for sql in [
                "SELECT * FROM events e WHERE e.title = 'x'", "SELECT * FROM events e ORDER BY e.title LIMIT 1",
                "SELECT count(*) FROM notifications n WHERE n.actor = 'x'",
            ] {
                let plan = try await plan(of: sql, [], in: backend)
                #expect(!Self.faults(of: plan, sql, mayScanIndex: true).isEmpty, "\(plan)")
            }
        }
    }

    @discardableResult
    private func expectGoodPlan(
        _ sql: String, _ arguments: StatementArguments, in backend: SQLiteBackend, mayScanIndex: Bool = false,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [String] {
        let plan = try await plan(of: sql, arguments, in: backend)
        #expect(!plan.isEmpty, sourceLocation: sourceLocation)
        #expect(Self.faults(of: plan, sql, mayScanIndex: mayScanIndex) == [], "\(sql)", sourceLocation: sourceLocation)
        return plan
    }

    private func plan(of sql: String, _ arguments: StatementArguments, in backend: SQLiteBackend) async throws -> [String] {
        try await backend.database.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(sql)", arguments: arguments).map { $0["detail"] as String }
        }
    }

    /// The steps of a plan whose cost grows with a table.
    static func faults(of plan: [String], _ sql: String, mayScanIndex: Bool) -> [String] {
        plan.filter { step in
            if step.contains("USE TEMP B-TREE") { return true }
            guard step.hasPrefix("SCAN "), !step.contains("VIRTUAL TABLE INDEX") else { return false }
            if mayScanIndex, step.contains("USING INDEX") || step.contains("USING COVERING INDEX") { return false }
            let name = step.dropFirst("SCAN ".count).prefix { $0 != " " }
            // The statements call a table by its name, or by one letter after it.
            return tables.contains(String(name)) || tables.contains { sql.contains("\($0) \(name)\n") || sql.contains("\($0) \(name) ") }
        }
    }
}
