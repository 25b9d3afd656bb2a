import EMSCore
import Testing

/// What every ``EventStore`` does with events, apart from searching by text and place: see ``EventSearchConformance``.
public enum EventStoreConformance {
    public static let cases: [ConformanceCase] = writing + idempotency + listing

    private static let writing: [ConformanceCase] = [
        ConformanceCase("A stored event reads as it was written, with its change pending") { fixture in
            let event = Event(
                title: "Zoë's “party”, 100 %", description: "a\nb\tc 🎉", location: "Köln", startTime: Samples.hour(1),
                endTime: Samples.hour(2), createdBy: UserID().description, tags: ["b", "a", "zwei wörter"], maxAttendees: 7,
                status: .canceled, attachmentURL: "https://example.com/a?b=c",
                coordinates: Coordinates(latitude: 50.9413, longitude: -6.9583),
                createdAt: Samples.epoch, updatedAt: Samples.hour(1), version: 3)
            let change = Samples.change(.created, event, actor: "zoë")
            let outcome = try await fixture.stores.events.insert(event, change: change, idempotency: nil)
            #expect(outcome == .inserted)
            #expect(try await fixture.stores.events.event(id: event.id) == event)
            #expect(try await fixture.stores.outbox.pendingChanges(limit: 10) == [change])
            #expect(try await fixture.stores.events.event(id: EventID()) == nil)
        },
        ConformanceCase("An event without the optional fields reads as it was written") { fixture in
            let event = try await fixture.add(Samples.event())
            #expect(try await fixture.stores.events.event(id: event.id) == event)
        },
        ConformanceCase("An id that is taken is refused, and leaves neither event nor change nor key") { fixture in
            let events = fixture.stores.events
            let event = try await fixture.add(Samples.event("first"))
            let key = IdempotencyKey(owner: "root", key: "k", fingerprint: [1])
            let twin = Samples.event("second", id: event.id)
            await expectFailure(.exists) {
                try await events.insert(twin, change: Samples.change(.created, twin), idempotency: key)
            }
            #expect(try await events.event(id: event.id) == event)
            #expect(try await fixture.stores.outbox.pendingStatus().count == 1)
            #expect(try await events.events(EventQuery()).total == Total(count: 1))
            let other = Samples.event("third")
            #expect(try await events.insert(other, change: Samples.change(.created, other), idempotency: key) == .inserted)
        },
        ConformanceCase("Of many events at once all are stored with their changes, but those whose ids are taken") { fixture in
            let events = fixture.stores.events
            let known = try await fixture.add(Samples.event("known"))
            var batch = (0..<20).map { Samples.event("\($0)", start: $0, tags: ["many"]) }
            batch[3] = Samples.event("impostor", id: known.id)
            batch[7] = Samples.event("twin", id: batch[6].id)
            let taken = try await events.insert(batch.map { (event: $0, change: Samples.change(.created, $0)) })
            #expect(taken == [known.id, batch[6].id])
            #expect(try await events.event(id: known.id) == known)
            #expect(try await events.events(EventQuery(tags: ["many"])).total == Total(count: 18))
            #expect(try await fixture.stores.outbox.pendingStatus().count == 19)
            #expect(try await events.insert([]).isEmpty)
        },
        ConformanceCase("Of many events those whose changes are quiet are stored, and nobody is notified") { fixture in
            let events = fixture.stores.events
            let batch = (0..<5).map { Samples.event("\($0)", start: $0) }
            #expect(try await events.insert(batch.map { (event: $0, change: Samples.quietChange($0)) }).isEmpty)
            #expect(try await events.events(EventQuery()).total == Total(count: 5))
            let edited = Samples.edited(batch[0])
            try await events.update(edited, expecting: 1, change: Samples.quietChange(edited))
            let pending = try await fixture.stores.outbox.pendingChanges(limit: 10)
            let areQuiet = pending.allSatisfy { $0.isQuiet }
            #expect(areQuiet)
            #expect(try await events.event(id: batch[0].id)?.version == 2)
        },
        ConformanceCase("Where an event came from is kept through updates, and goes with it") { fixture in
            let events = fixture.stores.events
            var event = Samples.event("brought")
            event.origin = EventOrigin(key: "a@b", sequence: 3, properties: "X-A:ü\nX-B:\"c\"")
            #expect(try await events.insert([(event: event, change: Samples.quietChange(event))]).isEmpty)
            #expect(try await events.event(id: event.id) == event)
            var changed = Samples.edited(event)
            changed.origin?.sequence = 4
            try await events.update(changed, expecting: 1, change: Samples.change(.updated, changed))
            #expect(try await events.event(id: event.id) == changed)
            changed = Samples.edited(changed)
            changed.origin = nil
            try await events.update(changed, expecting: 2, change: Samples.quietChange(changed))
            #expect(try await events.event(id: event.id) == changed)
        },
        ConformanceCase("An event is known by its import key: it comes in once, is found by it, and may come again when it was deleted") {
            fixture in
            let events = fixture.stores.events
            func event(_ title: String, _ key: UInt8) -> Event {
                Event(
                    title: title, description: "", location: "", startTime: Samples.hour(1), endTime: Samples.hour(2),
                    createdBy: "operator:root", createdAt: Samples.epoch, importKey: ImportKey(bytes: [UInt8](repeating: key, count: 16)))
            }
            let first = event("first", 1)
            #expect(try await events.insert([(event: first, change: Samples.change(.created, first))]).isEmpty)
            #expect(try await events.event(id: first.id) == first)
            let (twin, other, itsTwin) = (event("twin", 1), event("other", 2), event("its twin", 2))
            let taken = try await events.insert([twin, other, itsTwin].map { (event: $0, change: Samples.change(.created, $0)) })
            #expect(taken == [twin.id, itsTwin.id])
            #expect(try await fixture.stores.outbox.pendingStatus().count == 2)
            let keys = [first, other].compactMap(\.importKey) + [ImportKey(bytes: [UInt8](repeating: 9, count: 16))]
            #expect(Set(try await events.events(importKeys: keys).map(\.title)) == ["first", "other"])
            try await events.update(Samples.edited(first), expecting: 1, change: Samples.quietChange(Samples.edited(first)))
            #expect(try await events.events(importKeys: keys).first { $0.id == first.id }?.title == "first!")
            try await events.delete(first.id, expecting: 2, change: Samples.change(.deleted, first))
            #expect(try await events.insert([(event: twin, change: Samples.quietChange(twin))]).isEmpty)
            #expect(try await events.event(id: twin.id) == twin)
        },
        ConformanceCase("Events are found by many ids at once; those that are not there, or deleted, are left out") { fixture in
            let events = fixture.stores.events
            let stored = try await [fixture.add(Samples.event("a")), fixture.add(Samples.event("b")), fixture.add(Samples.event("c"))]
            try await events.delete(stored[1].id, expecting: 1, change: Samples.change(.deleted, stored[1]))
            let found = try await events.events(ids: stored.map(\.id) + [EventID()])
            #expect(Set(found.map(\.title)) == ["a", "c"])
            #expect(try await events.events(ids: []).isEmpty)
        },
        ConformanceCase("Ids and tags are found by how they begin, in their order and no more than asked for") { fixture in
            let events = fixture.stores.events
            let ids = ["0a", "0b", "1a"].compactMap { EventID($0 + String(repeating: "0", count: 30)) }
            for (id, tag) in zip(ids, ["conference", "concert", "talk"]) {
                try await fixture.add(Samples.event("x", id: id, tags: [tag, "all"]))
            }
            #expect(try await events.ids(beginningWith: "0", limit: 10) == Array(ids.prefix(2)))
            #expect(try await events.ids(beginningWith: "", limit: 2) == Array(ids.prefix(2)))
            #expect(try await events.ids(beginningWith: "f", limit: 2).isEmpty)
            #expect(try await events.tags(beginningWith: "con", limit: 10) == ["concert", "conference"])
            #expect(try await events.tags(beginningWith: "", limit: 2) == ["all", "concert"])
            #expect(try await events.tags(beginningWith: "x", limit: 2).isEmpty)
        },
        ConformanceCase("An event whose id was deleted before may come again under it") { fixture in
            let events = fixture.stores.events
            let first = try await fixture.add(Samples.event("first"))
            try await events.delete(first.id, expecting: 1, change: Samples.change(.deleted, first))
            let second = Samples.event("second", id: first.id)
            #expect(try await events.insert(second, change: Samples.change(.created, second), idempotency: nil) == .inserted)
            #expect(try await events.event(id: first.id) == second)
            let actions = try await fixture.stores.outbox.pendingChanges(limit: 10).map(\.action)
            #expect(actions == [.created, .deleted, .created])
        },
        ConformanceCase("An update with the right version replaces the event, but not who created it and when") { fixture in
            let events = fixture.stores.events
            let event = try await fixture.add(
                Samples.event(tags: ["a", "b"], at: Coordinates(latitude: 1, longitude: 2)))
            let updated = Samples.edited(event) {
                $0.title = "Other"
                $0.description = "text"
                $0.location = "there"
                $0.startTime = Samples.hour(10)
                $0.endTime = Samples.hour(12)
                $0.tags = ["b", "c"]
                $0.maxAttendees = 3
                $0.status = .completed
                $0.attachmentURL = "https://example.com"
                $0.coordinates = nil
            }
            let change = Samples.change(.updated, updated)
            try await events.update(updated, expecting: 1, change: change)
            #expect(try await events.event(id: event.id) == updated)
            #expect(try await fixture.stores.outbox.pendingChanges(limit: 10).last == change)
            #expect(try await events.events(EventQuery(tags: ["a"])).events.isEmpty)
            #expect(try await events.events(EventQuery(tags: ["c"])).events == [updated])
            #expect(try await events.events(EventQuery(tags: ["b"])).events == [updated])
        },
        ConformanceCase("An update with another version is refused, and leaves no change") { fixture in
            let events = fixture.stores.events
            let event = try await fixture.add(Samples.event(tags: ["kept"]))
            let updated = Samples.edited(event) { $0.tags = ["lost"] }
            for wrong in [0, 2] {
                await expectFailure(.versionConflict) {
                    try await events.update(updated, expecting: wrong, change: Samples.change(.updated, updated))
                }
            }
            let unknown = Samples.event()
            await expectFailure(.notFound) {
                try await events.update(unknown, expecting: 1, change: Samples.change(.updated, unknown))
            }
            #expect(try await events.event(id: event.id) == event)
            #expect(try await events.events(EventQuery(tags: ["kept"])).events == [event])
            #expect(try await fixture.stores.outbox.pendingStatus().count == 1)
        },
        ConformanceCase("Of eight updates from one version exactly one is stored, with its change") { fixture in
            let events = fixture.stores.events
            let event = try await fixture.add(Samples.event())
            let results = await concurrently(8) { index in
                let updated = Samples.edited(event) { $0.title = "writer \(index)" }
                try await events.update(updated, expecting: 1, change: Samples.change(.updated, updated))
                return updated
            }
            let winner = try #require(results.first { $0.isSuccess })
            let stored = try winner.get()
            #expect(results.count(where: \.isSuccess) == 1)
            #expect(results.count { $0.errorCode == .versionConflict } == 7)
            #expect(try await events.event(id: event.id) == stored)
            let pending = try await fixture.stores.outbox.pendingChanges(limit: 10)
            #expect(try pending.map { try $0.event().title } == ["Concert", stored.title])
        },
        ConformanceCase("A deletion with the right version takes the event out of every list, and leaves its change") { fixture in
            let events = fixture.stores.events
            let event = try await fixture.add(Samples.event("Gone", tags: ["t"], at: Coordinates(latitude: 1, longitude: 1)))
            let change = Samples.change(.deleted, event)
            try await events.delete(event.id, expecting: 1, change: change)
            #expect(try await events.event(id: event.id) == nil)
            #expect(try await events.events(EventQuery()).total == Total(count: 0))
            #expect(try await events.events(EventQuery(tags: ["t"])).total == Total(count: 0))
            #expect(try await events.events(EventQuery(text: "gone")).events.isEmpty)
            let area = EventQuery.Area(center: Coordinates(latitude: 1, longitude: 1), radiusKilometres: 5)
            #expect(try await events.events(EventQuery(area: area)).events.isEmpty)
            #expect(try await fixture.stores.outbox.pendingChanges(limit: 10).last == change)
        },
        ConformanceCase("A deletion with another version is refused, and leaves no change") { fixture in
            let events = fixture.stores.events
            let event = try await fixture.add(Samples.event())
            await expectFailure(.versionConflict) {
                try await events.delete(event.id, expecting: 2, change: Samples.change(.deleted, event))
            }
            let unknown = Samples.event()
            await expectFailure(.notFound) {
                try await events.delete(unknown.id, expecting: 1, change: Samples.change(.deleted, unknown))
            }
            #expect(try await events.event(id: event.id) == event)
            #expect(try await fixture.stores.outbox.pendingStatus().count == 1)
        },
        ConformanceCase("Scheduled events that are over come with the earliest end first; canceled and running ones do not") { fixture in
            let events = fixture.stores.events
            var over: [Event] = []
            for start in [5, 1, 3] { over.append(try await fixture.add(Samples.event("over \(start)", start: start))) }
            try await fixture.add(Samples.event("canceled", start: 2, status: .canceled))
            try await fixture.add(Samples.event("completed", start: 2, status: .completed))
            try await fixture.add(Samples.event("ends at that moment", start: 9))
            let found = try await events.scheduledEvents(endedBefore: Samples.hour(10), limit: 10)
            #expect(found.map(\.title) == ["over 1", "over 3", "over 5"])
            #expect(try await events.scheduledEvents(endedBefore: Samples.hour(10), limit: 2).map(\.title) == ["over 1", "over 3"])
            let done = Samples.edited(over[1]) { $0.status = .completed }
            try await events.update(done, expecting: 1, change: Samples.change(.updated, done))
            #expect(try await events.scheduledEvents(endedBefore: Samples.hour(10), limit: 10).map(\.title) == ["over 3", "over 5"])
        },
    ]

