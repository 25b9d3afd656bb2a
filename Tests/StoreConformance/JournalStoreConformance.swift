import EMSCore
import Testing

/// What every ``JournalStore`` shows of what the other stores write.
public enum JournalStoreConformance {
    public static let cases: [ConformanceCase] = [
        ConformanceCase("An empty journal has no entries") { fixture in
            let entries = try await fixture.stores.journal.entries(JournalQuery(limit: 10))
            let stored = try await fixture.stores.journal.storedEntries(after: 0, limit: 10)
            #expect(entries.isEmpty && stored.isEmpty)
        },
        ConformanceCase("Each change of an event is an entry at once, also a quiet one and one that is not published yet") { fixture in
            let (events, journal) = (fixture.stores.events, fixture.stores.journal)
            let event = Samples.event("v1")
            let edited = Samples.edited(event) { $0.title = "v2" }
            let changes = [change(.created, event), change(.updated, edited), change(.deleted, edited)]
            _ = try await events.insert(event, change: changes[0], idempotency: nil)
            try await events.update(edited, expecting: 1, change: changes[1])
            try await events.delete(event.id, expecting: 2, change: changes[2])
            let quiet = Samples.event("quiet")
            _ = try await events.insert([(event: quiet, change: Samples.quietChange(quiet))])
            let history = try await journal.entries(JournalQuery(subject: event.id.description, limit: 10))
            #expect(history.map(\.change) == changes.reversed())
            #expect(history.map(\.position) == [3, 2, 1])
            let all = try await journal.entries(JournalQuery(order: .oldestFirst, limit: 10))
            #expect(all.map(\.position) == [1, 2, 3, 4])
            #expect(all.last?.change.isQuiet == true)
        },
        ConformanceCase("The last version of an event is known, also of a deleted one, whether its change is an entry yet or not") {
            fixture in
            let (events, journal) = (fixture.stores.events, fixture.stores.journal)
            let (kept, gone) = (Samples.event("kept"), Samples.event("gone"))
            for event in [kept, gone] { _ = try await events.insert(event, change: change(.created, event), idempotency: nil) }
            let edited = Samples.edited(gone)
            try await events.update(edited, expecting: 1, change: change(.updated, edited))
            try await events.delete(gone.id, expecting: 2, change: change(.deleted, edited))
            let asked = [kept.id, gone.id, EventID()]
            for _ in 0..<2 {
                #expect(try await journal.lastVersions(of: asked) == [kept.id: 1, gone.id: 2])
                _ = try await journal.entries(JournalQuery(limit: 1))
            }
            let none = try await journal.lastVersions(of: [])
            #expect(none.isEmpty)
        },
        ConformanceCase("Entries are found by subject, actor, action and time, page by page, in both orders") { fixture in
            let (events, journal) = (fixture.stores.events, fixture.stores.journal)
            var written: [Change] = []
            for number in 0..<12 {
                let event = Samples.event("\(number)")
                let change = Self.change(.created, event, by: number % 3 == 0 ? ada : bob, at: Samples.hour(number))
                _ = try await events.insert(event, change: change, idempotency: nil)
                written.append(change)
                _ = try await journal.entries(JournalQuery(limit: 1))
            }
            func found(_ query: JournalQuery) async throws -> [Int64] {
                var (query, positions): (JournalQuery, [Int64]) = (query, [])
                while true {
                    let page = try await journal.entries(query).map(\.position)
                    positions += page
                    guard let last = page.last, page.count == query.limit else { return positions }
                    query.after = last
                }
            }
            for limit in [1, 2, 5, 100] {
                #expect(try await found(JournalQuery(limit: limit)) == (1...12).reversed())
                #expect(try await found(JournalQuery(order: .oldestFirst, limit: limit)) == Array(1...12))
                #expect(try await found(JournalQuery(actor: ada.id.description, limit: limit)) == [10, 7, 4, 1])
                #expect(try await found(JournalQuery(subject: written[4].subject.id, limit: limit)) == [5])
                #expect(try await found(JournalQuery(kind: .event, action: .created, limit: limit)) == (1...12).reversed())
                #expect(try await found(JournalQuery(kind: .event, limit: limit)) == (1...12).reversed())
                #expect(try await found(JournalQuery(action: .deleted, limit: limit)) == [])
                #expect(try await found(JournalQuery(since: Samples.hour(9), limit: limit)) == [12, 11, 10])
                #expect(try await found(JournalQuery(until: Samples.hour(2), order: .oldestFirst, limit: limit)) == [1, 2])
                #expect(
                    try await found(
                        JournalQuery(actor: bob.id.description, since: Samples.hour(1), until: Samples.hour(5), limit: limit)) == [5, 3, 2])
                #expect(
                    try await found(JournalQuery(kind: .event, action: .created, since: Samples.hour(10), limit: limit)) == [12, 11])
            }
            #expect(try await journal.firstPosition(since: Samples.hour(9)) == 10)
            #expect(try await journal.firstPosition(since: Samples.hour(99)) == nil)
            #expect(try await journal.count(since: Samples.hour(9)) == 3)
            #expect(try await journal.count(since: Samples.hour(99)) == 0)
        },
        ConformanceCase("However many write and publish, positions have no gaps, hashes are chained, versions are in order") { fixture in
            let stores = fixture.stores
            let shared = Samples.event("shared")
            _ = try await stores.events.insert(shared, change: change(.created, shared), idempotency: nil)
            let publisher = Sink()
            let results = await concurrently(8) { writer in
                let relay = ChangeRelay(stores: stores, publisher: publisher, logger: Samples.logger)
                for number in 0..<10 {
                    let event = Samples.event("\(writer).\(number)")
                    let created = change(.created, event)
                    _ = try await stores.events.insert(event, change: created, idempotency: nil)
                    relay.changeWritten(created)
                    let current = try await stores.events.event(id: shared.id) ?? shared
                    let edited = Samples.edited(current)
                    let updated = change(.updated, edited)
                    do {
                        try await stores.events.update(edited, expecting: current.version, change: updated)
                        relay.changeWritten(updated)
                    } catch let error as EMSError where error.code == .versionConflict {
                        // Another writer was faster.
                    }
                    if number % 3 != 0 { _ = try await relay.carryWritten() }
                }
            }
            for result in results { try result.get() }
            let last = try await stores.events.event(id: shared.id)
            let entries = try await stores.journal.entries(JournalQuery(order: .oldestFirst, limit: 1000))
            #expect(entries.count == 80 + (last?.version ?? 0))
            #expect(Set(entries.map(\.change.id)).count == entries.count)
            let versions = entries.filter { $0.change.subject.id == shared.id.description }.map(\.change.version)
            #expect(versions == Array(1...versions.count))
            try await expectChain(stores.journal)
        },
        ConformanceCase("An event that is changed again and again while nothing is published stays writable") { fixture in
            let (events, stores) = (fixture.stores.events, fixture.stores)
            var event = Samples.event("v1")
            _ = try await events.insert(event, change: change(.created, event), idempotency: nil)
            for _ in 0..<60 {
                let edited = Samples.edited(event)
                try await events.update(edited, expecting: event.version, change: change(.updated, edited))
                event = edited
            }
            #expect(try await stores.outbox.pendingStatus().count == 61)
            let publisher = Sink()
            let relay = ChangeRelay(stores: stores, publisher: publisher, batchSize: 7, logger: Samples.logger)
            #expect(try await relay.flush() == 61)
            #expect(await publisher.messageIDs.count == 61)
            #expect(Set(await publisher.messageIDs).count == 61)
            #expect(try await stores.outbox.pendingStatus().count == 0)
            let history = try await stores.journal.entries(
                JournalQuery(subject: event.id.description, order: .oldestFirst, limit: 1000))
            #expect(history.map(\.change.version) == Array(1...61))
            #expect(history.map(\.change.id.description) == (await publisher.messageIDs))
            try await expectChain(stores.journal)
        },
        ConformanceCase("What happens to an account and its sessions is an entry each, without names; what is erased leaves the chain") {
            fixture in
            let stores = fixture.stores
            var user = User(username: "ada", email: "ada@example.com", fullName: "Ada Lovelace", createdAt: Samples.epoch)
            let author = Author(user, via: ChangeSource(.http, address: "192.0.2.7"))
            try await stores.users.insert(user, passwordHash: "x", by: author)
            user = try await stores.users.change(user.id, UserChange(email: "countess@example.com"), by: author, at: Samples.hour(1))
            _ = try await stores.users.change(user.id, UserChange(email: user.email), by: author, at: Samples.hour(1))
            try await stores.users.setPasswordHash("y", of: user.id, expecting: nil, by: author, at: Samples.hour(2))
            let event = Samples.event("Of ada")
            let made = Change.created(event, by: Principal(.user(user), via: author.source), at: Samples.hour(2))
            _ = try await stores.events.insert(event, change: made, idempotency: nil)
            let version = try #require(try await stores.users.credentials(id: user.id)).version
            let sessions = (0..<2).map { _ in Samples.session(of: user.id, at: Samples.hour(3), lifetime: 86_400) }
            for session in sessions {
                #expect(try await stores.tokens.open(session, refreshToken: nil, verified: version, by: author))
            }
            #expect(try await stores.tokens.end(sessions[0].id, by: author, at: Samples.hour(4)))
            #expect(try await !stores.tokens.end(sessions[0].id, by: author, at: Samples.hour(4)))
            try await stores.journal.record(.failedLogin(of: user.id, via: author.source, at: Samples.hour(4)))
            // What is not in the journal yet is not lost with its session.
            #expect(try await stores.tokens.purge(before: Samples.hour(5)) == 1)
            let account = JournalQuery(kind: .user, subject: user.id.description, order: .oldestFirst, limit: 100)
            let before = try await stores.journal.entries(account)
            #expect(before.map(\.change.action) == [.created, .updated, .passwordChanged])
            #expect(before.map(\.change.version) == [1, 2, 3])
            #expect(try before[1].change.before?.value() == ["email": "ada@example.com"])
            #expect(try before[1].change.after?.value()["email"] == "countess@example.com")
            #expect(before[0].change.actor == Actor(kind: .user, id: user.id.description, name: "ada"))
            #expect(try await stores.users.delete(id: user.id, erasing: true, by: Samples.author, at: Samples.hour(5)))
            #expect(try await stores.users.user(id: user.id) == nil)
            let after = try await stores.journal.entries(account)
            #expect(after.map(\.change.action) == [.created, .updated, .passwordChanged, .erased])
            #expect(after[0].change.actor.name == PersonalText.erased)
            #expect(after[0].change.source.address == PersonalText.erased)
            #expect(try after[3].change.before?.value()["full_name"]?.string == PersonalText.erased)
            // What was still pending does not bring it back.
            try await stores.outbox.settle()
            for kind in [Subject.Kind.event, .login] {
                let entry = try #require(try await stores.journal.entries(JournalQuery(kind: kind, limit: 9)).first)
                #expect(entry.change.source.address == PersonalText.erased && entry.change.actor.name != "ada")
            }
            let ofSessions = try await stores.journal.entries(JournalQuery(kind: .session, order: .oldestFirst, limit: 100))
            for session in sessions {
                let actions = ofSessions.filter { $0.change.subject.id == session.id.description }.map(\.change.action)
                #expect(actions == [.opened, .ended])
            }
            #expect(ofSessions.last?.change.subject.id == sessions[1].id.description)
            #expect(try await stores.journal.entries(JournalQuery(kind: .login, action: .failed, limit: 9)).count == 1)
            for entry in try await stores.journal.storedEntries(after: 0, limit: 100) {
                let text = entry.sealed.canonical.text
                let names = ["\"ada\"", "example.com", "Lovelace", "192.0.2.7"].filter { text.contains($0) }
                #expect(names == [], "\(text)")
            }
            try await expectChain(stores.journal)
            let report = try await JournalVerifier(stores: stores).verify()
            #expect(report.fault == nil)
        },
        ConformanceCase("However many settle at once, what was settled stays writable, and is published in the journal's order") {
            fixture in
            let (events, stores) = (fixture.stores.events, fixture.stores)
            var event = Samples.event("v1")
            _ = try await events.insert(event, change: change(.created, event), idempotency: nil)
            for _ in 0..<20 {
                let edited = Samples.edited(event)
                try await events.update(edited, expecting: event.version, change: change(.updated, edited))
                event = edited
                let results = await concurrently(4) { _ in try await stores.outbox.settle() }
                for result in results { try result.get() }
            }
            try await events.delete(event.id, expecting: event.version, change: change(.deleted, event))
            let restored = Samples.edited(event)
            _ = try await events.insert(restored, change: change(.created, restored), idempotency: nil)
            let publisher = Sink()
            _ = try await ChangeRelay(stores: stores, publisher: publisher, logger: Samples.logger).flush()
            let history = try await stores.journal.entries(
                JournalQuery(subject: event.id.description, order: .oldestFirst, limit: 1000))
            #expect(history.map(\.change.version) == Array(1...21) + [21, 22])
            #expect(history.map(\.change.id.description) == (await publisher.messageIDs))
            #expect(try await stores.events.event(id: event.id) == restored)
        },
        ConformanceCase("What waits because the broker takes nothing is in the journal, and published once it does") { fixture in
            let (events, stores) = (fixture.stores.events, fixture.stores)
            for number in 0..<5 {
                let event = Samples.event("\(number)")
                _ = try await events.insert(event, change: change(.created, event), idempotency: nil)
                let edited = Samples.edited(event)
                try await events.update(edited, expecting: 1, change: change(.updated, edited))
            }
            try await stores.outbox.settle()
            try await stores.outbox.settle()
            #expect(try await stores.outbox.pendingStatus().count == 10)
            #expect(try await stores.outbox.pendingChanges(limit: 100).count == 10)
            #expect(try await stores.journal.storedEntries(after: 0, limit: 100).count == 10)
            let publisher = Sink()
            #expect(try await ChangeRelay(stores: stores, publisher: publisher, batchSize: 3, logger: Samples.logger).flush() == 10)
            #expect(await publisher.messageIDs.count == 10)
            #expect(try await stores.outbox.pendingStatus() == PendingStatus(count: 0, oldest: nil))
        },
    ]

    private static let ada = User(username: "ada", email: "ada@example.com", createdAt: Samples.epoch)
    private static let bob = User(username: "bob", email: "bob@example.com", createdAt: Samples.epoch)

    private static func change(_ action: Change.Action, _ event: Event, by user: User = ada, at moment: Timestamp = Samples.epoch) -> Change
    {
        let principal = Principal(.user(user), via: ChangeSource(.http, address: "192.0.2.7", requestID: "r"))
        return switch action {
        case .updated: .updated(event, to: event, by: principal, at: moment)
        case .deleted: .deleted(event, by: principal, at: moment)
        default: .created(event, by: principal, at: moment)
        }
    }

    /// Takes what is published.
    private actor Sink: ChangePublisher {
        private(set) var messageIDs: [String] = []

        func publish(_ messages: [BrokerMessage]) async throws { messageIDs += messages.map(\.messageID) }
        func publish(_ messages: [BrokerMessage], to consumer: Consumer) async throws { try await publish(messages) }
    }

    private static func expectChain(_ journal: any JournalStore, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        var hash = JournalHash.start
        for (index, entry) in try await journal.storedEntries(after: 0, limit: 10_000).enumerated() {
            #expect(entry.position == Int64(index) + 1, sourceLocation: sourceLocation)
            hash = hash.followed(by: entry.sealed.canonical)
            #expect(entry.hash == hash.bytes, "\(entry.position)", sourceLocation: sourceLocation)
        }
    }
}
