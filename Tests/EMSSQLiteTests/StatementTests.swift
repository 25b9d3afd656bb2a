import EMSCore
import Foundation
import GRDB
import StoreConformance
import Synchronization
import Testing

@testable import EMSSQLite

/// Every statement that the source holds is made here by what the ports are for, and none of them looks through a table that grows.
@Suite("Statements")
struct StatementTests {
    /// Statements that look through a table because all of it is wanted, or bounded by a limit that is part of them, each with why.
    private static let exceptions: [(part: String, reason: String)] = [
        ("LIMIT 10001", "a count up to a bound"),
        ("UNION SELECT event_id FROM (", "the first events of a few tags are merged: a page of each"),
        ("FROM temp.batch", "the rows of one batch are ordered"),
        ("FROM users  ORDER BY id LIMIT", "the first of the table's own order"),
        ("FROM users ORDER BY id", "all, when the journal begins"),
        ("FROM journal  ORDER BY position", "a page of the table's own order"),
        ("FROM journal ORDER BY position DESC LIMIT 1", "the last of the table's own order"),
        ("FROM notifications ORDER BY position", "the first of the table's own order"),
    ]

    @Test("Every statement of the source goes along an index")
    func plans() async throws {
        let made = Mutex<Set<String>>([])
        try await SQLiteDatabase.$statementTrace.withValue({ sql in made.withLock { _ = $0.insert(sql) } }) { try await Self.makeAll() }
        let statements = made.withLock { $0 }
        for literal in try Self.literals() {
            let isMade = statements.contains { (try? literal.pattern.firstMatch(in: $0)) ?? nil != nil }
            #expect(isMade, "\(literal.file) has a statement that no case makes: \(literal.text)")
        }
        try await withBackend { backend in
            for sql in statements.sorted() where Self.isPlanned(sql) {
                let plan = try await backend.database.write { db in
                    // The tables that hold a batch are the connection's own.
                    for made in statements.sorted(by: >) where made.contains("CREATE TEMP TABLE") { try db.execute(sql: made) }
                    // Without arguments all parameters are NULL: a plan does not depend on their values.
                    let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN \(sql)")
                    statement.setUncheckedArguments([])
                    return try Row.fetchAll(statement).map { $0["detail"] as String }
                }
                let faults = QueryPlanTests.faults(
                    of: plan, sql.replacing("temp.batch_events b", with: "batch b") + "\n", mayScanIndex: true)
                #expect(faults == [] || Self.exceptions.contains { sql.contains($0.part) }, "\(sql): \(plan)")
            }
        }
    }

    private static func makeAll() async throws {
        let cases =
            UserStoreConformance.cases + EventStoreConformance.cases + EventSearchConformance.cases + ChangeOutboxConformance.cases
            + JournalStoreConformance.cases + JournalRetentionConformance.cases
            + NotificationStoreConformance.cases + AudienceConformance.cases + SubscriptionStoreConformance.cases
            + TokenStoreConformance.cases
            + RateLimitStoreConformance.cases + LoginStoreConformance.cases + ConsumerStoreConformance.cases
            + LiveFeedConformance.cases
        for behaviour in cases {
            try await withBackend { backend in
                try await behaviour.check(StoreFixture(stores: backend.stores, broker: NoBroker(), feed: backend.feed))
            }
        }
        try await withBackend { try await Self.operate($0) }
    }

