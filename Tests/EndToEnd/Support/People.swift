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
