/// How lists go along indexes: the same for every store, which provides rows in that order, one more than a page holds.

extension PageRequest {
    /// How many rows to pass over, and the row to go on behind: one of the two.
    public var start: (offset: Int, after: (value: Int64, id: String)?) {
        if case .key(let value, let id)? = after { return (0, (value, id)) }
        return (offset, nil)
    }

    /// How many rows to read: the one more tells whether there is a next page.
    public var limit: Int { size + 1 }

    /// - Parameter found: up to ``limit`` rows.
    /// - Returns: those of the page, and whether more follow.
    func split<Row>(_ found: [Row]) -> (rows: [Row], hasMore: Bool) {
        (Array(found.prefix(size)), found.count > size)
    }

    /// The total, where what was read is all there is.
    /// - Parameter found: up to ``limit`` rows.
    public func total(ifAllOf found: Int) -> Total? {
        let isWhole = after == nil && found <= size && (found > 0 || offset == 0)
        return isWhole ? Total(count: offset + found) : nil
    }
}

// MARK: Events

extension EventQuery {
    public var isDescending: Bool { sort == .startTimeDescending || sort == .createdAtDescending }

    /// The field that a list is in the order of; rows of the same value are in that of their ids.
    public var orderedBy: String { isByCreation ? "created_at" : "start_time" }

    public var isByCreation: Bool { sort == .createdAt || sort == .createdAtDescending }

    /// The tags that each make a list of their own, which are merged: any of several are as many lists. Of tags that must all be there, the
    /// first goes along the index, and the others are looked at in each row.
    public var tagLists: [[String]] { tagMatch == .any && tags.count > 1 ? tags.map { [$0] } : [tags] }

    /// Whether a list does not hold all events.
    public var isFiltered: Bool {
        status != nil || createdBy != nil || !tags.isEmpty || startsAfter != nil || startsBefore != nil || area != nil
    }

    /// Where a list reads on behind an event.
    fileprivate func cursor(after event: Event) -> PageCursor {
        .key(value: (isByCreation ? event.createdAt : event.startTime).milliseconds, id: event.id.description)
    }
}

extension EventPage {
    /// The page of a list.
    /// - Parameter found: up to ``PageRequest/limit`` events.
    public init(_ found: [Event], of query: EventQuery, total: Total) {
        let (events, hasMore) = query.page.split(found)
        self.init(events: events, cursors: events.map(query.cursor), total: total, hasMore: hasMore)
    }
}

// MARK: Users

extension UserQuery {
    fileprivate func cursor(after user: User) -> PageCursor {
        .key(value: unseenSince == nil ? 0 : (user.lastLoginAt ?? user.createdAt).milliseconds, id: user.id.description)
    }
}

extension UserPage {
    /// - Parameter found: up to ``PageRequest/limit`` users.
    public init(_ found: [User], of query: UserQuery, total: Total) {
        let (users, hasMore) = query.page.split(found)
        self.init(users: users, total: total, next: hasMore ? users.last.map(query.cursor) : nil)
    }
}
