import EMSCore

/// What many tests begin with.
extension Workspace {
    static let password = "Example123!"

    /// Makes a user at the command line.
    /// - Returns: the user's id.
    @discardableResult
    func makeUser(_ name: String, role: String = "user") async throws -> String {
        let output = try await output(
            "user", "create", name, "--email", "\(name)@example.com", "--role", role, "--password-stdin", "-o", "id",
            input: Self.password + "\n")
        return output.trimmingNewline
    }

    /// An access token for a user, without logging in.
    func token(of name: String, ttl: String = "1h") async throws -> String {
        try await output("token", "issue", "--user", name, "--ttl", ttl).trimmingNewline
    }

    /// Creates an event at the command line, a year or so from now.
    /// - Returns: the event's id.
    @discardableResult
    func makeEvent(_ title: String) async throws -> String {
        let output = try await output(
            "event", "create", "--title", title, "--start", Self.future(days: 400), "--end", Self.future(days: 401), "-o", "id")
        return output.trimmingNewline
    }

    /// Puts users `user1`, `user2` and so on, all subscribed to an event, into the embedded store: far faster than commands could.
    func makeCrowd(_ count: Int, subscribedTo event: String) async throws {
        try await sqlite(
            """
            CREATE TEMP TABLE crowd AS WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
                SELECT printf('%032x', i) AS id, 'user' || i AS name FROM n;
            INSERT INTO users (id, username, username_key, email, email_key, role, is_active, password_hash, created_at, updated_at)
                SELECT id, name, name, name || '@example.com', name || '@example.com', 'user', 1, '', 0, 0 FROM crowd;
            INSERT INTO inboxes SELECT crowd.id, last_position, everyone_count, last_position, everyone_count, 0, 0 FROM crowd, stream;
            INSERT INTO subscriptions (user_id, event_id, created_at) SELECT id, '\(event)', 0 FROM crowd
            """)
    }

    /// A moment so many days from now, in ISO 8601.
    static func future(days: Int64) -> String {
        Timestamp.now().adding(seconds: days * 86_400).description
    }

    /// The JSON body of a good event.
    static func eventBody(_ title: String, more: String = "") -> String {
        """
        {"title": "\(title)", "description": "Annual", "location": "San Francisco", "start_time": "\(future(days: 400))",
         "end_time": "\(future(days: 401))", "tags": ["technology", "conference"], "max_attendees": 500\(more)}
        """
    }

    /// All ids in a user's inbox, the newest first.
    func inboxIDs(of name: String) async throws -> [String] {
        try await output("notify", "list", "--user", name, "--all", "-o", "id").split(separator: "\n").map(String.init)
    }
}

extension String {
    var trimmingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
