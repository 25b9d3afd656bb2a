/// One event that is to be brought in, checked but for what only the store knows.
public struct EventImportRow: Sendable {
    let content: Content
    let identity: Identity
    /// How often it was revised elsewhere, where the record tells.
    let sequence: Int?

    enum Content {
        /// With the change that brings it in, and why it may not be new; `nil` where it may.
        case event(Event, Change, refusal: EMSError?)
        /// That an event is canceled, and no more (iTIP, RFC 5546, section 3.2.5).
        case cancellation
    }

    /// By what a record is known.
    enum Identity: Hashable {
        case id(EventID)
        case key(ImportKey)
    }

    fileprivate var event: Event? { if case .event(let event, _, _) = content { event } else { nil } }
    fileprivate var creation: (event: Event, change: Change)? {
        if case .event(let event, let change, _) = content { (event, change) } else { nil }
    }
}

/// How events are brought in.
public struct EventImportOptions: Sendable {
    /// Whether events that are there already are changed, instead of skipped.
    public var isUpdating: Bool
    /// Whether people are told, as of any other change.
    public var isNotifying: Bool
    /// Whether new ones may have begun already.
    public var allowsPast: Bool
    public var isDryRun: Bool
    /// What the file has said so far.
    public let memory: ImportMemory
    /// When the import began: what was created since is of this file.
    let startedAt = Timestamp.now()
    /// Where is noted what is stored, if it may have to be undone.
    public let log: ImportLog?

    public init(
        isUpdating: Bool = false, isNotifying: Bool = true, allowsPast: Bool = false, isDryRun: Bool = false,
        memory: ImportMemory = ImportMemory(), log: ImportLog? = nil
    ) {
        self.isUpdating = isUpdating
        self.isNotifying = isNotifying
        self.allowsPast = allowsPast
        self.isDryRun = isDryRun
        self.memory = memory
        self.log = log
    }
}

/// What became of a record that was brought in.
public enum ImportOutcome: Sendable {
    case created, updated, skipped
    case failed(EMSError)
}

extension EventService {
    /// Checks a record: what HTTP takes, with `event_id` or `external_id` where it has such.
    ///
    /// It is known by its id; or by its name elsewhere; or, where it has neither, by all that it says: so the same record comes in once,
    /// however often it is brought.
    /// - Parameter isCancellation: whether the record only names an event that is canceled.
    public func importRow(_ record: JSONValue, isCancellation: Bool = false, _ options: EventImportOptions, by principal: Principal) throws
        -> EventImportRow
    {
        let id = try Self.id(in: record)
        let sequence = record["external_sequence"]?.integer.map { Int(clamping: $0) }
        if isCancellation {
            var fields = JSONFields(record)
            guard let identity = id.map({ .id($0) }) ?? EventOrigin(&fields).map({ EventImportRow.Identity.key($0.importKey) }) else {
                throw EMSError.invalid("external_id", "is required", type: "missing")
            }
            return EventImportRow(content: .cancellation, identity: identity, sequence: sequence)
        }
        let draft = try EventRules.accepted(EventDraft(imported: record), startsAfter: nil)
        let key = draft.origin?.importKey ?? (id == nil ? ImportKey(digestOf: draft.identity) : nil)
        let event = try drafted(draft, id: id ?? EventID(), importKey: key, by: principal, allowingPast: true)
        var refusal: EMSError?
        if !options.allowsPast, event.startTime < event.createdAt {
            let fault = "must not be in the past (it is \(event.createdAt) now)"
            refusal = EMSError.invalid("start_time", fault)
        }
        let identity = id.map { EventImportRow.Identity.id($0) } ?? key.map { .key($0) } ?? .id(event.id)
        // Written down here, where records are checked: what stores them has more to do.
        let change = Change.created(event, by: principal, at: event.createdAt, isQuiet: !options.isNotifying)
        return EventImportRow(content: .event(event, change, refusal: refusal), identity: identity, sequence: sequence)
    }

    private static func id(in record: JSONValue) throws -> EventID? {
        guard let text = record["event_id"]?.string else { return nil }
        guard let id = EventID(text) else { throw EMSError.invalid("event_id", "must be 32 hex characters") }
        return id
    }

    /// Those of the records' events that are there already, by what they are known by.
    private func known(_ rows: [EventImportRow]) async throws -> [EventImportRow.Identity: Event] {
        guard !rows.isEmpty else { return [:] }
        var (ids, keys): ([EventID], [ImportKey]) = ([], [])
        for row in rows {
            switch row.identity {
            case .id(let id): ids.append(id)
            case .key(let key): keys.append(key)
            }
        }
        var known: [EventImportRow.Identity: Event] = [:]
        if !ids.isEmpty { for event in try await events.events(ids: ids) { known[.id(event.id)] = event } }
        if !keys.isEmpty {
            for event in try await events.events(importKeys: keys) { if let key = event.importKey { known[.key(key)] = event } }
        }
        return known
    }

