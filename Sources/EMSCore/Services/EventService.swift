/// Events: who may write them, what they must be, and that every write is followed by its change.
public struct EventService: Sendable {
    let events: any EventStore
    private let journal: JournalService
    let journalStore: any JournalStore
    let permissions: Permissions
    let changeWritten: @Sendable (Change) -> Void
    let now: @Sendable () -> Timestamp

    /// - Parameter changeWritten: called after every write, with the change that it left pending: for the relay.
    public init(
        stores: Stores, permissions: Permissions = Permissions(), changeWritten: @escaping @Sendable (Change) -> Void,
        now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        events = stores.events
        journal = JournalService(stores: stores, permissions: permissions)
        journalStore = stores.journal
        self.permissions = permissions
        self.changeWritten = changeWritten
        self.now = now
    }

    /// What ``create(_:id:by:idempotencyKey:)`` answers.
    public struct Creation: Sendable {
        public let event: Event
        /// Whether an earlier request with the same key had made it already.
        public let isRepetition: Bool
    }

    /// Makes an event, without storing it: everything checked.
    /// - Parameter allowingPast: whether it may have begun already: what an operator brings in.
    func drafted(
        _ draft: EventDraft, id: EventID = EventID(), importKey: ImportKey? = nil, by principal: Principal, allowingPast: Bool = false
    ) throws -> Event {
        try permissions.require(.createEvents, of: principal, "only organizers and admins create events here")
        let now = now()
        let draft = try EventRules.accepted(draft, startsAfter: allowingPast ? nil : now)
        return Event(draft, id: id, createdBy: principal.identity, createdAt: now, importKey: importKey)
    }

    /// Makes and stores an event.
    /// - Parameter idempotencyKey: the client's key and a digest of its request; a repetition answers with the event of the first.
    /// - Throws: ``EMSError`` with ``ErrorCode/invalid``, ``ErrorCode/exists`` or ``ErrorCode/idempotencyConflict``.
    public func create(
        _ draft: EventDraft, id: EventID = EventID(), by principal: Principal, idempotencyKey: (key: String, fingerprint: [UInt8])? = nil
    ) async throws -> Creation {
        let key = try idempotencyKey.map { key, fingerprint in
            guard (1...IdempotencyKey.lengthLimit).contains(key.utf8.count) else {
                throw EMSError.invalid(.idempotencyKey, "must have 1 to \(IdempotencyKey.lengthLimit) bytes")
            }
            return IdempotencyKey(owner: principal.identity, key: key, fingerprint: fingerprint)
        }
        // Asked before the rules: what was right when it came first may be in the past by now.
        if let key, let earlier = try await events.outcome(of: key, at: now()) {
            return try await creation(earlier, nil)
        }
        let event = try drafted(draft, id: id, by: principal)
        let change = Change.created(event, by: principal, at: now())
        let outcome = try await events.insert(event, change: change, idempotency: key)
        if outcome == .inserted { changeWritten(change) }
        return try await creation(outcome, event)
    }

    private func creation(_ outcome: InsertOutcome, _ new: Event?) async throws -> Creation {
        switch outcome {
        case .inserted:
            guard let new else { preconditionFailure("only an insert inserts") }
            return Creation(event: new, isRepetition: false)
        case .repeated(let id):
            return Creation(event: try await self.event(id), isRepetition: true)
        case .keyReused:
            throw EMSError(
                .idempotencyConflict, "the idempotency key was used for a different request in the last 24 hours",
                fix: "use a new key for a new request",
                fields: [FieldError(.idempotencyKey, "was used for a different request", type: "idempotency_conflict")])
        }
    }

    public func event(_ id: EventID) async throws -> Event {
        guard let event = try await events.event(id: id) else { throw EMSError.notFound("event", id) }
        return event
    }

    public func events(_ query: EventQuery) async throws -> EventPage {
        try query.validate()
        let page = try await events.events(query)
        // An export asks for pages of its own size.
        return query.page.size > PageRequest.sizeRange.upperBound ? page : page.limited()
    }

    /// Whether an event could be created so.
    /// - Throws: what ``create(_:id:by:idempotencyKey:)`` would throw.
    public func check(_ draft: EventDraft, id: EventID, by principal: Principal) async throws {
        _ = try drafted(draft, id: id, by: principal)
        if try await events.event(id: id) != nil { throw EMSError(.exists, "there is an event \(id) already") }
    }

    /// Whether the event could be changed so.
    /// - Returns: the event as it would be.
    /// - Throws: what ``update(_:by:ifVersion:_:)`` would throw.
    public func check(
        _ id: EventID, by principal: Principal, ifVersion version: Int? = nil, _ edit: (EventDraft) throws -> EventDraft
    ) async throws -> Event {
        let current = try await event(id)
        try Self.expect(version, of: current)
        return try updated(current, by: principal, edit)
    }

    /// What an update makes of an event, without storing it.
    func updated(_ event: Event, by principal: Principal, _ edit: (EventDraft) throws -> EventDraft) throws -> Event {
        guard permissions.mayChange(event, principal) else { throw Self.notYours }
        let draft = try EventRules.accepted(edit(EventDraft(event)), startsAfter: nil)
        return Event(
            draft, id: event.id, createdBy: event.createdBy, createdAt: event.createdAt, updatedAt: now(), version: event.version + 1,
            origin: event.origin, importKey: event.importKey)
    }

