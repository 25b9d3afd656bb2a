/// Reads the journal: the history of an event, what it was at some time, and the trail of everything.
public struct JournalService: Sendable {
    private let journal: any JournalStore
    private let events: any EventStore
    private let permissions: Permissions

    public init(stores: Stores, permissions: Permissions = Permissions()) {
        journal = stores.journal
        events = stores.events
        self.permissions = permissions
    }

    /// A page of entries.
    public struct Page: Sendable {
        public let entries: [JournalEntry]
        /// Where to read on; `nil` at the end.
        public let next: PageCursor?
    }

    // MARK: The trail

    /// All entries that match.
    /// - Parameter page: of any size up to that of an export.
    /// - Throws: ``EMSError`` with ``ErrorCode/forbidden`` for whoever may not read it.
    public func entries(_ query: JournalQuery, page: PageRequest, by principal: Principal) async throws -> Page {
        try permissions.require(.readJournal, of: principal, "only admins read the journal")
        if let since = query.since, let until = query.until, since >= until {
            throw EMSError.invalid(.until, "must be after since")
        }
        return try await self.page(query, page)
    }

    /// - Throws: ``EMSError`` with ``ErrorCode/notFound`` or ``ErrorCode/forbidden``.
    public func entry(at position: Int64, by principal: Principal) async throws -> JournalEntry {
        try permissions.require(.readJournal, of: principal, "only admins read the journal")
        try await expectPosition(position)
        let found = try await journal.entries(JournalQuery(order: .oldestFirst, after: position - 1, limit: 1))
        guard let entry = found.first, entry.position == position else { throw EMSError.notFound("entry of the journal", position) }
        return entry
    }

    /// - Throws: ``EMSError`` with ``ErrorCode/notFound`` if the journal has no such position, or none any more.
    public func expectPosition(_ position: Int64) async throws {
        // What a cut has left is about to go.
        let cut = try await JournalCheckpoint.newest(in: journal)?.checkpoint.position ?? 0
        let first = max(try await journal.storedEntries(after: 0, limit: 1).first?.position ?? 1, cut + 1)
        if position > 0, position < first {
            throw EMSError(
                .notFound, "position \(position) not found: the journal begins with position \(first); earlier entries were removed",
                fix: "ems audit list")
        }
        guard position > 0, try await journal.storedEntries(after: position - 1, limit: 1).first?.position == position else {
            throw EMSError(.notFound, "the journal has no position \(position)", fix: "ems audit list")
        }
    }

    /// Appends what is no change of one thing: an export, a purge.
    public func note(_ action: Change.Action, _ subject: Subject, by principal: Principal, _ details: (inout JSONWriter) -> Void)
        async throws
    {
        try await journal.record(.noted(action, subject, by: principal.author, state: .object(details)))
    }

    private func page(_ query: JournalQuery, _ page: PageRequest) async throws -> Page {
        try page.validate()
        var query = query
        if let after = page.after {
            guard case .key(let position, _) = after else { preconditionFailure("a cursor of another kind is refused") }
            query.after = position
        }
        query.limit = page.size + 1
        let found = try await journal.entries(query)
        // A page of the longest entries ends early.
        var rest = EventPage.byteLimit
        let count = found.prefix(page.size).prefix { entry in
            rest -= entry.change.byteCount
            return rest >= 0
        }.count
        let entries = Array(found.prefix(max(1, count)))
        let next = entries.count < found.count ? entries.last.map { PageCursor.key(value: $0.position, id: "") } : nil
        return Page(entries: entries, next: next)
    }

    // MARK: An event

    /// What happened to an event, the newest first; where the requests came from is shown to those who may read the journal.
    /// - Throws: ``EMSError`` with ``ErrorCode/notFound`` if there is no such event, or it is deleted and was not the principal's to change.
    public func history(of id: EventID, page: PageRequest, by principal: Principal) async throws -> Page {
        _ = try await expectVisible(id, to: principal)
        let found = try await self.page(JournalQuery(kind: .event, subject: id.description, limit: 0), page)
        if permissions.allows(.readJournal, principal) { return found }
        return Page(entries: found.entries.map(\.withoutAddress), next: found.next)
    }

    /// Who changed an event last; `nil` if that is not known.
    public func lastEditor(of id: EventID) async throws -> Actor? {
        let last = try await journal.entries(JournalQuery(kind: .event, subject: id.description, limit: 1)).first?.change
        return last?.action == .recorded ? nil : last?.actor
    }

