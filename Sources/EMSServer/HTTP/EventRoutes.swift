import EMSCore
import HTTPTypes
import Hummingbird

/// `/events`: reading, searching and writing them.
struct EventRoutes {
    let events: EventService
    let prefix: String

    func add(to table: inout RouteTable) {
        table.get("/events", list)
        table.get("/events/search", search)
        table.post("/events", create)
        table.get("/events/{id}", show)
        table.put("/events/{id}", replace)
        table.patch("/events/{id}", patch)
        table.delete("/events/{id}", delete)
    }

    @Sendable private func list(_ request: APIRequest) async throws -> Response {
        _ = try await request.identity()
        let query = request.query
        return try await answer(
            EventQuery(tag: try query.text("tag"), status: try query.word("status"), sort: try query.word("sort"), page: try query.page()))
    }

    @Sendable private func search(_ request: APIRequest) async throws -> Response {
        _ = try await request.identity()
        let query = request.query
        return try await answer(
            EventQuery(
                text: try query.text("q"), tag: try query.text("tag"), status: try query.word("status"),
                location: try query.text("location"), createdBy: try query.text("created_by"),
                startsAfter: try query.timestamp("start_after"), startsBefore: try query.timestamp("start_before"),
                area: try query.area(), sort: try query.word("sort"), page: try query.page()))
    }

    private func answer(_ query: EventQuery) async throws -> Response {
        let page = try await events.events(query)
        return .json { writer in
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
        let principal = try await request.identity().principal
        try APIRequest.requireJSON(request.request.headers[.contentType])
        let body = try await request.body()
        let draft = try EventDraft(APIRequest.json(body))
        let key = HTTPField.Name("Idempotency-Key").flatMap { request.request.headers[$0] }
        let creation = try await events.create(draft, by: principal, idempotencyKey: key.map { ($0, sha256(body)) })
        return .json(
            .created, headers: [.location: "\(request.prefix(prefix))/events/\(creation.event.id)", .eTag: creation.event.etag],
            of: creation.event)
    }

    @Sendable private func show(_ request: APIRequest) async throws -> Response {
        _ = try await request.identity()
        let event = try await events.event(request.id("id", "event"))
        if let known = request.request.headers[.ifNoneMatch], Self.matches(known, event.etag) {
            return Response(status: .notModified, headers: [.eTag: event.etag])
        }
        return .json(headers: [.eTag: event.etag], of: event)
    }

    @Sendable private func replace(_ request: APIRequest) async throws -> Response {
        let principal = try await request.identity().principal
        let draft = try EventDraft(try await request.json())
        return try await updated(request, by: principal) { _ in draft }
    }

    @Sendable private func patch(_ request: APIRequest) async throws -> Response {
        let principal = try await request.identity().principal
        let patch = try await request.json()
        return try await updated(request, by: principal) { try $0.merged(with: patch) }
    }

    private func updated(_ request: APIRequest, by principal: Principal, _ edit: (EventDraft) throws -> EventDraft) async throws -> Response
    {
        let event = try await events.update(request.id("id", "event"), by: principal, ifVersion: request.ifMatch(), edit)
        return .json(headers: [.eTag: event.etag], of: event)
    }

    @Sendable private func delete(_ request: APIRequest) async throws -> Response {
        let principal = try await request.identity().principal
        try await events.delete(request.id("id", "event"), by: principal, ifVersion: request.ifMatch())
        return Response(status: .noContent)
    }

    /// The weak comparison of RFC 9110, section 13.1.2.
    private static func matches(_ header: String, _ etag: String) -> Bool {
        header == "*"
            || header.split(separator: ",").contains { candidate in
                let trimmed = candidate.filter { $0 != " " }
                return trimmed == etag || trimmed == "W/" + etag
            }
    }
}
