import EMSCore
import Testing

/// How every store cuts off the beginning of the journal.
public enum JournalRetentionConformance {
    public static let cases: [ConformanceCase] =
        [
            ConformanceCase("Old entries are removed, the current state is recorded again, and the chain still verifies") { fixture in
                let stores = fixture.stores
                let past = try await Past(stores)
                let before = try await positions(stores)
                let retention = retention(of: stores, batchSize: 2)
                let rehearsal = try await retention.cut(before: Samples.hour(100), by: Samples.author, dryRun: true)
                #expect(rehearsal == JournalRetention.Cut(entries: 6, neededFrom: nil))
                #expect(try await positions(stores) == before)
                #expect(try await retention.lastCut() == nil)
                var looked: [Int] = []
                #expect(try await retention.cut(before: Samples.hour(100), by: Samples.author) { looked.append($0) } == rehearsal)
                #expect(looked == [2, 4, 6])
                // The changed event has a later entry; the others are recorded again, and the cut itself is an entry.
                #expect(try await positions(stores) == Array(7...10))
                let note = try #require(try await stores.journal.entries(JournalQuery(kind: .purge, limit: 1)).first)
                #expect(note.change.subject.id == "journal" && note.change.action == .purged)
                #expect(try note.change.after?.value()["count"] == 6)
                #expect(try await retention.lastCut() == note.change.timestamp)
                try await expectSound(stores, entries: 4)
                func history(_ id: String) async throws -> [Change.Action] {
                    try await stores.journal.entries(JournalQuery(subject: id, limit: 10)).map(\.change.action)
                }
                #expect(try await history(past.user.id.description) == [.recorded])
                #expect(try await history(past.kept.id.description) == [.recorded])
                #expect(try await history(past.changed.id.description) == [.updated])
                #expect(try await history(past.deleted.id.description) == [])
                let versions = try await stores.journal.lastVersions(of: [past.kept.id, past.changed.id, past.deleted.id])
                #expect(versions == [past.kept.id: 1, past.changed.id: 2])
                let told = try #require(try await stores.journal.entries(JournalQuery(subject: past.kept.id.description, limit: 1)).first)
                #expect(try told.change.event() == past.kept)
                // Nobody is notified of it, nor told that the one who cut changed it.
                #expect(try await stores.outbox.pendingChanges(limit: 10).filter(\.isPublished) == [])
                let service = JournalService(stores: stores)
                #expect(try await service.lastEditor(of: past.kept.id) == nil)
                await expectFailure(.notFound) { try await service.expectPosition(6) }
                try await service.expectPosition(7)
                // Once more: nothing is old any more.
                #expect(try await retention.cut(before: Samples.hour(100), by: Samples.author).entries == 0)
                #expect(try await positions(stores) == Array(7...10))
            },
            ConformanceCase("Later cuts go on where the last one ended, and the journal may be cut to its end") { fixture in
                let stores = fixture.stores
                let past = try await Past(stores)
                let retention = retention(of: stores, batchSize: 3)
                for _ in 0..<3 {
                    let end = Samples.hour(400)
                    let last = try #require(try await positions(stores).last)
                    let first = try #require(try await positions(stores).first)
                    let cut = try await retention.cut(before: end, by: Samples.author)
                    #expect(cut == JournalRetention.Cut(entries: Int(last - first) + 1, neededFrom: nil))
                    // Both events, the user, and the cut.
                    #expect(try await positions(stores) == Array(last + 1...last + 4))
                    try await expectSound(stores, entries: 4)
                    _ = try await ChangeRelay(stores: stores, publisher: Quiet(), logger: Samples.logger).flush()
                }
                let edited = Samples.edited(past.kept)
                try await stores.events.update(edited, expecting: 1, change: Samples.change(.updated, edited))
                try await expectSound(stores, entries: 5)
            },
            ConformanceCase("What is not published yet is not cut off") { fixture in
                let stores = fixture.stores
                let past = try await Past(stores)
                let new = Samples.event("waiting")
                _ = try await stores.events.insert(new, change: Samples.change(.created, new), idempotency: nil)
                let retention = retention(of: stores)
                let end = Samples.hour(400)
                let waiting = try #require(try await positions(stores).last)
                let cut = try await retention.cut(before: end, by: Samples.author)
                #expect(cut == JournalRetention.Cut(entries: Int(waiting) - 1, neededFrom: waiting))
                #expect(try await positions(stores).first == waiting)
                #expect(try await stores.outbox.pendingChanges(limit: 10).filter(\.isPublished).map(\.subject.id) == [new.id.description])
                try await expectSound(stores, entries: try await positions(stores).count)
                #expect(try await stores.events.event(id: past.kept.id) == past.kept)
            },
            ConformanceCase("Names and addresses that only old entries refer to go with them, others stay") { fixture in
                let stores = fixture.stores
                let past = try await Past(stores)
                let texts = [
                    PersonalText(person: past.user.id.description, value: "192.0.2.1"), PersonalText(person: "", value: "192.0.2.2"),
                ]
                let name = PersonalText(person: past.user.id.description, value: past.user.username)
                let known = try await stores.journal.references(to: texts + [name])
                #expect(known.count == 3)
                let retention = retention(of: stores)
                _ = try await retention.cut(before: Samples.hour(100), by: Samples.author)
                let left = Set(try await stores.journal.references(to: texts + [name]).keys)
                let marked = try await stores.journal.unusedTexts()
                // Gone, or marked to go with a later cut.
                #expect(texts.allSatisfy { !left.contains($0) || marked.contains(known[$0] ?? "") })
                #expect(left.contains(name) && !marked.contains(known[name] ?? ""))
                // Whoever refers to one again has it.
                try await stores.journal.record(
                    .failedLogin(of: nil, via: ChangeSource(.http, address: "192.0.2.2"), at: Samples.hour(200)))
                let again = try #require(try await stores.journal.entries(JournalQuery(kind: .login, limit: 1)).first)
                #expect(again.change.source.address == "192.0.2.2")
                let kept = try await stores.journal.references(to: [texts[1]])
                #expect(try await !stores.journal.unusedTexts().contains(kept[texts[1]] ?? ""))
                _ = try await retention.cut(before: Samples.hour(150), by: Samples.author)
                #expect(try await stores.journal.references(to: [texts[1]]) == kept)
            },
            ConformanceCase("A failed log-in does not replace the account's entry: its state is recorded again") { fixture in
                let stores = fixture.stores
                let past = try await Past(stores)
                try await stores.journal.record(.failedLogin(of: past.user.id, via: ChangeSource(.http), at: Samples.hour(200)))
                _ = try await retention(of: stores).cut(before: Samples.hour(100), by: Samples.author)
                let account = JournalQuery(kind: .user, subject: past.user.id.description, limit: 9)
                #expect(try await stores.journal.entries(account).map(\.change.action) == [.recorded])
                try await expectSound(stores, entries: 5)
            },
            ConformanceCase("A time that is still to come does not keep what is old") { fixture in
                let stores = fixture.stores
                try await stores.journal.record(.failedLogin(of: nil, via: ChangeSource(.http), at: Samples.hour(9_000)))
                for hour in [1, 2] {
                    try await stores.journal.record(.failedLogin(of: nil, via: ChangeSource(.http), at: Samples.hour(hour)))
                }
                let retention = JournalRetention(stores: stores, now: { Samples.hour(100) })
                #expect(try await retention.cut(before: Samples.hour(2), by: Samples.author).entries == 2)
                #expect(try await positions(stores) == [3, 4])
            },
            ConformanceCase("What lies where the journal was cut off cannot be told later, and is not taken for never having been") {
                fixture in
                let stores = fixture.stores
                let past = try await Past(stores)
                _ = try await retention(of: stores).cut(before: Samples.hour(100), by: Samples.author)
                let service = JournalService(stores: stores)
                let principal = Principal(.operator("root"), via: ChangeSource(.cli))
                do {
                    _ = try await service.event(past.changed.id, at: Samples.hour(50), by: principal)
                    Issue.record("an event of before the cut was shown")
                } catch let error as EMSError {
                    #expect(error.code == .notFound && error.message.contains("is not known"), "\(error)")
                }
            },
        ] + Interrupted.Step.allCases.map(interruption)