    /// What operators do beside the ports that the cases are of.
    private static func operate(_ backend: SQLiteBackend) async throws {
        let user = Samples.user("ada")
        try await backend.stores.users.insert(user, passwordHash: "$2b$04$")
        let event = Samples.event(tags: ["a"])
        _ = try await backend.stores.events.insert([(event: event, change: Samples.change(.created, event))])
        _ = try await backend.stores.subscriptions.subscribe(user.id, to: event.id, by: Samples.author, at: Samples.epoch)
        let session = Samples.session(of: user.id)
        _ = try await backend.stores.tokens.open(session, refreshToken: Samples.refreshToken(1, of: session), verified: 0)
        let notifications = [Samples.created(), Samples.message("Hello", to: .users([user.id]))]
        let recorded = try await backend.stores.notifications.record([Samples.created()] + notifications)
        for one in recorded.dropFirst() { _ = try await backend.stores.notifications.markRead(one.notification.id, of: user.id) }
        // Asked for where a text has more matches than are looked at: by tens of thousands of events.
        _ = try await backend.database.read { db in
            try db.all(EventSearch.nearestWithText, [50.0, 7.0, 10.0, 0.0, "\"word\"*"]) { _ in 1 }
        }
        try await backend.administration.ping()
        _ = try await backend.administration.report()
        try await backend.administration.compact()
        for round in 0..<2 {
            _ = try await backend.stores.events.insert([(event: Samples.event(), change: Samples.change(.created, Samples.event()))])
            for delivery in try await backend.queue(of: .inbox).receive(limit: 1, waiting: false) {
                try await backend.queue(of: .inbox).acknowledge([], settingAside: [(delivery, "bad")])
            }
            try await backend.database.write { db in
                _ = try db.run("UPDATE consumer_letters SET retry_at = 1 WHERE consumer = 'inbox' AND retry_at > 0")
            }
            for delivery in try await backend.queue(of: .inbox).receive(limit: 1, waiting: false) {
                try await backend.queue(of: .inbox).reject(delivery, reason: "bad")
            }
            _ = try await backend.queue(of: .inbox).status()
            _ = try await backend.brokerAdministration.deadLetters(of: .inbox, limit: 10)
            if round == 0 { _ = try await backend.brokerAdministration.drop(.all, of: .inbox) }
            _ = try await backend.brokerAdministration.requeue(.all, of: .inbox, signing: false)
            try await backend.queue(of: .inbox).acknowledge(backend.queue(of: .inbox).receive(limit: 1, waiting: false))
        }
        let several = Consumer(name: "several", subjects: [.event, .user])
        _ = try await backend.queue(of: several).receive(limit: 1, waiting: false)
        let changes = (0..<2).map { _ in Samples.change(.created, Samples.event()) }
        for change in changes { _ = try await backend.stores.events.insert([(event: Samples.event(), change: change)]) }
        try await backend.database.write { db in
            _ = try db.run("UPDATE journal SET entry = x'00' WHERE change_id = ?", [changes[0].id.description])
        }
        try await backend.stores.outbox.clearPending([changes[1].id])
        let place = ConsumerPlace(consumer: "inbox", from: 0, first: 1, through: 0)
        _ = try await backend.stores.notifications.record([], taking: place)
        _ = try await backend.brokerAdministration.report()
        try await withBackend { target in
            for _ in 0..<2 { _ = try await StoreCopier(from: backend.transfer, to: target.transfer).copy() }
        }
    }

    private static func isPlanned(_ sql: String) -> Bool {
        ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains { sql.trimmingCharacters(in: .whitespacesAndNewlines).hasPrefix($0) }
            && !sql.contains("sqlite_") && !sql.contains("pragma_") && !sql.contains("ems_nfc(")
            // Tables of earlier versions, which are gone.
            && !["broker_messages", "broker_dead_letters", "pending_changes"].contains { sql.contains($0) }
    }

    // MARK: The source

    private struct Literal {
        let file: String
        let text: String
        let pattern: Regex<AnyRegexOutput>
    }

    /// The string literals of the source that are statements; what is put together stands for anything.
    private static func literals() throws -> [Literal] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Sources/EMSSQLite")
            .standardized
        let files = (FileManager.default.enumerator(atPath: root.path)?.allObjects ?? []).compactMap { $0 as? String }
        var found: [Literal] = []
        for file in files.sorted() where file.hasSuffix(".swift") && !file.hasSuffix("Database/Schema.swift") {
            let source = try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
            let literal = try Regex(#""""\s*\n([\s\S]*?)\n\s*"""|"((?:SELECT|INSERT|UPDATE|DELETE|WITH) [^"\n]*)""#)
            for match in source.matches(of: literal) {
                let text = String((match.output[1].substring ?? match.output[2].substring ?? "").trimmingPrefix(/\s*/))
                guard isPlanned(text) else { continue }
                found.append(Literal(file: file, text: text, pattern: try pattern(text)))
            }
        }
        try #require(found.count > 100, "the statements of the source are not found any more")
        return found
    }

    private static func pattern(_ text: String) throws -> Regex<AnyRegexOutput> {
        var pattern = ""
        var rest = text[...]
        while let open = rest.range(of: "\\(") {
            pattern += fixed(rest[..<open.lowerBound]) + "[\\s\\S]*"
            var depth = 1
            rest = rest[open.upperBound...]
            while depth > 0, let next = rest.popFirst() { depth += next == "(" ? 1 : next == ")" ? -1 : 0 }
        }
        return try Regex(pattern + fixed(rest))
    }

    private static func fixed(_ text: Substring) -> String {
        text.replacing(/\\\n\s*/, with: "").split(whereSeparator: \.isWhitespace)
            .map { NSRegularExpression.escapedPattern(for: String($0)) }.joined(separator: "\\s+")
            .replacing("/", with: "\\/")
            + (text.last?.isWhitespace == true ? "\\s*" : "")
    }
}
