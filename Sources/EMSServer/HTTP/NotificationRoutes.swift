import EMSCore
import HTTPTypes
import Hummingbird

/// `/notifications`: one's own inbox.
struct NotificationRoutes: RouteGroup {
    private let notifications: NotificationService

    init(_ services: RouteServices) {
        notifications = services.runtime.notifications
    }

    static let routes: [Route<NotificationRoutes>] = [
        .get(
            "/notifications",
            Operation(
                id: "listNotifications", tag: .notifications, summary: "One's inbox",
                details: "The newest first. The header `Link` tells where to read on.",
                parameters: [unread.description, .ifNoneMatch] + PageParameters.descriptions,
                answers: [
                    .json(
                        200, "A page of notifications.", .array(of: .reference("Notification")), headers: [.link, .eTag],
                        links: ["getNotification", "markRead"].map { .init(operation: $0, parameter: "id", pointer: "/0/notification_id") }),
                    .empty(304, "What is known still holds.", headers: [.eTag]),
                ], keeping: .init(part: .inboxes, isPersonal: true)),
            NotificationRoutes.list),
        .get(
            "/notifications/count",
            Operation(
                id: "countNotifications", tag: .notifications, summary: "How many are unread",
                answers: [.json(200, "The count.", .reference("UnreadCount"))], keeping: .init(part: .inboxes, isPersonal: true)),
            NotificationRoutes.count),
        .get(
            "/notifications/{id}",
            Operation(
                id: "getNotification", tag: .notifications, summary: "A notification", parameters: [id],
                answers: [.json(200, "The notification.", .reference("Notification"))]), NotificationRoutes.show),
        .post(
            "/notifications/mark-read/{id}",
            Operation(
                id: "markRead", tag: .notifications, summary: "Mark a notification as read", parameters: [id],
                answers: [.json(200, "It is read.", .reference("Done"))]), NotificationRoutes.markRead),
        .post(
            "/notifications/mark-all-read",
            Operation(
                id: "markAllRead", tag: .notifications, summary: "Mark all notifications as read",
                answers: [.json(200, "All are read.", .reference("Done"))]), NotificationRoutes.markAllRead),
    ]

    private static let id = ParameterDescription.id("id", of: "notification")
    private static let unread = QueryParameter.boolean("unread", "Whether only unread ones are wanted.")

    /// The list is an array; where to read on stands in the `Link` header (RFC 8288).
    @Sendable private func list(_ request: APIRequest) async throws -> Response {
        let query = InboxQuery(unreadOnly: try request.query(Self.unread) ?? false, page: try request.query.page())
        let page = try await notifications.inbox(of: request.user.id, query)
        var response = Response.tagged(for: request.request) { $0.array(page.entries) }
        if response.status == .ok, let next = page.next {
            let unread = query.unreadOnly ? "&unread=true" : ""
            response.headers[.link] = "<\(request.request.uri.path)?after=\(next.text)&page_size=\(query.page.size)\(unread)>; rel=\"next\""
        }
        return response
    }

    @Sendable private func count(_ request: APIRequest) async throws -> Response {
        let count = try await notifications.unreadCount(of: request.user.id)
        return .json { $0.object { $0.member("count", count) } }
    }

    @Sendable private func show(_ request: APIRequest) async throws -> Response {
        .json(of: try await notifications.entry(request.id("id", "notification"), of: request.user.id))
    }

    @Sendable private func markRead(_ request: APIRequest) async throws -> Response {
        let id: NotificationID = try request.id("id", "notification")
        try await notifications.markRead(id, of: request.user.id)
        return answer("notification \(id) is read")
    }

    @Sendable private func markAllRead(_ request: APIRequest) async throws -> Response {
        let count = try await notifications.markAllRead(of: request.user.id)
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