    private static func interruption(_ step: Interrupted.Step) -> ConformanceCase {
        ConformanceCase("A cut that ends at the step \(step) leaves a sound journal, and the next one finishes it") { fixture in
            let stores = fixture.stores
            _ = try await Past(stores)
            let broken = retention(
                of: stores.replacing(journal: Interrupted(journal: stores.journal, step: step)), batchSize: 2)
            await expectFailure(.unreachable) { try await broken.cut(before: Samples.hour(100), by: Samples.author) }
            #expect(try await JournalVerifier(stores: stores).verify().fault == nil)
            _ = try await retention(of: stores, batchSize: 2).cut(before: Samples.hour(100), by: Samples.author)
            #expect(try await positions(stores).first == 7)
            #expect(try await JournalVerifier(stores: stores).verify().fault == nil)
        }
    }

    /// At a time when all of the samples have happened.
    private static func retention(of stores: Stores, batchSize: Int = 1000) -> JournalRetention {
        JournalRetention(stores: stores, batchSize: batchSize, now: { Samples.hour(300) })
    }

    /// Six entries of long ago, a change of now, and nothing left to publish.
    private struct Past {
        let user = User(username: "ada", email: "ada@example.com", createdAt: Samples.epoch)
        let kept = Samples.event("kept")
        let changed = Samples.event("changed")
        let deleted = Samples.event("deleted")

