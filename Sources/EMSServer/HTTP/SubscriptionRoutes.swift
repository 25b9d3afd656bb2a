import EMSCore
import Hummingbird

/// `/events/subscribe` and its kin: which events one hears of.
struct SubscriptionRoutes {
    let subscriptions: SubscriptionService

    func add(to table: inout RouteTable) {
        table.post("/events/subscribe", subscribe)
        table.delete("/events/unsubscribe/{id}", unsubscribe)
        table.get("/events/subscriptions", list)
    }

    @Sendable private func subscribe(_ request: APIRequest) async throws -> Response {
        let user = try await request.identity().user
        var fields = JSONFields(try await request.json())
        let text = fields.requiredString("event_id")
        try fields.finish()
        guard let event = EventID(text) else { throw EMSError.notFound("event", text) }
        let isNew = try await subscriptions.subscribe(user.id, to: event)
        return answer(event, "subscribed", isNew ? "you will hear of this event" : "you were subscribed already")
    }

    @Sendable private func unsubscribe(_ request: APIRequest) async throws -> Response {
        let user = try await request.identity().user
        let event: EventID = try request.id("id", "event")
        let wasSubscribed = try await subscriptions.unsubscribe(user.id, from: event)
        return answer(event, "unsubscribed", wasSubscribed ? "you will not hear of this event any more" : "you were not subscribed")
    }

    @Sendable private func list(_ request: APIRequest) async throws -> Response {
        let user = try await request.identity().user
        let after = try request.query.text("after").flatMap { EventID($0) }
        let limit = try request.query.integer("page_size") ?? 100
        guard (1...1000).contains(limit) else { throw EMSError.invalid("page_size", "must be between 1 and 1000", in: "query") }
        let found = try await subscriptions.subscriptions(of: user.id, after: after, limit: limit)
        return .json { writer in
            writer.object {
                $0.member("subscriptions", found)
                $0.member("next", found.count == limit ? found.last?.eventID.description : nil)
            }
        }
    }

    private func answer(_ event: EventID, _ status: String, _ message: String) -> Response {
        .json { writer in
            writer.object {
                $0.member("status", status)
                $0.member("event_id", event.description)
                $0.member("message", message)
            }
        }
    }
}
