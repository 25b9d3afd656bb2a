import EMSCore
import Foundation
import Testing

/// The stores that version 0.1.0 made, and what it said of them.
enum ReleasedStore {
    private static func fixture(_ name: String) -> URL {
        URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Fixtures/store-0.1.0/\(name)").standardized
    }

    /// A workspace with the SQLite file.
    static func embedded() throws -> Workspace {
        let workspace = try Workspace()
        try FileManager.default.createDirectory(atPath: workspace.dataDirectory, withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: fixture("ems.db"), to: URL(fileURLWithPath: workspace.databasePath))
        return workspace
    }

    /// The collections of the MongoDB database, in extended JSON: of each, `indexes` and `documents`.
    static func collections() throws -> [(name: String, content: JSONValue)] {
        guard case .object(let members) = try JSONParser.parse(Array(Data(contentsOf: fixture("mongodb.json")))) else { return [] }
        return members.map { ($0.name, $0.value) }
    }

    /// Expects what version 0.1.0 reported: events, users, and for each the inbox with its unread count.
    /// - Parameters:
    ///   - pending: the title of an event that nobody had been told of; a daemon is at work on that.
    ///   - unread: a notification that is unread there, though `state.txt` says that alan has read it.
    static func expectUnchanged(_ workspace: Workspace, pending: String? = nil, unread unreadID: String? = nil) async throws {
        var (inboxes, unread): ([String: [JSONValue]], [String: JSONValue]) = ([:], [:])
        var (events, users): ([String: JSONValue], [String: JSONValue]) = ([:], [:])
        var name = ""
        for line in try String(contentsOf: fixture("state.txt"), encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            if !line.hasPrefix("{") {
                let words = line.split(separator: " ", maxSplits: 2)
                name = String(words[0])
                unread[name] = try JSONParser.parse(Array(words[2].utf8))["count"]
                continue
            }
            let json = try JSONParser.parse(Array(line.utf8))
            if json["notification_id"] != nil {
                inboxes[name, default: []].append(json.renaming("read", to: "is_read"))
            } else if let id = json["event_id"]?.string {
                events[id] = json
            } else if let id = json["user_id"]?.string {
                users[id] = json.renaming("last_login_at", to: "last_login")
            }
        }
        #expect(unread.count == 4 && events.count == 6 && users.count == 5, "of the fixture")
        try await workspace.ems("broker", "flush").expectDone()
        if let pending {
            try await eventually("what was pending is delivered") {
                try await workspace.output("notify", "list", "--user", "ada", "-o", "jsonl").contains(pending)
            }
        }
        for (name, count) in unread {
            var inbox = try await workspace.ems("notify", "list", "--user", name, "--all", "-o", "jsonl").jsonLines()
            var found = try await workspace.outputEMS(["notify", "count", "--user", name, "-o", "json"]).jsonDocument()["count"]?.integer
            if let pending {
                #expect(inbox.filter { $0["event"]?["title"]?.string == pending }.count == 1, "\(name)")
                inbox.removeAll { $0["event"]?["title"]?.string == pending }
                found = found.map { $0 - 1 }
            }
            var expected = inboxes[name] ?? []
            if let place = expected.firstIndex(where: { $0["notification_id"]?.string == unreadID && $0["is_read"] == true }),
                name == "alan"
            {
                expected[place] = expected[place].replacing("is_read", with: false)
                found = found.map { $0 - 1 }
            }
            #expect(found == count.integer, "\(name)")
            #expect(inbox == expected, "\(name)")
        }
        let listed = try await workspace.ems("event", "export").jsonLines().filter { $0["title"]?.string != pending }
        #expect(listed.count == events.count)
        for event in listed { expect(event, events[event["event_id"]?.string ?? ""]) }
        let people = try await workspace.ems("user", "list", "--all", "-o", "jsonl").jsonLines()
        #expect(people.count == users.count)
        for user in people { expect(user, users[user["user_id"]?.string ?? ""]) }
        #expect(try await workspace.ems("audit", "verify", "-o", "id").status == 0)
    }

    /// Expects of every member what it was then; there may be more members now.
    private static func expect(_ now: JSONValue, _ then: JSONValue?) {
        guard case .object(let members)? = then else {
            Issue.record("\(now) is new")
            return
        }
        for member in members { #expect(now[member.name] == member.value, "\(member.name) of \(now)") }
    }
}

extension JSONValue {
    /// The object with another name for one of its members.
    fileprivate func renaming(_ name: String, to newName: String) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.map { Member(name: $0.name == name ? newName : $0.name, value: $0.value) })
    }

    fileprivate func replacing(_ name: String, with value: JSONValue) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.map { Member(name: $0.name, value: $0.name == name ? value : $0.value) })
    }
}
