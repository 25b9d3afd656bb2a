/// A part of the daemon that can run by itself.
public enum ServerRole: String, CaseIterable, Sendable {
    /// Registration, log-in, users.
    case auth
    /// Events and subscriptions, and the relay of their changes.
    case events
    /// Inboxes and WebSockets, and the consumer that fills them.
    case notifications
}
