@testable import EMSMongoDB
import EMSCore
import StoreConformance
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

    @Test("A read that takes longer than whoever serves many allows is ended by the server: busy, and others go on")
    func readLimit() async throws {
        let name = "ems_test_\(ID<MongoDatabase>())"
        let patient = try MongoDatabase(url: TestServer.url ?? "", name: name)
        let limited = try MongoDatabase(url: TestServer.url ?? "", name: name, readLimit: .milliseconds(50))
        try await patient.run { try $0.insert(.meta, BSONDocument { $0.member("_id", "one") }) }
        @Sendable func slow(_ filter: inout BSONWriter) { filter.member("$where", "sleep(200) || true") }
        let reads: [@Sendable (MongoConnection) throws -> Int] = [
            { try $0.find(.meta, where: slow) { _ in true }.count },
            { try $0.count(.meta, where: slow) },
            { connection in
                try connection.aggregate(.meta) {
                    $0.document {
                        $0.document("$match") {
                            $0.document("$expr") {
                                $0.document("$function") {
                                    $0.member("body", "function() { sleep(200); return true }")
                                    $0.array("args") { _ in }
                                    $0.member("lang", "js")
                                }
                            }
                        }
                    }
                } _: { _ in
                    true
                }.count
            },
        ]
        for read in reads {
            await expectFailure(.busy) { try await limited.run(read) }
            #expect(try await patient.run(read) == 1)
        }
        try await patient.run {
            try $0.command {
                $0.member("dropDatabase", 1)
            } reading: { _ in
            }
        }
    }
}
