/// One event that is to be brought in, checked but for what only the store knows.
public struct EventImportRow: Sendable {
    let event: Event
    /// How often it was revised elsewhere, where the record tells.
    let sequence: Int?
    /// Why it may not be new; `nil` where it may.
    let refusal: EMSError?

    /// By what a record is known.
    enum Identity: Hashable {
        case id(EventID)
        case key(ImportKey)
    }

    var identity: Identity { event.importKey.map { .key($0) } ?? .id(event.id) }
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
    /// It is known by its id; or by its name elsewhere; or, where it has neither, by all that it says: so the same record comes in once,
    /// however often it is brought.
    public func importRow(_ record: JSONValue, _ options: EventImportOptions, by principal: Principal) throws -> EventImportRow {
        let draft = try EventRules.accepted(EventDraft(imported: record), startsAfter: nil)
        let id = try Self.id(in: record)
        let key = id == nil ? draft.origin?.importKey ?? ImportKey(digestOf: draft.identity) : nil
        let event = try drafted(draft, id: id ?? EventID(), importKey: key, by: principal, allowingPast: true)
        var refusal: EMSError?
        if !options.allowsPast, event.startTime < event.createdAt {
            let fault = "must not be in the past (it is \(event.createdAt) now)"
            refusal = EMSError.invalid("start_time", fault)
        }
        let sequence = record["external_sequence"]?.integer.map { Int(clamping: $0) }
        return EventImportRow(event: event, sequence: sequence, refusal: refusal)
    }

    private static func id(in record: JSONValue) throws -> EventID? {
        guard let text = record["event_id"]?.string else { return nil }
        guard let id = EventID(text) else { throw EMSError.invalid("event_id", "must be 32 hex characters") }
        return id
    }

    /// Those of the records' events that are there already, by what they are known by.
    private func known(_ rows: [EventImportRow]) async throws -> [EventImportRow.Identity: Event] {
        guard !rows.isEmpty else { return [:] }
        let ids = rows.compactMap { $0.event.importKey == nil ? $0.event.id : nil }
        let keys = rows.compactMap(\.event.importKey)
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
        var first: Set<EventImportRow.Identity> = []
        var fresh: [Int] = []
        var repeated: [Int] = []
        for (index, row) in rows.enumerated() {
            if known[row.identity] != nil {
                repeated.append(index)
            } else if let refusal = row.refusal {
                outcomes[index] = .failed(refusal)
            } else if first.insert(row.identity).inserted {
                fresh.append(index)
            } else {
                repeated.append(index)
            }
        }
        repeated += try await insert(fresh, of: rows, options, principal, &outcomes)
        guard options.isUpdating else { return outcomes }
        let unknown = repeated.map { rows[$0] }.filter { known[$0.identity] == nil }
        if !options.isDryRun { known.merge(try await self.known(unknown)) { $1 } }
        // In the order of the file: of two records of one event, the last one counts.
        for index in repeated.sorted() {
            let row = rows[index]
            let current = known[row.identity] ?? row.event
            do {
                let updated = try await revise(current, as: EventDraft(row.event), row.sequence, options, principal)
                known[row.identity] = updated
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
