/// One event that is to be brought in, checked but for what only the store knows.
public struct EventImportRow: Sendable {
    let event: Event
    /// How often it was revised elsewhere, where the record tells.
    let sequence: Int?
    /// Why it may not be new; `nil` where it may.
    let refusal: EMSError?
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

    public init(isUpdating: Bool = false, isNotifying: Bool = true, allowsPast: Bool = false, isDryRun: Bool = false) {
        self.isUpdating = isUpdating
        self.isNotifying = isNotifying
        self.allowsPast = allowsPast
        self.isDryRun = isDryRun
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
    /// The id is the record's own; or follows from its name elsewhere; or, where it has neither, from all that it says: so the same
    /// record comes in once, however often it is brought.
    public func importRow(_ record: JSONValue, _ options: EventImportOptions, by principal: Principal) throws -> EventImportRow {
        let draft = try EventRules.accepted(EventDraft(imported: record), startsAfter: nil)
        let id = try Self.importID(record, draft)
        let event = try drafted(draft, id: id, by: principal, allowingPast: true)
        var refusal: EMSError?
        if !options.allowsPast, event.startTime < event.createdAt {
            let fault = "must not be in the past (it is \(event.createdAt) now)"
            refusal = EMSError.invalid("start_time", fault)
        }
        let sequence = record["external_sequence"]?.integer.map { Int(clamping: $0) }
        return EventImportRow(event: event, sequence: sequence, refusal: refusal)
    }

    private static func importID(_ record: JSONValue, _ draft: EventDraft) throws -> EventID {
        if let text = record["event_id"]?.string {
            guard let id = EventID(text) else { throw EMSError.invalid("event_id", "must be 32 hex characters") }
            return id
        }
        return draft.origin?.eventID ?? EventID(digestOf: draft.identity, at: draft.startTime)
    }

    /// Stores records, or says what storing them would do.
    /// - Returns: what became of each.
    /// - Throws: ``EMSError`` where the store fails; what was stored before stays, and is skipped when it is brought again.
    public func importBatch(_ rows: [EventImportRow], _ options: EventImportOptions, by principal: Principal) async throws
        -> [ImportOutcome]
    {
        var outcomes = [ImportOutcome](repeating: .skipped, count: rows.count)
        var known: [EventID: Event] = [:]
        let doubtful = rows.filter { options.isDryRun || $0.refusal != nil }.map(\.event.id)
        if !doubtful.isEmpty {
            for event in try await events.events(ids: doubtful) { known[event.id] = event }
        }
        var first: Set<EventID> = []
        var fresh: [Int] = []
        var repeated: [Int] = []
        for (index, row) in rows.enumerated() {
            let id = row.event.id
            if known[id] != nil {
                repeated.append(index)
            } else if let refusal = row.refusal {
                outcomes[index] = .failed(refusal)
            } else if first.insert(id).inserted {
                fresh.append(index)
            } else {
                repeated.append(index)
            }
        }
        repeated += try await insert(fresh, of: rows, options, principal, &outcomes)
        guard options.isUpdating else { return outcomes }
        let unknown = repeated.map { rows[$0].event.id }.filter { known[$0] == nil }
        if !unknown.isEmpty, !options.isDryRun {
            for event in try await events.events(ids: unknown) { known[event.id] = event }
        }
        // In the order of the file: of two records of one event, the last one counts.
        for index in repeated.sorted() {
            let row = rows[index]
            let current = known[row.event.id] ?? rows[index].event
            do {
                let updated = try await revise(current, as: EventDraft(row.event), row.sequence, options, principal)
                known[updated.id] = updated
                outcomes[index] = updated.version == current.version ? .skipped : .updated
            } catch let error as EMSError where error.code == .notFound || error.code == .invalid {
                outcomes[index] = .failed(error)
            }
        }
        return outcomes
    }

    /// - Returns: the places of those that were there already.
    private func insert(
        _ fresh: [Int], of rows: [EventImportRow], _ options: EventImportOptions, _ principal: Principal, _ outcomes: inout [ImportOutcome]
    ) async throws -> [Int] {
        var taken: Set<EventID> = []
        if !options.isDryRun, !fresh.isEmpty {
            let batch = fresh.map { index -> (event: Event, change: Change?) in
                let event = rows[index].event
                return (event, options.isNotifying ? change(.created, event, principal) : nil)
            }
            taken = try await events.insert(batch)
            for case (let event, let change?) in batch where !taken.contains(event.id) { changeWritten(change) }
        }
        for index in fresh where !taken.contains(rows[index].event.id) { outcomes[index] = .created }
        return fresh.filter { taken.contains(rows[$0].event.id) }
    }

    /// Changes an event to what a record says, unless the record is older than what is known, or says the same.
    private func revise(
        _ current: Event, as draft: EventDraft, _ sequence: Int?, _ options: EventImportOptions, _ principal: Principal
    ) async throws -> Event {
        func revision(of current: Event) throws -> Event? {
            var draft = draft
            draft.origin = draft.origin ?? current.origin
            // One of ours counts its versions from 1, and tells them from 0 (SEQUENCE).
            if let sequence, sequence < current.origin?.sequence ?? current.version - 1 { return nil }
            return draft == EventDraft(current) ? nil : try updated(current, by: principal) { _ in draft }
        }
        var current = current
        while true {
            guard let event = try revision(of: current) else { return current }
            if options.isDryRun { return event }
            do {
                let change = options.isNotifying ? change(.updated, event, principal) : nil
                try await events.update(event, expecting: current.version, change: change)
                if let change { changeWritten(change) }
                return event
            } catch let error as EMSError where error.code == .versionConflict {
                try Task.checkCancellation()
                current = try await self.event(current.id)
            }
        }
    }
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
        }
        return writer.bytes
    }
}