    /// Changes an event. Without a version the edit is repeated on the newest state until nobody came in between.
    /// - Parameter version: the version the caller has seen; another one is refused with ``ErrorCode/versionConflict``.
    public func update(
        _ id: EventID, by principal: Principal, ifVersion version: Int? = nil, _ edit: (EventDraft) throws -> EventDraft
    ) async throws -> Event {
        try await retrying(id, ifVersion: version) { current in
            let updated = try self.updated(current, by: principal, edit)
            if EventDraft(updated) == EventDraft(current) { return current }
            let change = Change.updated(current, to: updated, by: principal, at: now())
            try await events.update(updated, expecting: current.version, change: change)
            changeWritten(change)
            return updated
        }
    }

    /// Deletes an event. Its subscribers are told; their subscriptions end.
    public func delete(_ id: EventID, by principal: Principal, ifVersion version: Int? = nil) async throws {
        _ = try await retrying(id, ifVersion: version) { current in
            guard permissions.mayChange(current, principal) else { throw Self.notYours }
            let change = Change.deleted(current, by: principal, at: now())
            try await events.delete(id, expecting: current.version, change: change)
            changeWritten(change)
            return current
        }
    }

    /// Makes a new version of an event that says what an earlier one said; a deleted event comes back.
    /// - Parameter current: the version the caller has seen; another one is refused with ``ErrorCode/versionConflict``.
    /// - Throws: ``EMSError`` with ``ErrorCode/notFound`` if there is no such event or version, or with ``ErrorCode/forbidden``.
    public func restore(_ id: EventID, version: Int, by principal: Principal, ifVersion current: Int? = nil) async throws -> Event {
        let earlier = try await journal.event(id, version: version, by: principal)
        while true {
            if try await events.event(id: id) != nil {
                return try await update(id, by: principal, ifVersion: current) { _ in EventDraft(earlier) }
            }
            guard let deleted = try await journal.deleted(id) else { throw EMSError.notFound("event", id) }
            guard permissions.mayChange(deleted, principal) else { throw Self.notYours }
            try Self.expect(current, of: deleted)
            let restored = try revived(earlier, after: deleted)
            let change = Change.created(restored, by: principal, at: now())
            do {
                _ = try await events.insert(restored, change: change, idempotency: nil)
                changeWritten(change)
                return restored
            } catch let error as EMSError where error.code == .exists {
                // Another request restored it, or another event was imported from the same record.
                if try await events.event(id: id) != nil { continue }
                guard let key = restored.importKey, let other = try await events.events(importKeys: [key]).first else { throw error }
                throw EMSError(
                    .exists, "the event \(other.id) was imported from the same record since \(id) was deleted", fix: "delete that one first"
                )
            }
        }
    }

    /// Whether an event could be restored so.
    /// - Returns: the event as it would be.
    /// - Throws: what ``restore(_:version:by:ifVersion:)`` would throw.
    public func checkRestoration(of id: EventID, version: Int, by principal: Principal, ifVersion current: Int? = nil) async throws -> Event
    {
        let earlier = try await journal.event(id, version: version, by: principal)
        if try await events.event(id: id) != nil {
            return try await check(id, by: principal, ifVersion: current) { _ in EventDraft(earlier) }
        }
        guard let deleted = try await journal.deleted(id) else { throw EMSError.notFound("event", id) }
        try Self.expect(current, of: deleted)
        return try revived(earlier, after: deleted)
    }

    /// A deleted event as it comes back: what an earlier version said, under the next number.
    private func revived(_ earlier: Event, after deleted: Event) throws -> Event {
        let draft = try EventRules.accepted(EventDraft(earlier), startsAfter: nil)
        return Event(
            draft, id: earlier.id, createdBy: earlier.createdBy, createdAt: earlier.createdAt, updatedAt: now(),
            version: deleted.version + 1, origin: earlier.origin, importKey: deleted.importKey)
    }

    /// Marks what is over as completed.
    /// - Returns: the events, as they are now; with `dryRun`, as they would be.
    public func completePast(by principal: Principal, dryRun: Bool = false, limit: Int = 500) async throws -> [Event] {
        let over = try await events.scheduledEvents(endedBefore: now(), limit: limit)
        var completed: [Event] = []
        for event in over {
            let edit = { (draft: EventDraft) in
                var draft = draft
                if draft.status == .scheduled { draft.status = .completed }
                return draft
            }
            completed.append(dryRun ? try updated(event, by: principal, edit) : try await update(event.id, by: principal, edit))
        }
        return completed
    }

    /// Forgets idempotency keys that are past their time.
    public func forgetOldIdempotencyKeys() async throws {
        try await events.forgetIdempotencyKeys(before: now().adding(seconds: -IdempotencyKey.lifetimeSeconds))
    }

    private static let notYours = EMSError(.forbidden, "only its creator or an admin may change or delete this event")

    private static func expect(_ version: Int?, of event: Event) throws {
        if let version, version != event.version {
            throw EMSError(
                .versionConflict, "the event has version \(event.version), not \(version)", fix: "read it again and repeat the change")
        }
    }

    private func retrying(_ id: EventID, ifVersion version: Int?, _ body: (Event) async throws -> Event) async throws -> Event {
        while true {
            let current = try await event(id)
            try Self.expect(version, of: current)
            do {
                return try await body(current)
            } catch let error as EMSError where error.code == .versionConflict && version == nil {
                try Task.checkCancellation()
            }
        }
    }
}
