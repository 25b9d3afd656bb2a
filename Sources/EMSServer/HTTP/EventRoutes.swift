import EMSCore
import HTTPTypes
import Hummingbird

/// `/events`: reading, searching and writing them.
struct EventRoutes: RouteGroup {
    private let events: EventService
    private let journal: JournalService
    private let searches: FairShare
    private let prefix: String

    init(_ services: RouteServices) {
        events = services.runtime.events
        journal = services.runtime.journal
        searches = services.searches
        prefix = services.settings.apiPrefix
    }

    static let routes: [Route<EventRoutes>] = [
        .get(
            "/events",
            Operation(
                id: "listEvents", tag: .events, summary: "All events",
                parameters: [tag, tagMatch.description, status.description, sort.description, .ifNoneMatch] + PageParameters.descriptions,
                answers: pages, keeping: .init(part: .events)), EventRoutes.list),
        .get(
            "/events/search",
            Operation(
                id: "searchEvents", tag: .events, summary: "Search for events",
                details: """
                    All conditions must hold. A text is looked for in the \(EventQuery.candidateLimit) most recently created matches; \
                    `total_is_exact` is `false` if there are more. By relevance, events that hold the exact phrase come first, then those \
                    that hold all whole words, then those with words that begin so; each the newest first.
                    """,
                parameters: [
                    text.description, tag, tagMatch.description, status.description, location.description, createdBy.description,
                    startsAfter.description, startsBefore.description, near.description, radius.description, sort.description,
                    .ifNoneMatch,
                ] + PageParameters.descriptions, answers: pages, keeping: .init(part: .events)), EventRoutes.search),
        .post(
            "/events",
            Operation(
                id: "createEvent", tag: .events, summary: "Create an event", details: "All users are told of it.",
                parameters: [.idempotencyKey], body: .init(schema: .reference("EventDraft"), example: Schemas.eventDraftExample),
                answers: [.json(201, "The new event.", .reference("Event"), headers: [.location, .eTag], links: links)],
                errors: [.forbidden, .idempotencyConflict, .notFound]), EventRoutes.create),
        .get(
            "/events/{id}",
            Operation(
                id: "getEvent", tag: .events, summary: "An event",
                details: """
                    As it is, or as it was: `at` a time, or in a `version`. Those who may change an event see earlier states of it also after \
                    it was deleted.
                    """, parameters: [id, moment.description, version.description, .ifNoneMatch],
                answers: [
                    .json(200, "The event.", .reference("Event"), headers: [.eTag]),
                    .empty(304, "What is known still holds.", headers: [.eTag]),
                ], keeping: .init(part: .events, withQuery: false)), EventRoutes.show),
        .get(
            "/events/{id}/history",
            Operation(
                id: "getEventHistory", tag: .events, summary: "What happened to an event",
                details: """
                    The newest first, each with the fields that changed. After an event was deleted, for those who might change it. Only \
                    admins see where requests came from.
                    """, parameters: [id] + PageParameters.cursorDescriptions,
                answers: [.json(200, "A page of entries.", .reference("HistoryPage"))]), EventRoutes.history),
        .post(
            "/events/{id}/restore",
            Operation(
                id: "restoreEvent", tag: .events, summary: "Restore an earlier version",
                details:
                    "Makes a new version that says what that one said. A deleted event comes back under its id. Its creator or an admin.",
                parameters: [id, .ifMatch], body: .init(schema: .reference("Restoration"), example: ["version": 1]), answers: [changed],
                errors: [.forbidden, .versionConflict, .exists]), EventRoutes.restore),
        .put(
            "/events/{id}",
            Operation(
                id: "replaceEvent", tag: .events, summary: "Replace an event",
                details: "Its creator or an admin. Subscribers and the creator are told.", parameters: [id, .ifMatch],
                body: .init(schema: .reference("EventDraft"), example: Schemas.eventDraftExample), answers: [changed],
                errors: [.forbidden, .versionConflict]), EventRoutes.replace),
        .patch(
            "/events/{id}",
            Operation(
                id: "updateEvent", tag: .events, summary: "Change an event",
                details: "A merge patch (RFC 7396), by its creator or an admin. Subscribers and the creator are told.",
                parameters: [id, .ifMatch],
                body: .init(
                    schema: .reference("EventPatch"), mediaTypes: ["application/merge-patch+json", "application/json"],
                    example: ["title": "Tech Conference 2040"]), answers: [changed], errors: [.forbidden, .versionConflict]),
            EventRoutes.patch),
        .delete(
            "/events/{id}",
            Operation(
                id: "deleteEvent", tag: .events, summary: "Delete an event",
                details: "Its creator or an admin. Subscribers and the creator are told.", parameters: [id, .ifMatch],
                answers: [.empty(204, "The event is gone.")], errors: [.forbidden, .versionConflict]), EventRoutes.delete),
    ]

