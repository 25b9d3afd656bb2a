import ArgumentParser
import EMSCore
import EMSRuntime

struct EventImport: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Bring in events, one after the other; a record with an event_id that exists already is skipped or updated.",
        discussion: examples(
            "ems event import events.jsonl",
            "ems event export | ems event import - --data-dir copy",
            "ems event import events.csv --update"))

    @OptionGroup var input: ImportOptions

    @Flag(help: "Change events that exist already, instead of skipping them.")
    var update = false

    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        var written = 0
        try await input.run { record in
            let outcome = try await take(record, runtime, principal)
            if outcome != .skipped, !writing.isDryRun { written += 1 }
            if written % 256 == 255 { await runtime.deliverChangesOrTell() }
            return outcome
        }
        if written > 0 { await runtime.deliverChangesOrTell() }
    }

    private func take(_ record: JSONValue, _ runtime: Runtime, _ principal: Principal) async throws -> BulkOutcome {
        let draft = try EventDraft(record)
        var id = EventID()
        if let text = record["event_id"]?.string {
            guard let named = EventID(text) else { throw EMSError.invalid("event_id", "must be 32 hex characters") }
            id = named
            do {
                let current = try await runtime.events.event(id)
                guard update, EventDraft(current) != draft else { return .skipped }
                if writing.isDryRun {
                    _ = try await runtime.events.check(id, by: principal) { _ in draft }
                } else {
                    _ = try await runtime.events.update(id, by: principal) { _ in draft }
                }
                return .updated
            } catch let error as EMSError where error.code == .notFound {
                // New, under the id it brings.
            }
        }
        if writing.isDryRun {
            try await runtime.events.check(draft, id: id, by: principal)
        } else {
            _ = try await runtime.events.create(draft, id: id, by: principal)
        }
        return .created
    }
}