    /// Stores records, or says what storing them would do.
    /// - Returns: what became of each.
    /// - Throws: ``EMSError`` where the store fails; what was stored before stays, and is skipped when it is brought again.
    public func importBatch(_ rows: [EventImportRow], _ options: EventImportOptions, by principal: Principal) async throws
        -> [ImportOutcome]
    {
        var outcomes = [ImportOutcome](repeating: .skipped, count: rows.count)
        var known = try await known(rows.filter { options.isDryRun || $0.refusal != nil })
        var first: [EventImportRow.Identity: Event] = [:]
        var fresh: [Int] = []
        var repeated: [Int] = []
        var owners = try await owners(of: rows)
        for (index, row) in rows.enumerated() {
            if case .id(let id) = row.identity, let key = row.event?.importKey {
                if let owner = owners[key] ?? options.memory.owner(of: key), owner != id {
                    outcomes[index] = .failed(EMSError(.exists, "the external_id is that of another event", fix: "give it another"))
                    continue
                }
                owners[key] = id
            }
            if let earlier = first[row.identity], let event = row.event, !options.isUpdating, !event.says(thatOf: earlier) {
                outcomes[index] = .failed(row.contradiction)
                continue
            }
            let isRepeated = known[row.identity] != nil || first[row.identity] != nil
            guard case .event(let event, _, let refusal) = row.content, !isRepeated else {
                repeated.append(index)
                continue
            }
            if options.isDryRun, let content = options.memory.content(of: row.identity) {
                // A record before this one would have been stored.
                let isSame = content == EventDraft(event).identity.hashValue
                if !isSame { outcomes[index] = options.isUpdating ? .updated : .failed(row.contradiction) }
                if options.isUpdating { options.memory.note(row.identity, EventDraft(event).identity) }
            } else if let refusal {
                outcomes[index] = .failed(refusal)
            } else {
                first[row.identity] = event
                fresh.append(index)
                if options.isDryRun {
                    options.memory.note(row.identity, EventDraft(event).identity)
                    if case .id(let id) = row.identity, let key = event.importKey { options.memory.note(owner: id, of: key) }
                }
            }
        }
        let taken = try await insert(fresh, of: rows, options, principal, &outcomes)
        repeated += taken
        guard options.isUpdating else {
            try await findContradictions(of: taken, rows, options, &outcomes)
            return outcomes
        }
        let unknown = repeated.map { rows[$0] }.filter { known[$0.identity] == nil }
        if !options.isDryRun { known.merge(try await self.known(unknown)) { $1 } }
        // In the order of the file: of two records of one event, the last one counts.
        for index in repeated.sorted() {
            let row = rows[index]
            do {
                guard let current = known[row.identity] ?? first[row.identity] else {
                    outcomes[index] = try missing(row, options)
                    continue
                }
                let updated = try await revise(current, as: row, options, principal)
                known[row.identity] = updated
                outcomes[index] = updated.version == current.version ? .skipped : .updated
            } catch let error as EMSError where error.code == .notFound || error.code == .invalid {
                outcomes[index] = .failed(error)
            }
        }
        return outcomes
    }

    /// Whose the names are that records with an id have elsewhere.
    private func owners(of rows: [EventImportRow]) async throws -> [ImportKey: EventID] {
        let keys = rows.compactMap { row in if case .id = row.identity { row.event?.importKey } else { nil } }
        guard !keys.isEmpty else { return [:] }
        let found = try await events.events(importKeys: keys).compactMap { event in event.importKey.map { ($0, event.id) } }
        return Dictionary(found) { first, _ in first }
    }

    /// Of records whose events are there already, those that an earlier record of this very file has brought, and that say something else.
    private func findContradictions(
        of taken: [Int], _ rows: [EventImportRow], _ options: EventImportOptions, _ outcomes: inout [ImportOutcome]
    ) async throws {
        let known = try await known(taken.map { rows[$0] })
        for index in taken {
            guard let earlier = known[rows[index].identity], earlier.createdAt >= options.startedAt, let event = rows[index].event,
                !event.says(thatOf: earlier)
            else { continue }
            outcomes[index] = .failed(rows[index].contradiction)
        }
    }

    /// What becomes of a record that needs an event which is not there.
    private func missing(_ row: EventImportRow, _ options: EventImportOptions) throws -> ImportOutcome {
        // In a dry run it may be of this file.
        if options.isDryRun, options.memory.content(of: row.identity) != nil { return .updated }
        switch row.identity {
        case .id(let id): throw EMSError.notFound("event", id)
        case .key: throw EMSError(.notFound, "the canceled event is not here", fix: "nothing needs to be done if it was never wanted")
        }
    }

    /// - Returns: the places of those that were there already.
    private func insert(
        _ fresh: [Int], of rows: [EventImportRow], _ options: EventImportOptions, _ principal: Principal, _ outcomes: inout [ImportOutcome]
    ) async throws -> [Int] {
        var taken: Set<EventID> = []
        let batch = try await goingOn(fresh.compactMap { index in rows[index].creation.map { (index, $0.event, $0.change) } }, of: rows) {
            Change.created($0, by: principal, at: $0.createdAt, isQuiet: !options.isNotifying)
        }
        if !options.isDryRun, !batch.isEmpty {
            let pairs = batch.map { (event: $0.event, change: $0.change) }
            taken = try await events.insert(pairs)
            for (event, change) in pairs where !taken.contains(event.id) { changeWritten(change) }
            if let log = options.log { for (event, _) in pairs where !taken.contains(event.id) { log.append(.createdEvent(event)) } }
        }
        for row in batch where !taken.contains(row.event.id) { outcomes[row.index] = .created }
        return batch.filter { taken.contains($0.event.id) }.map(\.index)
    }