    private static let pages: [Operation.Answer] = [
        .json(200, "A page of events.", .reference("EventPage"), headers: [.eTag]),
        .empty(304, "What is known still holds.", headers: [.eTag]),
    ]
    private static let links = ["getEvent", "getEventHistory", "replaceEvent", "updateEvent", "deleteEvent"].map {
        Operation.Link(operation: $0, parameter: "id", pointer: "/event_id")
    }
    private static let changed = Operation.Answer.json(200, "The event as it is now.", .reference("Event"), headers: [.eTag])
    private static let id = ParameterDescription.id("id", of: "event")
    private static let moment = QueryParameter.timestamp("at", "The event as it was at this time.")
    private static let version = QueryParameter.integer("version", "The event in this version.", 1...Int(Int32.max))
    private static let tags = QueryParameter.text(
        "tag", "Only events with this tag; given several times, see `tag_match`.", isRepeated: true)
    private static let tag = tags.description
    private static let tagMatch = QueryParameter<EventQuery.TagMatch>.word(
        "tag_match", "Whether an event must have all of several tags, or any of them.", initially: .all)
    private static let status = QueryParameter<Event.Status>.word("status", "Only events of this status.")
    private static let sort = QueryParameter<EventQuery.Sort>.word(
        "sort", "The order; a minus turns it round. `relevance` needs `q`, `distance` needs `near`.")
    private static let text = QueryParameter.text("q", "Words that must all begin a word of title, description, location or tags.")
    private static let location = QueryParameter.text("location", "Words that must all begin a word of the location.")
    private static let createdBy = QueryParameter.text("created_by", "Only this user's events: an id.")
    private static let startsAfter = QueryParameter.timestamp("start_after", "Only events that begin at this time or later.")
    private static let startsBefore = QueryParameter.timestamp("start_before", "Only events that begin before this time.")
    private static let near = QueryParameter.coordinates("near", "Only events around `latitude,longitude`: see `radius_km`.")
    private static let radius = QueryParameter.number(
        "radius_km", "How far around `near`, in kilometres.", upTo: EventQuery.Area.largestRadius,
        initially: EventQuery.Area.usualRadius)

    @Sendable private func list(_ request: APIRequest) async throws -> Response {
        let query = request.query
        let wanted = EventQuery(
            tags: try query.all(Self.tags), tagMatch: try query(Self.tagMatch) ?? .all, status: try query(Self.status),
            sort: try query(Self.sort), page: try query.page())
        return try await answer(wanted, to: request)
    }

    @Sendable private func search(_ request: APIRequest) async throws -> Response {
        let query = request.query
        let wanted = EventQuery(
            text: try query(Self.text), tags: try query.all(Self.tags), tagMatch: try query(Self.tagMatch) ?? .all,
            status: try query(Self.status), location: try query(Self.location), createdBy: try query(Self.createdBy),
            startsAfter: try query(Self.startsAfter), startsBefore: try query(Self.startsBefore), area: try Self.area(query),
            sort: try query(Self.sort), page: try query.page())
        // No user gets more than a share of the readers.
        return try await searches.run(request.user.id.description) { try await answer(wanted, to: request) }
    }

