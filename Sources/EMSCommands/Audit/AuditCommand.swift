import ArgumentParser
import EMSCore
import EMSRuntime

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Read the journal of everything that happened, and check that nobody altered it.",
        discussion: examples(
            "ems audit list --since 12h",
            "ems audit list --actor ada --action deleted",
            "ems audit show 1742 -o json",
            "ems audit export > journal.jsonl",
            "ems audit verify",
            "ems audit purge --older-than 400d"),
        subcommands: [AuditList.self, AuditShow.self, AuditExport.self, AuditVerify.self, AuditPurge.self])
}

/// Which entries a command is about.
struct AuditFilterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Only what happened to this: an id, a type (event), or both (event:ID).", valueName: "subject"),
        transform: { text in
            guard let subject = SubjectFilter(text) else { throw ValidationError("\(Printable.quoted(text)) is no id, type or type:id.") }
            return subject
        })
    var subject: SubjectFilter?

    @Option(help: "Only what this one did: a username, a user's id, or operator:LOGIN.", completion: .users)
    var actor: String?

    @Option(help: "Only changes of this kind: created, updated, deleted or recorded.")
    var action: Change.Action?

    @Option(help: ArgumentHelp("Only what happened then or later: a time, or how long ago, such as 12h.", valueName: "time"))
    var since: PastArgument?

    @Option(help: ArgumentHelp("Only what happened before.", valueName: "time"))
    var until: PastArgument?

    func query(_ order: JournalQuery.Order, in zone: Zone, _ runtime: Runtime) async throws -> JournalQuery {
        JournalQuery(
            kind: subject?.kind, subject: subject?.id, actor: try await runtime.actor(named: actor), action: action,
            since: since?.moment(in: zone), until: until?.moment(in: zone), order: order, limit: 0)
    }
}

extension Change.Action: ExpressibleByArgument {}

extension Runtime {
    /// An actor as the journal records it. The user of an id may be gone.
    fileprivate func actor(named name: String?) async throws -> String? {
        if let name, UserID(name) != nil { return name }
        return try await creator(named: name)
    }
}

extension JournalEntry: Presentable {
    static let columns: [Column<JournalEntry>] = [
        Column("position") { .number(Int($0.position)) },
        Column("timestamp") { .time($0.change.timestamp) },
        Column("subject_type", usual: false) { .text($0.change.subject.kind.rawValue) },
        Column("subject_id") { .text($0.change.subject.id) },
        Column("action") { .text($0.change.action.rawValue) },
        Column("version", usual: false) { .number($0.change.version) },
        Column("actor") { .text($0.change.actor.name) },
        Column("actor_id", usual: false) { .text($0.change.actor.id) },
        Column("source") { .text($0.change.source.kind.rawValue) },
        Column("address", usual: false) { .text($0.change.source.address) },
        Column("request_id", usual: false) { .text($0.change.source.requestID) },
        Column("traceparent", usual: false) { .text($0.change.source.traceparent?.description) },
        Column("change_id", usual: false) { .text($0.change.id.description) },
        Column("before", usual: false) { .text($0.change.before?.text) },
        Column("after", usual: false) { .text($0.change.after?.text) },
        Column("hash", usual: false) { .text($0.hash.description) },
    ]

    var identifier: String { "\(position)" }
}
