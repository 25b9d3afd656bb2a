@testable import EMSCore
@testable import EMSSQLite

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
import Dispatch

/// A cursor that a client made up leads to a page or is refused, in every list of a real store.
@Sendable func fuzzCursor(_ bytes: [UInt8]) {
    var script = Script(bytes)
    let choice = script.byte()
    guard let cursor = accepted({ try PageCursor(script.line()) }) else { return }
    let page = PageRequest(size: Int(choice >> 4) + 1, after: cursor)
    let sort = EventQuery.Sort.allCases[Int(choice & 7) % EventQuery.Sort.allCases.count]
    let text = choice & 8 == 0 ? nil : script.line()
    FuzzStore.run { store in
        let query = EventQuery(text: text, sort: text == nil && sort == .relevance ? nil : sort, page: page)
        if (try? query.validate()) != nil { _ = try await store.stores.events.events(query) }
        _ = try await store.stores.users.users(UserQuery(page: page))
        _ = try await store.stores.notifications.inbox(of: FuzzStore.user.id, InboxQuery(unreadOnly: choice & 1 == 1, page: page))
    }
}

/// Any text is looked for, by SQLite's own full-text index: none of it is read as a part of the index's language.
@Sendable func fuzzMatch(_ bytes: [UInt8]) {
    var script = Script(bytes)
    let (text, location) = (script.line(), script.line())
    FuzzStore.run { store in
        for sort in [EventQuery.Sort.relevance, .startTime] {
            let query = EventQuery(text: text, location: location.isEmpty ? nil : location, sort: sort)
            if (try? query.validate()) != nil { _ = try await store.stores.events.events(query) }
        }
    }
}

/// A store of this process, with a few rows of each kind.
private enum FuzzStore {
    static let user = User(
        username: "ada", email: "ada@example.com", fullName: nil, role: .user, isActive: true, createdAt: Timestamp(milliseconds: 0))

    private static let backend: SQLiteBackend = {
        do {
            let path = "/tmp/ems-fuzz-\(getpid()).db"
            let backend = try SQLiteBackend(path: path, mode: .command)
            // The open descriptor is enough: nothing is left behind.
            try backend.database.connection.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = MEMORY") }
            unlink(path)
            wait {
                try await backend.stores.users.insert(user, passwordHash: "")
                let events = ["Talk 6", "Café am See", "ഽ\" OR 1", "a b c"].enumerated().map { number, title in
                    Event(
                        title: title, description: "", location: "Wien", startTime: Timestamp(milliseconds: Int64(number) * 1000),
                        endTime: Timestamp(milliseconds: 9000), createdBy: "operator:fuzz", tags: ["t"], maxAttendees: nil,
                        status: .scheduled, attachmentURL: nil, coordinates: nil, createdAt: Timestamp(milliseconds: 0))
                }
                _ = try await backend.stores.events.insert(
                    events.map {
                        (event: $0, change: .created($0, by: Principal(.operator("fuzz"), via: ChangeSource(.cli)), at: $0.createdAt))
                    })
                for text in ["one", "two"] {
                    let notification = Notification(kind: .message, message: text, actor: "root", timestamp: Timestamp(milliseconds: 0))
                    _ = try await backend.stores.notifications.record([
                        AddressedNotification(notification: notification, audience: .everyone)
                    ])
                }
            }
            return backend
        } catch {
            fatalError("\(error)")
        }
    }()

    static func run(_ body: @escaping @Sendable (SQLiteBackend) async throws -> Void) {
        let backend = backend
        wait { try await body(backend) }
    }

    /// Refusals of the catalogue are as good as answers; a fault of the program is a finding.
    private static func wait(_ body: @escaping @Sendable () async throws -> Void) {
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            do {
                try await body()
            } catch {
                let code = (error as? EMSError)?.code
                if code != .invalid && code != .notFound { fatalError("\(error)") }
            }
            done.signal()
        }
        done.wait()
    }
}
