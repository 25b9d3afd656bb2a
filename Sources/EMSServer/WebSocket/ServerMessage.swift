import EMSCore

/// What the server says over the WebSocket, besides notifications.
enum ServerMessage: JSONEncodable {
    /// The first message: who one is, and whether everything missed will follow.
    case connectionStatus(UserID, recovered: Bool, at: Timestamp)
    case subscriptionUpdate(EventID, status: String, at: Timestamp)
    case notificationRead(NotificationID, at: Timestamp)
    case pong(at: Timestamp)
    case error(EMSError, at: Timestamp)

    func encode(to writer: inout JSONWriter) {
        writer.object {
            switch self {
            case .connectionStatus(let user, let recovered, let time):
                $0.member("type", "connection_status")
                $0.member("status", "connected")
                $0.member("user_id", user.description)
                $0.member("recovered", recovered)
                $0.member("timestamp", time.description)
            case .subscriptionUpdate(let event, let status, let time):
                $0.member("type", "subscription_update")
                $0.member("event_id", event.description)
                $0.member("status", status)
                $0.member("timestamp", time.description)
            case .notificationRead(let notification, let time):
                $0.member("type", "notification_read")
                $0.member("notification_id", notification.description)
                $0.member("timestamp", time.description)
            case .pong(let time):
                $0.member("type", "pong")
                $0.member("timestamp", time.description)
            case .error(let error, let time):
                $0.member("type", "error")
                $0.member("code", error.code.rawValue)
                $0.member("detail", error.code.publicDetail ?? error.description)
                $0.member("timestamp", time.description)
            }
        }
    }
}
