import EMSCore

extension User: Presentable {
    static let columns: [Column<User>] = [
        Column("user_id") { .text($0.id.description) },
        Column("username") { .text($0.username) },
        Column("email") { .text($0.email) },
        Column("full_name") { .text($0.fullName) },
        Column("role") { .text($0.role.rawValue) },
        Column("is_active") { .flag($0.isActive) },
        Column("created_at", usual: false) { .time($0.createdAt) },
        Column("updated_at", usual: false) { .time($0.updatedAt) },
        Column("is_verified", usual: false) { .flag($0.isVerified) },
        Column("last_login", usual: false) { .time($0.lastLoginAt) },
    ]

    var identifier: String { id.description }
}

extension Event: Presentable {
    /// The order of csv, which programs rely on: a field that is not here comes last.
    private static let order = [
        "event_id", "title", "description", "location", "start_time", "end_time", "status", "tags", "max_attendees", "created_by",
        "attachment_url", "coordinates", "created_at", "updated_at", "version",
    ]

    static let columns = Column.all(
        of: Event.publicFields, first: order, usual: ["event_id", "title", "location", "start_time", "status", "tags"])

    var identifier: String { id.description }
}

extension InboxEntry: Presentable {
    static let columns: [Column<InboxEntry>] =
        Notification.columns.map { column in
            Column(column.name, usual: column.isUsual) { column.value($0.notification) }
        } + [Column("is_read") { .flag($0.isRead) }]

    var identifier: String { notification.id.description }
}

extension Notification: Presentable {
    static let columns: [Column<Notification>] = [
        Column("notification_id") { .text($0.id.description) },
        Column("notification_type") { .text($0.kind.rawValue) },
        Column("event_id", usual: false) { .text($0.event?.id.description) },
        Column("event_title") { .text($0.event?.title) },
        Column("changes", usual: false) { .text($0.changes.isEmpty ? nil : $0.changes.joined(separator: ",")) },
        Column("message", usual: false) { .text($0.message) },
        Column("user") { .text($0.actor) },
        Column("timestamp") { .time($0.timestamp) },
    ]

    var identifier: String { id.description }
}

extension Session: Presentable {
    static let columns: [Column<Session>] = [
        Column("session_id") { .text($0.id.description) },
        Column("user_id") { .text($0.userID.description) },
        Column("label") { .text($0.label) },
        Column("created_at") { .time($0.createdAt) },
        Column("expires_at") { .time($0.expiresAt) },
        Column("ended_at") { .time($0.endedAt) },
    ]

    var identifier: String { id.description }
}

extension Subscription: Presentable {
    static let columns: [Column<Subscription>] = [
        Column("event_id") { .text($0.eventID.description) },
        Column("user_id") { .text($0.userID.description) },
        Column("created_at") { .time($0.createdAt) },
    ]

    var identifier: String { eventID.description }
}

/// A few named values: a count, a status.
struct Facts: Presentable {
    let members: [(name: String, value: Cell)]
    /// A list among them, which only JSON and YAML show.
    let list: (name: String, items: [any JSONEncodable & Sendable])?

    init(_ members: [(name: String, value: Cell)], list: (name: String, items: [any JSONEncodable & Sendable])? = nil) {
        self.members = members
        self.list = list
    }

    static let columns: [Column<Facts>] = []

    var identifier: String { members.first.map { TableText.plain($0.value, in: .utc) } ?? "" }

    func encode(to writer: inout JSONWriter) {
        writer.object { writer in
            for (name, value) in members {
                switch value {
                case .text(let text): writer.member(name, text)
                case .number(let number): writer.member(name, number)
                case .flag(let flag): writer.member(name, flag)
                case .time(let time): writer.member(name, time.description)
                case .none: writer.member(name, String?.none)
                }
            }
            guard let list else { return }
            writer.name(list.name)
            writer.array { array in for item in list.items { item.encode(to: &array) } }
        }
    }
}