    private static let idempotency: [ConformanceCase] = [
        ConformanceCase("A repeated request answers with the event of the first, and writes nothing") { fixture in
            let events = fixture.stores.events
            let key = IdempotencyKey(owner: "root", key: "k", fingerprint: [1, 2])
            let (first, second) = (Samples.event("first"), Samples.event("second"))
            #expect(try await events.insert(first, change: Samples.change(.created, first), idempotency: key) == .inserted)
            let outcome = try await events.insert(second, change: Samples.change(.created, second), idempotency: key)
            #expect(outcome == .repeated(first.id))
            #expect(try await events.event(id: second.id) == nil)
            #expect(try await fixture.stores.outbox.pendingStatus().count == 1)
        },
        ConformanceCase("A key that came with another request is refused, and writes nothing") { fixture in
            let events = fixture.stores.events
            let (first, second) = (Samples.event("first"), Samples.event("second"))
            _ = try await events.insert(
                first, change: Samples.change(.created, first), idempotency: IdempotencyKey(owner: "root", key: "k", fingerprint: [1]))
            let outcome = try await events.insert(
                second, change: Samples.change(.created, second), idempotency: IdempotencyKey(owner: "root", key: "k", fingerprint: [2]))
            #expect(outcome == .keyReused)
            #expect(try await events.event(id: second.id) == nil)
            #expect(try await fixture.stores.outbox.pendingStatus().count == 1)
        },
        ConformanceCase("Keys of different owners, and keys in different letter case, never meet") { fixture in
            let events = fixture.stores.events
            for (owner, key) in [("root", "k"), ("alice", "k"), ("root", "K"), ("roo", "tk")] {
                let event = Samples.event("\(owner) \(key)")
                let outcome = try await events.insert(
                    event, change: Samples.change(.created, event), idempotency: IdempotencyKey(owner: owner, key: key, fingerprint: [1]))
                #expect(outcome == .inserted, "\(owner) \(key)")
            }
        },
        ConformanceCase("Eight requests with one key at once make one event, of which all hear") { fixture in
            let events = fixture.stores.events
            let key = IdempotencyKey(owner: "root", key: "k", fingerprint: [1])
            let results = await concurrently(8) { index in
                let event = Samples.event("try \(index)")
                return try await events.insert(event, change: Samples.change(.created, event), idempotency: key)
            }
            let outcomes = try results.map { try $0.get() }
            let stored = try #require(try await events.events(EventQuery()).events.first)
            #expect(outcomes.count { $0 == .inserted } == 1)
            #expect(outcomes.count { $0 == .repeated(stored.id) } == 7)
            #expect(try await fixture.stores.outbox.pendingStatus().count == 1)
        },
        ConformanceCase("A key is free again after its lifetime, and when it was forgotten") { fixture in
            let events = fixture.stores.events
            let key = IdempotencyKey(owner: "root", key: "k", fingerprint: [1])
            func insert(at moment: Timestamp) async throws -> InsertOutcome {
                let event = Samples.event(createdAt: moment)
                return try await events.insert(event, change: Samples.change(.created, event), idempotency: key)
            }
            #expect(try await insert(at: Samples.epoch) == .inserted)
            #expect(try await insert(at: Samples.epoch.adding(seconds: IdempotencyKey.lifetimeSeconds - 1)) != .inserted)
            let later = Samples.epoch.adding(seconds: IdempotencyKey.lifetimeSeconds + 1)
            #expect(try await insert(at: later) == .inserted)
            try await events.forgetIdempotencyKeys(before: later)
            #expect(try await insert(at: later) != .inserted)
            try await events.forgetIdempotencyKeys(before: later.adding(seconds: 1))
            #expect(try await insert(at: later) == .inserted)
        },
    ]