    private static func area(_ query: QueryReader) throws -> EventQuery.Area? {
        let radius = try query(radius)
        guard let center = try query(near) else {
            if radius != nil { throw EMSError.invalid("near", "is needed with radius_km", type: "missing", in: "query") }
            return nil
        }
        return EventQuery.Area(center: center, radiusKilometres: radius ?? EventQuery.Area.usualRadius)
    }

    private func answer(_ query: EventQuery, to request: APIRequest) async throws -> Response {
        let page = try await events.events(query)
        return .tagged(for: request.request) { writer in
            writer.object {
                $0.member("events", page.events)
                $0.member("total", page.total.count)
                $0.member("total_is_exact", page.total.isExact)
                $0.member("page", query.page.number)
                $0.member("page_size", query.page.size)
                $0.member("next", page.next?.text)
            }
        }
    }

    @Sendable private func create(_ request: APIRequest) async throws -> Response {
        let draft = try EventDraft(request.json())
        let key = request.request.headers[.idempotencyKey].map { ($0, sha256(request.body)) }
        let creation = try await events.create(draft, by: request.principal, idempotencyKey: key)
        return .json(
            .created, headers: [.location: "\(request.prefix(prefix))/events/\(creation.event.id)", .eTag: creation.event.etag],
            of: creation.event)
    }

    @Sendable private func show(_ request: APIRequest) async throws -> Response {
        let event = try await wanted(request)
        if let known = request.request.headers[.ifNoneMatch], EntityTag.isListed(event.etag, in: known) {
            return Response(status: .notModified, headers: [.eTag: event.etag])
        }
        return .json(headers: [.eTag: event.etag], of: event)
    }

    private func wanted(_ request: APIRequest) async throws -> Event {
        let id: EventID = try request.id("id", "event")
        switch (try request.query(Self.moment), try request.query(Self.version)) {
        case (nil, nil): return try await events.event(id)
        case (let moment?, nil): return try await journal.event(id, at: moment, by: request.principal)
        case (nil, let version?): return try await journal.event(id, version: version, by: request.principal)
        case (_?, _?): throw EMSError.invalid("at", "does not go together with version", in: "query")
        }
    }

    @Sendable private func history(_ request: APIRequest) async throws -> Response {
        let page = try await journal.history(of: request.id("id", "event"), page: try request.query.cursorPage(), by: request.principal)
        return try .json(page) { try HistoryEntry($0) }
    }

    @Sendable private func restore(_ request: APIRequest) async throws -> Response {
        var fields = JSONFields(try request.json())
        let version = fields.requiredInteger("version", in: 1...Int64(Int32.max))
        try fields.finish(ignoring: [])
        let event = try await events.restore(
            request.id("id", "event"), version: Int(version), by: request.principal, ifVersion: request.ifMatch())
        return .json(headers: [.eTag: event.etag], of: event)
    }

    @Sendable private func replace(_ request: APIRequest) async throws -> Response {
        let draft = try EventDraft(try request.json())
        return try await updated(request) { _ in draft }
    }

    @Sendable private func patch(_ request: APIRequest) async throws -> Response {
        let patch = try request.json()
        return try await updated(request) { try $0.merged(with: patch) }
    }

    private func updated(_ request: APIRequest, _ edit: (EventDraft) throws -> EventDraft) async throws -> Response {
        let event = try await events.update(request.id("id", "event"), by: request.principal, ifVersion: request.ifMatch(), edit)
        return .json(headers: [.eTag: event.etag], of: event)
    }

    @Sendable private func delete(_ request: APIRequest) async throws -> Response {
        try await events.delete(request.id("id", "event"), by: request.principal, ifVersion: request.ifMatch())
        return Response(status: .noContent)
    }
}
