import EMSCore
import HTTPTypes
import Hummingbird

/// `/notifications`: one's own inbox.
struct NotificationRoutes {
    let notifications: NotificationService

    func add(to table: inout RouteTable) {
        table.get("/notifications", list)
        table.get("/notifications/count", count)
        table.get("/notifications/{id}", show)
        table.post("/notifications/mark-read/{id}", markRead)
        table.post("/notifications/mark-all-read", markAllRead)
    }

    /// The list is an array; where to read on stands in the `Link` header (RFC 8288).
    @Sendable private func list(_ request: APIRequest) async throws -> Response {
        let user = try await request.identity().user
        let query = InboxQuery(unreadOnly: try request.query.boolean("unread") ?? false, page: try request.query.page())
        let page = try await notifications.inbox(of: user.id, query)
        var response = Response.json { $0.array(page.entries) }
        if let next = page.next, let link = HTTPField.Name("Link") {
            let unread = query.unreadOnly ? "&unread=true" : ""
            response.headers[link] = "<\(request.request.uri.path)?after=\(next.text)&page_size=\(query.page.size)\(unread)>; rel=\"next\""
        }
        return response
    }

    @Sendable private func count(_ request: APIRequest) async throws -> Response {
        let user = try await request.identity().user
        let count = try await notifications.unreadCount(of: user.id)
        return .json { $0.object { $0.member("count", count) } }
    }

    @Sendable private func show(_ request: APIRequest) async throws -> Response {
        let user = try await request.identity().user
        return .json(of: try await notifications.entry(request.id("id", "notification"), of: user.id))
    }

    @Sendable private func markRead(_ request: APIRequest) async throws -> Response {
        let user = try await request.identity().user
        let id: NotificationID = try request.id("id", "notification")
        try await notifications.markRead(id, of: user.id)
        return answer("notification \(id) is read")
    }

    @Sendable private func markAllRead(_ request: APIRequest) async throws -> Response {
        let user = try await request.identity().user
        let count = try await notifications.markAllRead(of: user.id)
        return answer("\(count) \(count == 1 ? "notification" : "notifications") marked as read")
    }

    private func answer(_ message: String) -> Response {
        .json { writer in
            writer.object {
                $0.member("status", "success")
                $0.member("message", message)
            }
        }
    }
}