    /// The events with the versions that they begin with: one that was deleted continues from its last version.
    private func goingOn(
        _ batch: [(index: Int, event: Event, change: Change)], of rows: [EventImportRow], _ change: (Event) -> Change
    ) async throws -> [(index: Int, event: Event, change: Change)] {
        let ids = batch.compactMap { row in if case .id(let id) = rows[row.index].identity { id } else { nil } }
        if ids.isEmpty { return batch }
        let versions = try await journalStore.lastVersions(of: ids)
        return batch.map { row in
            guard let version = versions[row.event.id] else { return row }
            var event = row.event
            event.version = min(version, Int(StoredCounter.range.upperBound) - 1) + 1
            return (row.index, event, change(event))
        }
    }

    /// Changes an event to what a record says, unless the record is older than what is known, or says the same.
    private func revise(
        _ current: Event, as row: EventImportRow, _ options: EventImportOptions, _ principal: Principal
    ) async throws -> Event {
        func revision(of current: Event) throws -> Event? {
            var draft = row.event.map { EventDraft($0) } ?? EventDraft(current)
            if row.event == nil { draft.status = .canceled }
            draft.origin = draft.origin ?? current.origin
            // One of ours counts its versions from 1, and tells them from 0 (SEQUENCE).
            if let sequence = row.sequence, sequence < current.origin?.sequence ?? current.version - 1 { return nil }
            return draft == EventDraft(current) ? nil : try updated(current, by: principal) { _ in draft }
        }
        var current = current
        while true {
            guard let event = try revision(of: current) else { return current }
            if options.isDryRun { return event }
            do {
                let change = Change.updated(current, to: event, by: principal, at: now(), isQuiet: !options.isNotifying)
                try await events.update(event, expecting: current.version, change: change)
                changeWritten(change)
                options.log?.append(.changedEvent(before: current, after: event))
                return event
            } catch let error as EMSError where error.code == .versionConflict {
                try Task.checkCancellation()
                current = try await self.event(current.id)
            }
        }
    }

    /// Takes back what an import has stored, the last first, but for what somebody has changed since.
    /// - Returns: how many writes could not be taken back.
    public func undo(_ options: EventImportOptions, by principal: Principal) async -> Int {
        var left = 0
        for entry in options.log?.takeAll() ?? [] {
            do {
                switch entry {
                case .createdEvent(let event):
                    try await events.delete(event.id, expecting: event.version, change: .deleted(event, by: principal, at: now()))
                case .changedEvent(let before, let after):
                    var event = before
                    event.version = after.version + 1
                    event.updatedAt = now()
                    try await events.update(
                        event, expecting: after.version,
                        change: .updated(after, to: event, by: principal, at: now(), isQuiet: !options.isNotifying))
                case .createdUser, .changedUser: preconditionFailure("an import of events stores no accounts")
                }
            } catch {
                left += 1
            }
        }
        return left
    }
}

extension EventImportRow {
    /// An earlier record of the file has the same name and says something else: one of the two would be lost.
    fileprivate var contradiction: EMSError {
        let name = if case .id = identity { "event_id" } else { "external_id" }
        return EMSError(
            .exists, "an earlier record of the file has the same \(name) and says something else",
            fix: "give one of them another, or let the last one count with --update")
    }

    fileprivate var refusal: EMSError? { if case .event(_, _, let refusal) = content { refusal } else { nil } }
}

extension Event {
    fileprivate func says(thatOf other: Event) -> Bool { EventDraft(self).identity == EventDraft(other).identity }
}

extension EventDraft {
    /// All that it says, in one certain form: what it is known by where it has no name.
    fileprivate var identity: [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            for text in [title, description, location, startTime.description, endTime.description, status.rawValue] { writer.string(text) }
            writer.string(tags.joined(separator: ","))
            writer.string(maxAttendees.map { String($0) } ?? "")
            writer.string(attachmentURL ?? "")
            writer.string(coordinates.map { "\($0.latitude),\($0.longitude)" } ?? "")
            if Self.laterFields.isEmpty { return }
            let event = Event(self, createdBy: "")
            for field in Self.laterFields {
                guard let value = field.value(event).json else { continue }
                writer.string(field.name)
                writer.string(JSONText(value).text)
            }
        }
        return writer.bytes
    }

    /// The fields that events have gained since the form was made up: those that an event does not have leave its form as it was.
    private static let laterFields: [Field<Event>] = {
        let first: Set = [
            "title", "description", "location", "start_time", "end_time", "status", "tags", "max_attendees", "attachment_url",
            "coordinates",
        ]
        return Event.contentFields.filter { !first.contains($0.name) }
    }()
}
