import EMSCore
import Hummingbird

/// `/audit`: the journal, for admins.
struct AuditRoutes: RouteGroup {
    private let journal: JournalService

    init(_ services: RouteServices) {
        journal = services.runtime.journal
    }

    static let routes: [Route<AuditRoutes>] = [
        .get(
            "/audit",
            Operation(
                id: "listJournal", tag: .journal, summary: "Everything that happened",
                details: "For admins. The newest first. Names and addresses of users who were erased are `(erased)`.",
                parameters: [
                    subject.description, actor.description, action.description, since.description, until.description,
                ] + PageParameters.cursorDescriptions,
                answers: [.json(200, "A page of entries.", .reference("JournalPage"))], errors: [.forbidden]), AuditRoutes.list)
    ]

    private static let subject = QueryParameter<SubjectFilter>(
        "subject", "Only what happened to this: an id, a type (`event`), or both (`event:<id>`).",
        .string(length: 1...QueryReader.textLimit, example: "event"), wanted: "must be a type of subject, an id, or type:id",
        fault: "value_error"
    ) { $0.unicodeScalars.count <= QueryReader.textLimit ? SubjectFilter($0) : nil }
    private static let actor = QueryParameter.text("actor", "Only what this one did: a user's id, or `operator:<login name>`.")
    private static let action = QueryParameter<Change.Action>.word("action", "Only changes of this kind.")
    private static let since = QueryParameter.timestamp("since", "Only what happened at this time or later.")
    private static let until = QueryParameter.timestamp("until", "Only what happened before this time.")

    @Sendable private func list(_ request: APIRequest) async throws -> Response {
        let query = request.query
        let subject = try query(Self.subject)
        let wanted = JournalQuery(
            kind: subject?.kind, subject: subject?.id, actor: try query(Self.actor), action: try query(Self.action),
            since: try query(Self.since), until: try query(Self.until), limit: 0)
        return .json(try await journal.entries(wanted, page: try query.cursorPage(), by: request.principal)) { $0 }
    }
}

extension Response {
    /// A page of the journal.
    static func json(_ page: JournalService.Page, _ form: (JournalEntry) throws -> some JSONEncodable) rethrows -> Response {
        let entries = try page.entries.map(form)
        return .json { writer in
            writer.object {
                $0.member("entries", entries)
                $0.member("next", page.next?.text)
            }
        }
    }
}