    /// The event as it was at a time.
    /// - Throws: as ``history(of:page:by:)``; also if there was no such event at that time.
    public func event(_ id: EventID, at moment: Timestamp, by principal: Principal) async throws -> Event {
        _ = try await expectVisible(id, to: principal)
        let subject = id.description
        let end = moment < .latest ? moment.adding(milliseconds: 1) : nil
        let last = try await journal.entries(JournalQuery(kind: .event, subject: subject, until: end, limit: 1)).first
        if let last {
            guard last.change.after != nil else { throw EMSError(.notFound, "the event \(id) was deleted before \(moment)") }
            return try last.change.event()
        }
        // When the journal began, the event was what it had been since its last update.
        let first = try await journal.entries(JournalQuery(kind: .event, subject: subject, order: .oldestFirst, limit: 1)).first
        if let first, first.change.action != .created {
            let event = try first.change.event()
            if first.change.action == .recorded, event.updatedAt <= moment { return event }
            if event.createdAt <= moment {
                throw EMSError(
                    .notFound, "what the event \(id) was at \(moment) is not known: its journal begins with version \(event.version)")
            }
        }
        throw EMSError(.notFound, "there was no event \(id) at \(moment)")
    }

    /// A version of an event.
    /// - Throws: as ``history(of:page:by:)``; also if there is no such version.
    public func event(_ id: EventID, version: Int, by principal: Principal) async throws -> Event {
        let current = try await expectVisible(id, to: principal)
        if let current, current.version == version { return current }
        // Its deletion has the same version.
        let entries = try await journal.entries(JournalQuery(kind: .event, subject: id.description, version: version, limit: 2))
        if let entry = entries.first(where: { $0.change.after != nil }) { return try entry.change.event() }
        throw EMSError(.notFound, "the event \(id) has no version \(version) that is known", fix: "ems event history \(id)")
    }

    /// The number of the newest version of an event, also of a deleted one.
    public func latestVersion(of id: EventID, by principal: Principal) async throws -> Int {
        if let event = try await expectVisible(id, to: principal) { return event.version }
        return try await deleted(id)?.version ?? 0
    }

    /// - Returns: the event; `nil` if it is deleted.
    private func expectVisible(_ id: EventID, to principal: Principal) async throws -> Event? {
        if let event = try await events.event(id: id) { return event }
        guard let deleted = try await deleted(id), permissions.mayChange(deleted, principal) else { throw EMSError.notFound("event", id) }
        return nil
    }

    /// A deleted event, as it was at the end; `nil` if there never was one.
    func deleted(_ id: EventID) async throws -> Event? {
        let last = try await journal.entries(JournalQuery(kind: .event, subject: id.description, limit: 1)).first
        guard let last, last.change.action == .deleted else { return nil }
        return try last.change.event()
    }
}

extension JournalEntry {
    fileprivate var withoutAddress: JournalEntry {
        let source = ChangeSource(change.source.kind)
        return JournalEntry(
            position: position,
            change: Change(
                id: change.id, subject: change.subject, action: change.action, version: change.version, actor: change.actor, source: source,
                timestamp: change.timestamp, before: change.before, after: change.after, isQuiet: change.isQuiet), hash: hash)
    }
}

extension Change {
    fileprivate var byteCount: Int { 600 + (before?.bytes.count ?? 0) + (after?.bytes.count ?? 0) }
}

/// A field with its value before and after; `null` where it was absent.
public struct FieldDifference: JSONEncodable, Sendable, Equatable {
    public let field: String
    public let from: JSONValue
    public let to: JSONValue

    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("field", field)
            $0.member("from", from)
            $0.member("to", to)
        }
    }

    /// What is different between two versions of an event.
    public static func all(_ from: Event, _ to: Event) throws -> [FieldDifference] {
        let (earlier, later) = (try EventRecord.record(from).value(), try EventRecord.record(to).value())
        return Event.fields.differences(from, to).map { field in
            FieldDifference(field: field.name, from: earlier[field.name] ?? .null, to: later[field.name] ?? .null)
        }
    }
}

/// An entry as the history of its subject shows it: which fields changed, in place of the whole states.
public struct HistoryEntry: JSONEncodable, Sendable {
    public let entry: JournalEntry
    /// All fields, if the subject was created or deleted.
    public let changes: [FieldDifference]

    /// - Throws: ``EMSError`` if the entry cannot be read.
    public init(_ entry: JournalEntry) throws {
        self.entry = entry
        let (before, after) = (try entry.change.before?.value() ?? .null, try entry.change.after?.value() ?? .null)
        changes = Event.fields.filter { $0.role == .content }.compactMap { field in
            let (from, to) = (before[field.name], after[field.name])
            return switch entry.change.action {
            case .deleted: from.map { FieldDifference(field: field.name, from: $0, to: .null) }
            case .created, .recorded: to.map { FieldDifference(field: field.name, from: .null, to: $0) }
            default: from.map { FieldDifference(field: field.name, from: $0, to: to ?? .null) }
            }
        }
    }

    public func encode(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("position", entry.position)
            writer.member("change_id", entry.change.id.description)
            entry.change.encodeOrigin(to: &writer)
            writer.member("changes", changes)
            writer.member("hash", entry.hash.description)
        }
    }
}