    private static let listing: [ConformanceCase] = [
        ConformanceCase("Lists come in every order that was asked for; equal values by id") { fixture in
            let events = fixture.stores.events
            // Start and creation go in different directions, and two of each are equal.
            for (title, start, created) in [("a", 3, 1), ("b", 1, 4), ("c", 3, 1), ("d", 2, 0), ("e", 1, 4)] {
                try await fixture.add(Samples.event(title, start: start, tags: ["t"], createdAt: Samples.hour(created)))
            }
            let orders: [(EventQuery.Sort, String)] = [
                (.startTime, "bedac"), (.startTimeDescending, "cadeb"), (.createdAt, "dacbe"), (.createdAtDescending, "ebcad"),
            ]
            for (sort, titles) in orders {
                #expect(try await events.events(EventQuery(sort: sort)).events.map(\.title).joined() == titles, "\(sort)")
                #expect(
                    try await events.events(EventQuery(tags: ["t"], sort: sort)).events.map(\.title).joined() == titles, "\(sort), by tag")
                let page = try await events.events(EventQuery(status: .scheduled, createdBy: "operator:root", sort: sort))
                #expect(page.events.map(\.title).joined() == titles, "\(sort), by status and creator")
                #expect(try await allTitles(EventQuery(sort: sort, page: PageRequest(size: 2)), events) == titles, "\(sort), by cursor")
                #expect(
                    try await allTitles(EventQuery(tags: ["t"], sort: sort, page: PageRequest(size: 1)), events) == titles,
                    "\(sort), by tag and cursor")
            }
        },
        ConformanceCase("Every combination of filters finds what meets all of them, and counts it") { fixture in
            let events = fixture.stores.events
            var all: [Event] = []
            for index in 0..<24 {
                let event = Samples.event(
                    "\(index)", start: index, by: index.isMultiple(of: 2) ? "operator:a" : "operator:b",
                    tags: (index.isMultiple(of: 3) ? ["three"] : []) + (index.isMultiple(of: 5) ? ["five"] : []) + ["x"],
                    status: index.isMultiple(of: 4) ? .canceled : .scheduled)
                all.append(try await fixture.add(event))
            }
            let tags: [[String]] = [[], ["three"], ["three", "x"], ["five", "three"], ["three", "nobody"]]
            for (mask, tags) in (0..<32).flatMap({ mask in tags.map { (mask, $0) } }) {
                let query = EventQuery(
                    tags: tags, tagMatch: mask & 1 == 0 ? .all : .any, status: mask & 2 == 0 ? nil : .canceled,
                    createdBy: mask & 4 == 0 ? nil : "operator:a", startsAfter: mask & 8 == 0 ? nil : Samples.hour(6),
                    startsBefore: mask & 16 == 0 ? nil : Samples.hour(18), page: PageRequest(size: 100))
                let expected = all.filter { event in
                    let present = tags.filter(event.tags.contains).count
                    return (query.tagMatch == .all ? present == tags.count : tags.isEmpty || present > 0)
                        && (query.status.map { $0 == event.status } ?? true)
                        && (query.createdBy.map { $0 == event.createdBy } ?? true)
                        && (query.startsAfter.map { event.startTime >= $0 } ?? true)
                        && (query.startsBefore.map { event.startTime < $0 } ?? true)
                }
                for sort in [EventQuery.Sort.startTime, .createdAt] {
                    var query = query
                    query.sort = sort
                    let page = try await events.events(query)
                    #expect(page.events.map(\.title) == expected.map(\.title), "\(query)")
                    #expect(page.total == Total(count: expected.count), "\(query)")
                    #expect(page.next == nil)
                }
            }
        },
        ConformanceCase("Tags come back as they were stored, also one that begins with a combining mark") { fixture in
            let event = try await fixture.add(Samples.event(tags: ["x", "\u{301}y", "zwei wörter"]))
            let stored = try await fixture.stores.events.event(id: event.id)
            #expect(stored?.tags == ["x", "\u{301}y", "zwei wörter"])
            #expect(try await fixture.stores.events.events(EventQuery(text: "wörter", tags: ["x", "\u{301}y"])).events.count == 1)
        },
        ConformanceCase("Any of several tags are read page by page, in order, each event once") { fixture in
            let events = fixture.stores.events
            let choices = [["a"], ["b"], ["a", "b"], ["c"], ["b", "c"]]
            for index in 0..<25 { try await fixture.add(Samples.event("\(index)", start: index, tags: choices[index % 5])) }
            for sort in [EventQuery.Sort.startTime, .startTimeDescending, .createdAt] {
                let titles = try await allTitles(
                    EventQuery(tags: ["a", "b"], tagMatch: .any, sort: sort, page: PageRequest(size: 2)), events)
                let expected = (0..<25).filter { $0 % 5 != 3 }.map(String.init)
                #expect(titles == (sort == .startTimeDescending ? expected.reversed() : expected).joined(), "\(sort)")
            }
            let second = try await events.events(
                EventQuery(tags: ["a", "b"], tagMatch: .any, page: PageRequest(number: 2, size: 3)))
            #expect(second.events.map(\.title) == ["4", "5", "6"])
            #expect(second.total == Total(count: 20))
        },
        ConformanceCase("A tag is found whole and in any letter case; a creator and a tag nobody has, not at all") { fixture in
            let events = fixture.stores.events
            let event = try await fixture.add(Samples.event(tags: ["swift talk", "b"]))
            #expect(try await events.events(EventQuery(tags: [" Swift Talk "])).events == [event])
            for tag in ["swift", "talk", "swift talk,b", "%", ""] {
                let page = try await events.events(EventQuery(tags: [tag]))
                #expect(page.events.isEmpty && page.total == Total(count: 0), "\(tag)")
            }
            #expect(try await events.events(EventQuery(createdBy: "operator:nobody")).total == Total(count: 0))
        },
        ConformanceCase("Totals follow insertions, changes of status and tags, and deletions") { fixture in
            let events = fixture.stores.events
            var event = try await fixture.add(Samples.event(by: "operator:a", tags: ["old"]))
            try await fixture.add(Samples.event(by: "operator:b", tags: ["old"]))
            func totals() async throws -> [Int] {
                var totals: [Int] = []
                for query in [
                    EventQuery(), EventQuery(tags: ["old"]), EventQuery(tags: ["new"]), EventQuery(status: .scheduled),
                    EventQuery(status: .canceled), EventQuery(createdBy: "operator:a"),
                ] {
                    let page = try await events.events(query)
                    let total = page.total
                    #expect(total.isExact)
                    totals.append(total.count)
                }
                return totals
            }
            #expect(try await totals() == [2, 2, 0, 2, 0, 1])
            event = Samples.edited(event) {
                $0.tags = ["new"]
                $0.status = .canceled
            }
            try await events.update(event, expecting: 1, change: Samples.change(.updated, event))
            #expect(try await totals() == [2, 1, 1, 1, 1, 1])
            try await events.delete(event.id, expecting: 2, change: Samples.change(.deleted, event))
            #expect(try await totals() == [1, 1, 0, 1, 0, 0])
        },
        ConformanceCase("Pages by number meet without gap or repeat, and say where to read on") { fixture in
            let events = fixture.stores.events
            for index in 0..<7 { try await fixture.add(Samples.event("\(index)", start: index)) }
            var titles = ""
            for number in 1...3 {
                let page = try await events.events(EventQuery(page: PageRequest(number: number, size: 3)))
                titles += page.events.map(\.title).joined()
                #expect(page.total == Total(count: 7))
                #expect((page.next == nil) == (number == 3))
            }
            #expect(titles == "0123456")
            let second = try await events.events(EventQuery(page: PageRequest(number: 2, size: 3)))
            let cursor: PageCursor = try #require(second.next)
            let third = try await events.events(EventQuery(page: PageRequest(size: 3, after: cursor)))
            #expect(third.events.map(\.title) == ["6"])
            let exact = try await events.events(EventQuery(page: PageRequest(size: 7)))
            #expect(exact.events.count == 7 && exact.next == nil)
            let beyond = try await events.events(EventQuery(page: PageRequest(number: 5, size: 3)))
            #expect(beyond.events.isEmpty && beyond.next == nil && beyond.total == Total(count: 7))
        },
        ConformanceCase("A cursor that went through its text reads on at the same place") { fixture in
            let events = fixture.stores.events
            for index in 0..<4 { try await fixture.add(Samples.event("\(index)", start: index)) }
            let first = try await events.events(EventQuery(page: PageRequest(size: 2)))
            let cursor = try PageCursor(try #require(first.next).text)
            let second = try await events.events(EventQuery(page: PageRequest(size: 2, after: cursor)))
            #expect(second.events.map(\.title) == ["2", "3"])
        },
        ConformanceCase("Reading on by cursor while others insert and delete shows each standing event exactly once") { fixture in
            let events = fixture.stores.events
            var standing: [EventID] = []
            for index in 0..<30 { standing.append(try await fixture.add(Samples.event("\(index)", start: index / 3)).id) }
            let doomed = try await fixture.add(Samples.event("doomed", start: 0))
            let writer = Task {
                try await events.delete(doomed.id, expecting: 1, change: Samples.change(.deleted, doomed))
                for index in 0..<30 { try await fixture.add(Samples.event("new \(index)", start: index / 3)) }
            }
            var seen: [EventID] = []
            var cursor: PageCursor?
            repeat {
                let page = try await events.events(EventQuery(page: PageRequest(size: 4, after: cursor)))
                seen += page.events.map(\.id)
                cursor = page.next
                if seen.count > 200 { break }
            } while cursor != nil
            try await writer.value
            #expect(Set(seen).count == seen.count)
            #expect(seen.filter(Set(standing).contains) == standing)
        },
    ]

    /// All titles of a list, read by cursor.
    private static func allTitles(_ query: EventQuery, _ events: any EventStore) async throws -> String {
        var (query, titles) = (query, "")
        repeat {
            let page = try await events.events(query)
            titles += page.events.map(\.title).joined()
            query.page.after = page.next
            if titles.count > 100 { break }
        } while query.page.after != nil
        return titles
    }
}
