@testable import EMSMongoDB
import EMSCore
import Testing

@Suite("The schema of a MongoDB database", .enabled(if: TestServer.isHere, TestServer.hint))
struct SchemaTests {
    @Test("Unsigned messages are accepted for a week where version 0.1.0 had the database, and never in a new one")
    func transition() async throws {
        let database = try MongoDatabase(url: TestServer.url ?? "", name: "ems_test_\(ID<MongoDatabase>())")
        let administration = MongoBackend(database: database).stores.consumers
        try await database.prepare()
        #expect(try await administration.unsignedMessagesEnd() == nil)

        _ = try await database.run { connection in
            try connection.updateOne(.meta, where: { $0.member("_id", "schema") }, { $0.document("$set") { $0.member("version", 2) } })
        }
        try await database.migrate()
        let end = try #require(try await administration.unsignedMessagesEnd())
        let week = Timestamp.now().adding(seconds: 7 * 86_400)
        #expect(end <= week && week.adding(seconds: -600) < end)
        // Another daemon that starts later does not prolong it.
        try await database.migrate()
        #expect(try await administration.unsignedMessagesEnd() == end)
        try await database.run {
            try $0.command {
                $0.member("dropDatabase", 1)
            } reading: { _ in
            }
        }
    }
}
