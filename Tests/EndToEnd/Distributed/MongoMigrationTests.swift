@testable import EMSMongoDB
import EMSCore
import Foundation
import Testing

/// The MongoDB database of the released version, opened by this one.
@Suite(.serialized, .gated, .enabled(if: SharedServers.areHere, SharedServers.hint))
struct MongoMigrationTests {
    private static let pending = "Pending while the broker was away"
    /// `store copy` of version 0.1.0 left out that it was read.
    private static let unread = "01a22338156476618f7b9b4d4b72e7aa"

    @Test("A database of version 0.1.0 reports the same events, users, inboxes and unread counts, and delivers what was pending")
    func unchanged() async throws {
        let cluster = try await Self.released()
        let daemon = try await cluster.daemon()
        try await ReleasedStore.expectUnchanged(cluster.workspace, pending: Self.pending, unread: Self.unread)
        #expect(try await daemon.stop() == 0)
    }

    #if DEBUG
    @Test("A migration that is killed between any two steps is finished by the next command")
    func killed() async throws {
        let cluster = try await Self.released()
        var kills = 0
        while try await cluster.workspace.ems(
            "event", "list", environment: ["EMS_FAULT_POINT": "between-migration-steps:\(kills + 1)"]
        ).wasKilled { kills += 1 }
        #expect(kills >= 10)
        let daemon = try await cluster.daemon()
        defer { withExtendedLifetime(daemon) {} }
        try await ReleasedStore.expectUnchanged(cluster.workspace, pending: Self.pending, unread: Self.unread)
    }
    #endif

    /// A cluster whose database is that of version 0.1.0, with its indexes.
    private static func released() async throws -> Cluster {
        let cluster = try Cluster()
        let database = try cluster.database()
        for (name, content) in try ReleasedStore.collections() {
            let collection = try #require(Collection(rawValue: name))
            let documents = content["documents"]?.arrayItems.map { value in BSONDocument { $0.members(ofExtendedJSON: value) } } ?? []
            let indexes = content["indexes"]?.arrayItems.filter { $0["name"]?.string != "_id_" } ?? []
            try await database.run { connection in
                if !documents.isEmpty { try connection.insert(collection, documents) }
                if indexes.isEmpty { return }
                try connection.command {
                    $0.member("createIndexes", name)
                    $0.array("indexes") { list in
                        for index in indexes { list.document { $0.members(ofExtendedJSON: index) } }
                    }
                } reading: { _ in
                }
            }
        }
        return cluster
    }
}

extension BSONWriter {
    /// The members of an object in canonical extended JSON, as far as the fixture needs it (mongodb.com/docs/manual/reference/mongodb-extended-json).
    fileprivate mutating func members(ofExtendedJSON object: JSONValue) {
        guard case .object(let members) = object else { return }
        for member in members { self.member(member.name, extendedJSON: member.value) }
    }

    private mutating func member(_ name: String, extendedJSON value: JSONValue) {
        switch value {
        case .object:
            if let number = (value["$numberInt"] ?? value["$numberLong"])?.string.flatMap({ Int64($0) }) {
                member(name, number)
            } else if let number = value["$numberDouble"]?.string.flatMap({ Double($0) }) {
                member(name, number)
            } else if let moment = value["$date"]?["$numberLong"]?.string.flatMap({ Int64($0) }) {
                member(name, Timestamp(milliseconds: moment))
            } else if let text = value["$binary"]?["base64"]?.string {
                member(name, binary: Array(Data(base64Encoded: text) ?? Data()))
            } else {
                document(name) { $0.members(ofExtendedJSON: value) }
            }
        case .array(let elements):
            array(name) { list in
                for element in elements {
                    if let text = element.string {
                        list.element(text)
                    } else if let number = element["$numberDouble"]?.string.flatMap({ Double($0) }) {
                        list.element(number)
                    } else {
                        list.document { $0.members(ofExtendedJSON: element) }
                    }
                }
            }
        case .string(let text): member(name, text)
        case .bool(let flag): member(name, flag)
        case .integer(let number): member(name, number)
        case .number(let number): member(name, number)
        case .null: null(name)
        }
    }
}
