import EMSCore
import Hummingbird

/// `/events/subscribe` and its kin: which events one hears of.
struct SubscriptionRoutes: RouteGroup {
    private let subscriptions: SubscriptionService

    init(_ services: RouteServices) {
        subscriptions = services.runtime.subscriptions
    }

    static let routes: [Route<SubscriptionRoutes>] = [
        .post(
            "/events/subscribe",
            Operation(
                id: "subscribe", tag: .subscriptions, summary: "Hear of an event's changes",
                details: "Repeating it does nothing. Subscriptions last beyond connections.",
                body: .init(schema: .reference("SubscriptionRequest"), example: ["event_id": "0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"]),
                answers: [.json(200, "You are subscribed.", .reference("Done"))], errors: [.notFound]),
            SubscriptionRoutes.subscribe),
        .delete(
            "/events/unsubscribe/{event_id}",
            Operation(
                id: "unsubscribe", tag: .subscriptions, summary: "Hear no more of an event's changes",
                parameters: [.id("event_id", of: "event")],
                answers: [.json(200, "You are not subscribed (any more).", .reference("Done"))]),
            SubscriptionRoutes.unsubscribe),
        .get(
            "/events/subscriptions",
            Operation(
                id: "listSubscriptions", tag: .subscriptions, summary: "Which events one hears of",
                parameters: [after.description, size.description],
                answers: [.json(200, "A page of subscriptions.", .reference("SubscriptionPage"))]), SubscriptionRoutes.list),
    ]

    private static let after = QueryParameter<EventID>(
        "after", "Where to read on: the `next` of the page before.", .id(), wanted: "must be the next of an earlier page",
        fault: "value_error"
    ) { EventID($0) }
    private static let size = QueryParameter.integer("page_size", "How many on a page.", 1...1000, initially: 100)

    @Sendable private func subscribe(_ request: APIRequest) async throws -> Response {
        var fields = JSONFields(try request.json())
        let text = fields.requiredString("event_id")
        try fields.finish(ignoring: [])
        guard let event = EventID(text) else { throw EMSError.notFound("event", text) }
        let isNew = try await subscriptions.subscribe(request.user.id, to: event, by: request.principal.author)
        return answer(isNew ? "subscribed to event \(event)" : "already subscribed to event \(event)")
    }

    @Sendable private func unsubscribe(_ request: APIRequest) async throws -> Response {
        let event: EventID = try request.id("event_id", "event")
        let wasSubscribed = try await subscriptions.unsubscribe(request.user.id, from: event, by: request.principal.author)
        return answer(wasSubscribed ? "unsubscribed from event \(event)" : "not subscribed to event \(event)")
    }

    @Sendable private func list(_ request: APIRequest) async throws -> Response {
        let limit = try request.query(Self.size) ?? 100
        let found = try await subscriptions.subscriptions(of: request.user.id, after: request.query(Self.after), limit: limit)
        return .json { writer in
            writer.object {
                $0.member("subscriptions", found)
                $0.member("next", found.count == limit ? found.last?.eventID.description : nil)
            }
        }
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