        init(_ stores: Stores) async throws {
            let author = Author(user, via: ChangeSource(.http, address: "192.0.2.1"))
            try await stores.users.insert(user, passwordHash: "x", by: author)
            let principal = Principal(.user(user), via: author.source)
            for event in [kept, changed, deleted] {
                let change = Change.created(event, by: principal, at: Samples.hour(1))
                _ = try await stores.events.insert(event, change: change, idempotency: nil)
            }
            try await stores.events.delete(deleted.id, expecting: 1, change: .deleted(deleted, by: principal, at: Samples.hour(2)))
            _ = try await stores.journal.entries(JournalQuery(limit: 1))
            try await stores.journal.record(.failedLogin(of: nil, via: ChangeSource(.http, address: "192.0.2.2"), at: Samples.hour(3)))
            let edited = Samples.edited(changed)
            let now = Principal(.user(user), via: ChangeSource(.cli))
            try await stores.events.update(edited, expecting: 1, change: .updated(changed, to: edited, by: now, at: Samples.hour(200)))
            _ = try await ChangeRelay(stores: stores, publisher: Quiet(), logger: Samples.logger).flush()
        }
    }

    private struct Quiet: ChangePublisher {
        func publish(_ messages: [BrokerMessage]) async throws {}
        func publish(_ messages: [BrokerMessage], to consumer: Consumer) async throws {}
    }

    private static func positions(_ stores: Stores) async throws -> [Int64] {
        try await stores.journal.storedEntries(after: 0, limit: 1000).map(\.position)
    }

    private static func expectSound(_ stores: Stores, entries: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let report = try await JournalVerifier(stores: stores).verify()
        #expect(report.fault == nil, sourceLocation: sourceLocation)
        #expect(report.entries == Int64(entries), sourceLocation: sourceLocation)
    }
}

/// A journal that does one step of a cut and fails then.
private struct Interrupted: JournalStore {
    enum Step: String, CaseIterable {
        case recordAgain, record, removeTexts, removeEntries
    }

    let journal: any JournalStore
    let step: Step

    private func end(_ step: Step) throws {
        if step == self.step { throw EMSError(.unreachable, "the end of the test") }
    }

    func record(_ change: Change) async throws {
        try await journal.record(change)
        try end(.record)
    }

    func recordAgain(_ subjects: [Subject], through position: Int64, at now: Timestamp) async throws -> Int {
        let count = try await journal.recordAgain(subjects, through: position, at: now)
        try end(.recordAgain)
        return count
    }

    func removeTexts(_ references: Set<String>, unusedThrough position: Int64) async throws {
        try await journal.removeTexts(references, unusedThrough: position)
        try end(.removeTexts)
    }

    func removeEntries(through position: Int64, limit: Int) async throws -> Int {
        let count = try await journal.removeEntries(through: position, limit: limit)
        try end(.removeEntries)
        return count
    }

    func references(to texts: [PersonalText]) async throws -> [PersonalText: String] { try await journal.references(to: texts) }
    func entries(_ query: JournalQuery) async throws -> [JournalEntry] { try await journal.entries(query) }
    func lastVersions(of events: [EventID]) async throws -> [EventID: Int] { try await journal.lastVersions(of: events) }
    func firstPosition(since moment: Timestamp) async throws -> Int64? { try await journal.firstPosition(since: moment) }
    func count(since moment: Timestamp) async throws -> Int { try await journal.count(since: moment) }
    func firstNeeded() async throws -> Int64 { try await journal.firstNeeded() }
    func unusedTexts() async throws -> Set<String> { try await journal.unusedTexts() }

    func storedEntries(after position: Int64, limit: Int) async throws -> [StoredEntry] {
        try await journal.storedEntries(after: position, limit: limit)
    }
}

extension Stores {
    fileprivate func replacing(journal: any JournalStore) -> Stores {
        Stores(
            users: users, events: events, outbox: outbox, journal: journal, notifications: notifications, subscriptions: subscriptions,
            tokens: tokens, rateLimits: rateLimits, logins: logins, consumers: consumers, transaction: transaction)
    }
}
